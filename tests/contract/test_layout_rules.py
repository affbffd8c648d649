"""The tree keeps the house's rules of size and place."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = sorted(
    file
    for folder in (
        "canonical",
        "iec61968",
        "sftp",
        "messaging",
        "store",
        "adapters",
        "flows",
        "services",
        "simulators",
        "benchmarks",
        "dags",
    )
    for file in (ROOT / folder).rglob("*.py")
    if "versions" not in file.parts
)
FORBIDDEN_NAMES = {"utils", "common", "helpers", "base", "manager"}
LONGEST_FILE, LONGEST_FUNCTION = 299, 40
TESTS = sorted((ROOT / "tests").rglob("*.py"))


@pytest.mark.parametrize("file", SOURCE + TESTS, ids=lambda f: str(f.relative_to(ROOT)))
def test_a_file_holds_one_idea(file: Path) -> None:
    text = file.read_text()

    assert len(text.splitlines()) <= LONGEST_FILE
    assert file.stem not in FORBIDDEN_NAMES


@pytest.mark.parametrize("file", SOURCE, ids=lambda f: str(f.relative_to(ROOT)))
def test_a_function_fits_a_screen(file: Path) -> None:
    long = [
        f"{node.name} ({(node.end_lineno or 0) - node.lineno + 1} lines)"
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno + 1 - _docstring_lines(node) > LONGEST_FUNCTION
    ]

    assert long == []


def _docstring_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return how many lines a function's docstring takes."""
    first = node.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        return (first.end_lineno or 0) - first.lineno + 1
    return 0


def test_a_dag_file_is_short_and_imports_only_what_it_may() -> None:
    allowed = (
        "services.site_file",
        "services.airflow_",
        "canonical.errors",
        "airflow",
        "datetime",
        "__future__",
    )
    for file in (ROOT / "dags").glob("*.py"):
        text = file.read_text()
        assert len(text.splitlines()) <= 80, file
        for node in ast.parse(text).body:
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert all(name.startswith(allowed) for name in names), f"{file.name}: {names}"
