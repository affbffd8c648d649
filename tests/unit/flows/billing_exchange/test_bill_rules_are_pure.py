"""The rules of a bill are functions of their arguments: no store, no files, no clock, no floats that touch energy."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[4] / "flows" / "billing_exchange"
RULES = (
    "best_read", "calculate", "context", "demand", "difference", "energy", "interval_counts", "intervals", "policy",
    "quantities", "registers", "resets", "rounding", "seasons", "segments", "stated", "tou", "validation", "windows",
)  # fmt: skip
ALLOWED = {"canonical", "array", "collections", "dataclasses", "datetime", "decimal", "functools", "itertools"}
ALLOWED |= {"types", "typing", "zoneinfo"}

OTHERS = {"flows.multipliers"}
"""Rules that the register of what is unbilled shares."""


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_imports_values_and_other_rules_only(rule: str) -> None:
    tree = ast.parse((PACKAGE / f"{rule}.py").read_text())
    imported = {n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    imported |= {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}

    outside = {name for name in imported if name.split(".")[0] not in ALLOWED}

    assert outside <= {f"flows.billing_exchange.{each}" for each in RULES} | OTHERS


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_reads_no_clock(rule: str) -> None:
    tree = ast.parse((PACKAGE / f"{rule}.py").read_text())
    called = {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute)}

    assert not called & {"now", "utcnow", "today", "monotonic", "perf_counter"}


@pytest.mark.parametrize("rule", [r for r in RULES if r != "windows"])
def test_no_float_touches_a_quantity(rule: str) -> None:
    tree = ast.parse((PACKAGE / f"{rule}.py").read_text())
    floats = [n for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, float)]
    names = [n for n in ast.walk(tree) if isinstance(n, ast.Name) and n.id == "float"]

    assert not floats
    assert not names
