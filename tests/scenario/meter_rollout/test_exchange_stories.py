"""Exchanges as stories: each folder says what was known and told, and how it ended."""

import json
from pathlib import Path

import pytest
from exchange_story import Story

from store.session import Transaction

STORIES = sorted(path.parent for path in Path(__file__).parent.glob("*/given") if (path / "story.toml").exists())


@pytest.mark.parametrize("folder", STORIES, ids=lambda folder: folder.name)
def test_exchanges_end_as_their_story_says(folder: Path, transaction: Transaction) -> None:
    found = Story(folder / "given", transaction).play()

    assert json.loads(json.dumps(found)) == json.loads((folder / "then" / "outcome.json").read_text())
