"""Every story in this folder: what is given leads to the register that then/ says, to the digit."""

import json
from pathlib import Path

import pytest
from register_story import RegisterStory

from store.session import Transaction

pytestmark = pytest.mark.slow
STORIES = sorted(path.parent for path in Path(__file__).parent.glob("*/given"))


@pytest.mark.parametrize("folder", STORIES, ids=lambda folder: folder.name)
def test_the_register_ends_as_told(folder: Path, transaction: Transaction, tmp_path: Path) -> None:
    lines = RegisterStory(folder, transaction, tmp_path).register_lines()

    assert lines == json.loads((folder / "then" / "register.json").read_text())
