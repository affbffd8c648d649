"""Each folder is a story of a rollout's files: what partners sent, what people did, what came of it."""

import json
from pathlib import Path

import pytest
from files_story import Story

from store.session import Transaction

STORIES = sorted(path.parent for path in Path(__file__).parent.glob("*/given"))


@pytest.mark.parametrize("folder", STORIES, ids=lambda path: path.name)
def test_a_story_comes_out_as_told(folder: Path, transaction: Transaction) -> None:
    story = Story(transaction, folder / "given")

    story.live()

    assert story.outcome() == json.loads((folder / "then" / "outcome.json").read_text())
