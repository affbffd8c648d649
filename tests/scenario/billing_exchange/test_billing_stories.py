"""Every story in this folder: what is given leads to what then/ says, to the digit."""

import json
from pathlib import Path

import pytest
from billing_story import Story

from store.session import Transaction

STORIES = sorted(path.parent for path in Path(__file__).parent.glob("*/given"))


@pytest.mark.parametrize("folder", STORIES, ids=lambda folder: folder.name)
def test_the_story_ends_as_told(folder: Path, transaction: Transaction, tmp_path: Path) -> None:
    outcome = Story(folder, transaction, tmp_path).play()

    expected = json.loads((folder / "then" / "outcome.json").read_text())
    assert json.loads(json.dumps(outcome)) == expected
