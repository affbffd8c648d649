"""Every story in this folder: what is given leads to what then/ says, to the digit."""

import json
from pathlib import Path

import pytest
from billing_story import Story

from store.session import Transaction

IN_THE_GATE = {
    "cycle_with_ami_manual_and_mixed_accounts", "exchange_mid_period_ct40", "intervals_over_the_autumn_night",
    "late_actual_before_the_bill", "refused_part_goes_again_as_revision", "register_rolls_over",
}  # fmt: skip
"""Stories that every `make check` plays; all others are played by `make test`."""

STORIES = [
    pytest.param(folder, id=folder.name, marks=() if folder.name in IN_THE_GATE else pytest.mark.slow)
    for folder in sorted(path.parent for path in Path(__file__).parent.glob("*/given"))
]


@pytest.mark.parametrize("folder", STORIES)
def test_the_story_ends_as_told(folder: Path, transaction: Transaction, tmp_path: Path) -> None:
    outcome = Story(folder, transaction, tmp_path).play()

    expected = json.loads((folder / "then" / "outcome.json").read_text())
    assert json.loads(json.dumps(outcome)) == expected
