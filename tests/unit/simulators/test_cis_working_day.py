import json
from pathlib import Path

from simulators import city
from simulators.cis import open_cis, turn
from simulators.cis_day import Cis
from simulators.cis_files import acknowledge, hash_of, stem_of
from simulators.knobs import Knobs
from simulators.local_days import at_local
from simulators.script import BUSINESS_DAYS

FIRST = BUSINESS_DAYS[0]


def _cis(run: Path, **knobs: object) -> Cis:
    city.found(run / "city", seed=7, points=150)
    (run / "cis").mkdir()
    Knobs(run / "cis" / "knobs.json").write(dict(knobs))
    return open_cis(run)


def _offered(cis: Cis, pattern: str) -> list[Path]:
    return sorted((cis.root / "outbound").glob(pattern))


def test_a_request_file_says_its_counts_and_hash_and_its_control_file_the_same_bytes(tmp_path: Path) -> None:
    cis = _cis(tmp_path)

    turn(cis, at_local(FIRST, 7, 1))

    path = _offered(cis, "BR_CISMASS_*.dat")[0]
    rows = [line.split("|") for line in path.read_text().splitlines()]
    ids = [row[1] for row in rows if row[0] == "REQ"]
    assert rows[-1] == ["TRL", str(len(ids)), "0", hash_of(ids)]
    control = json.loads((path.parent / (stem_of(path.name) + ".ctl")).read_text())
    assert control["bytes"] == path.stat().st_size
    assert control["records"] == {"HDR": 1, "REQ": len(ids), "TRL": 1}
    assert all(any(row[4:9]) for row in rows if row[0] == "REQ")


def test_nothing_is_sent_before_its_business_time_and_nothing_twice(tmp_path: Path) -> None:
    cis = _cis(tmp_path)

    turn(cis, at_local(FIRST, 5))
    before = _offered(cis, "*.dat")
    for minute in (1, 2, 3):
        turn(cis, at_local(FIRST, 7, minute))

    assert before == []
    assert len(_offered(cis, "BR_*.dat")) == 2


def test_a_cut_request_file_is_sent_again_whole_once_it_was_refused_and_another_one_twice(tmp_path: Path) -> None:
    day = FIRST.isoformat()
    cis = _cis(tmp_path, truncate_request=[day], duplicate_request=[day])
    turn(cis, at_local(FIRST, 7, 1))
    good, cut = _offered(cis, "BR_CISMASS_*.dat")
    assert "TRL" not in cut.read_text()

    turn(cis, at_local(FIRST, 7, 31))
    assert len(_offered(cis, "BR_CISMASS_*.dat")) == 2
    for path, verdict in ((good, "ACCEPTED"), (cut, "REJECTED")):
        acknowledge(cis.root / "inbound", path.name, "x", verdict, at="")
    turn(cis, at_local(FIRST, 7, 32))

    _, _, again, twice = _offered(cis, "BR_CISMASS_*.dat")
    assert "TRL" in again.read_text()
    assert twice.read_bytes() == good.read_bytes()


def test_a_restarted_cis_goes_on_where_it_was(tmp_path: Path) -> None:
    turn(_cis(tmp_path), at_local(FIRST, 7, 1))

    again = open_cis(tmp_path)
    turn(again, at_local(FIRST, 7, 5))

    assert len(_offered(again, "BR_*.dat")) == 2
