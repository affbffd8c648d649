"""The page about completions says what is so: every rule with its action and test, every situation with its folder."""

import re
from pathlib import Path

import pytest

from canonical.codes.rollout import EX
from flows.meter_rollout.judging import BY_NUMBER, RULES, Rule

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "flows" / "meter_rollout_completions.md").read_text()
ROWS = {row[0].split()[0]: row for row in (line.strip("| ").split("|") for line in PAGE.splitlines() if "|" in line)}
WORDS = {"HOLD": "hold", "WAIT": "wait", "REVIEW": "review", "REJECT": "reject", "ALERT": "believed, and told",
         "HOLD_PAIR": "only the CIS pair waits", "BLOCK": "not commissioned"}  # fmt: skip


@pytest.mark.parametrize("rule", [*EX, "GATEWAY"])
def test_every_rule_names_its_code_and_a_test_that_exists(rule: str) -> None:
    cells = [cell.strip() for cell in ROWS[rule]]
    number = EX[rule].number if rule in EX else BY_NUMBER[rule].code.number
    files = (ROOT / "tests" / "unit" / "flows" / "meter_rollout").glob("test_*.py")

    assert cells[0] == f"{rule} [{number}](../errors.md#{number})"
    assert any(f"def test_{cells[-1].strip('`')}(" in file.read_text() for file in files)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.number)
def test_every_rule_says_what_is_done_and_what_a_site_or_a_person_may_do_instead(rule: Rule) -> None:
    default, instead, passes = (cell.strip() for cell in ROWS[rule.number][2:5])

    assert WORDS[rule.action] in default
    assert {word.upper() for word in re.findall(r"\w+", instead)} == set(rule.instead)
    assert passes.startswith("yes") == rule.can_be_waived


def test_every_situation_is_a_folder_with_an_outcome_and_every_folder_stands_there() -> None:
    named = set(re.findall(r"`(meter_rollout/\w+)`", PAGE))
    folders = {path.parent for path in (ROOT / "tests" / "scenario" / "meter_rollout").glob("*/given")}

    assert named == {f"meter_rollout/{path.name}" for path in folders}
    assert all((path / "then" / "outcome.json").exists() for path in folders)
    wanted = {f"T{n:02}" for n in (*range(1, 10), 13, 29, 30, 37, 38, 39)}
    assert wanted <= set(re.findall(r"^\| (T\d\d) ", PAGE, flags=re.MULTILINE))
