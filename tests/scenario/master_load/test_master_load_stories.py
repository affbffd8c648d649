"""First-time loads as stories: each folder says what came in which order, and how it ended."""

import json
from pathlib import Path

import pytest
from load_story import Story

from store.session import Transaction

STORIES = sorted(path.parent for path in Path(__file__).parent.glob("*/given"))


@pytest.mark.parametrize("folder", STORIES, ids=lambda folder: folder.name)
def test_a_load_ends_as_its_story_says(folder: Path, transaction: Transaction, tmp_path: Path) -> None:
    found = Story(folder / "given", tmp_path, transaction).play()

    assert json.loads(json.dumps(found)) == json.loads((folder / "then" / "outcome.json").read_text())
