"""The catalogue of error codes is whole, unique, documented, and used."""

import re
from pathlib import Path

from canonical import codes
from canonical.codes import rollout
from canonical.errors import ErrorCode
from services.reference_docs import AREAS, errors_page

ROOT = Path(__file__).parents[2]
PACKAGES = ("canonical", "iec61968", "sftp", "messaging", "store", "adapters", "flows", "services")


def _defined() -> list[ErrorCode]:
    return [code for module in codes.MODULES for code in codes.of_module(module)]


def test_numbers_and_names_are_unique_and_well_formed() -> None:
    defined = _defined()

    assert len({code.number for code in defined}) == len(defined)
    assert len({code.name for code in defined}) == len(defined)
    assert all(re.fullmatch(r"[1-9]\d{3}", code.number) and code.number[0] in AREAS for code in defined)
    assert all(code.meaning.endswith(".") and code.next_step.endswith(".") for code in defined)


def test_the_page_of_errors_is_what_the_code_says() -> None:
    assert (ROOT / "docs" / "errors.md").read_text() == errors_page()


def test_every_code_is_raised_or_said_somewhere() -> None:
    files = (file for package in PACKAGES for file in (ROOT / package).rglob("*.py") if "codes" not in file.parts)
    words = {word for file in files for word in re.findall(r"\b[A-Z]\w+\b", file.read_text())}
    rules = {code.name: (rule,) for rule, code in rollout.EX.items()}  # said by their number there: EX["EX03"]
    unused = [
        name
        for module in codes.MODULES
        for name, value in vars(module).items()
        if isinstance(value, ErrorCode) and not {name, *rules.get(name, ())} & words
    ]

    assert unused == []


def test_every_code_that_a_document_names_exists() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for number, name in re.findall(r"`(\d{4}) ([A-Z][A-Z_]{3,})`", page.read_text()):
            assert codes.ALL[number].name == name, f"{page.name}: {number} {name}"
