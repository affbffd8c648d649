"""The tree keeps the house's rules of size and place."""

import ast
from pathlib import Path

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


def test_a_file_holds_one_idea() -> None:
    lines = {str(file.relative_to(ROOT)): len(file.read_text().splitlines()) for file in SOURCE + TESTS}

    assert {name: count for name, count in lines.items() if count > LONGEST_FILE} == {}
    assert [str(file) for file in SOURCE + TESTS if file.stem in FORBIDDEN_NAMES] == []


def test_a_function_fits_a_screen() -> None:
    long = [
        f"{file.relative_to(ROOT)}: {node.name} ({(node.end_lineno or 0) - node.lineno + 1} lines)"
        for file in SOURCE
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
