from pathlib import Path

import pytest
from standin_hub import one_day, put_drop

from simulators import auditor, city
from simulators.cis import open_cis, turn
from simulators.knobs import Knobs
from simulators.local_days import at_local
from simulators.script import BUSINESS_DAYS


def _day(run: Path, sabotage: str = "") -> auditor.Report:
    city.found(run / "city", seed=3, points=60, days=1, calm=True)
    (run / "cis").mkdir()
    Knobs(run / "cis" / "knobs.json").write({"sabotage": sabotage})
    one_day(run)
    return auditor.audit(run)


def test_a_day_billed_by_the_truth_has_no_disagreement(tmp_path: Path) -> None:
    report = _day(tmp_path)

    assert report.findings == []
    counts = {hop.name: hop.count for hop in report.hops}
    assert counts["requested"] == counts["loaded"] == counts["billed"] == counts["told to be billed"] == 60
    energies = {hop.name: hop.kwh for hop in report.hops}
    assert energies["loaded"] == energies["billed"] == energies["billable by the city's truth"] > 0


@pytest.mark.parametrize(
    ("sabotage", "hop"),
    [
        ("lose-item", "loaded"),
        ("double-item", "billed"),
        ("multiplier", "loaded"),
        ("drop-part", "loaded"),
        ("edit-kwh", "loaded"),
    ],
)
def test_damage_behind_the_back_is_named_with_account_and_hop(tmp_path: Path, sabotage: str, hop: str) -> None:
    report = _day(tmp_path, sabotage)

    assert report.findings
    assert report.findings[0].account.startswith("AC")
    assert report.findings[0].hop == hop
    if sabotage != "drop-part":
        assert len({finding.account for finding in report.findings if finding.account.startswith("AC")}) == 1


def test_a_part_whose_trailer_lies_is_refused_whole_and_nothing_of_it_is_loaded(tmp_path: Path) -> None:
    city.found(tmp_path / "city", seed=3, points=60, days=1, calm=True)
    cis = open_cis(tmp_path)
    lines = ["HDR|billing_drop|1|F1|AMIHUB|CISMASS|TEST|x|2026-11-17|z|1|ON|17|1|Y|0|", "TRL|1|0|0|0|0|0|0||0|x"]

    put_drop(cis, lines, sequence=9, interface="CISMASS")
    turn(cis, at_local(BUSINESS_DAYS[0], 6))

    verdicts = cis.books.db.execute("SELECT verdict, reason FROM file WHERE direction = 'received'").fetchall()
    assert [verdict for verdict, _ in verdicts] == ["REJECTED"]
    assert "trailer counts" in verdicts[0][1]
    assert cis.books.db.execute("SELECT count(*) FROM answer").fetchone() == (0,)
