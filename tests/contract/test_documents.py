"""Documents promise only what is there: links resolve, commands and settings that they name exist."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "adapters").glob("*/README.md")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_between_documents_resolves(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text())

    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_make_target_that_a_document_names_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    named = {name for page in PAGES for name in re.findall(r"`make ([a-z]+)", page.read_text())}

    assert named <= targets


def test_every_command_that_a_document_names_exists() -> None:
    """`amihub topic verb` in any page is one that `amihub --help` knows."""
    named = {
        tuple(words.split())
        for page in PAGES
        for words in re.findall(r"`amihub ((?:[a-z]+)(?: [a-z]+)?)[ `]", page.read_text())
    }
    topics = {words[0] for words in named}
    program = str(Path(sys.executable).with_name("amihub"))
    text = subprocess.run([program, "--help"], capture_output=True, text=True, check=True).stdout

    assert {topic for topic in topics if not re.search(rf"^│ {topic} ", text, flags=re.MULTILINE)} == set()
    assert len(topics) > 5


def test_no_adapter_setting_in_the_example_site_is_unknown_to_its_adapter() -> None:
    """A key that the adapter does not know would be refused by `amihub config check`."""
    import tomllib

    roles = tomllib.loads((ROOT / "site.example.toml").read_text())["roles"]

    assert {role["adapter"] for role in roles.values()} <= {path.name for path in (ROOT / "adapters").iterdir()}
