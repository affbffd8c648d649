"""What a history answers to each story of tests/scenario/history/<situation>/, on both databases."""

import json
from pathlib import Path

import pytest
from belief_story import told

from store.session import Transaction

pytestmark = pytest.mark.slow

STORIES = sorted(path.parent for path in Path(__file__).parent.glob("*/given"))


@pytest.mark.parametrize("folder", STORIES, ids=lambda folder: str(folder.name))
def test_a_history_answers_a_story_as_its_outcome_says(folder: Path, transaction: Transaction) -> None:
    answers = told(folder, transaction)

    assert answers == json.loads((folder / "then" / "outcome.json").read_text())
