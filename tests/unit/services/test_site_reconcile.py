"""Every mistake in `[reconcile]` is said with its line and the nearest right word."""

from pathlib import Path

import pytest

from canonical.errors import MisconfiguredError
from services.site_file import load_site

GOOD = """
[site]
name = "Example"
zone = "UTC"
env = "TEST"
sender = "AMIHUB"
[roles.oms]
adapter = "masters_flatfile"
kind = "partner"
clock = "UTC"
multiplier = "raw"
"""


@pytest.mark.parametrize(
    ("section", "line", "words"),
    [
        ("[reconcile]\nportions = 3\n", 13, "portion"),
        ("[reconcile]\nportion = 0\n", 13, "portion"),
        ("[reconcile.systems.omx]\n", 12, "did you mean 'oms'"),
        ("[reconcile.systems.oms]\nfields = { meter = ['colour'] }\n", 12, "meter has no field 'colour'"),
        ("[[reconcile.repair]]\nsystems = ['omz']\n", 13, "did you mean 'oms'"),
        ("[reconcile.owners]\n'meter.colour' = 'oms'\n", 12, "there is no 'meter.colour'"),
        ("[reconcile]\npairs = [['oms', 'hes']]\n", 13, "there is no role 'hes'"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, section: str, line: int, words: str) -> None:
    file = tmp_path / "site.toml"
    file.write_text(GOOD + section)

    with pytest.raises(MisconfiguredError) as wrong:
        load_site(file)

    said = str(wrong.value)
    assert words in said
    assert f"{line}" in said


def test_a_site_may_leave_reconciliation_to_its_defaults(tmp_path: Path) -> None:
    file = tmp_path / "site.toml"
    file.write_text(GOOD + "[reconcile]\n")

    own = load_site(file).model.reconcile

    assert own is not None
    assert (own.portion, own.automatic, own.repair) == (64, False, ())
