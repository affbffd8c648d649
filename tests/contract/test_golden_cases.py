"""Every golden case of every adapter reads as stated and writes back unchanged."""

import importlib
import json
from array import array
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest

ADAPTERS = Path(__file__).resolve().parents[2] / "adapters"
CASES = sorted(path.parent for path in ADAPTERS.glob("*/golden/*/canonical.json"))


def as_json(thing: Any) -> Any:
    """Return canonical objects as JSON would hold them."""
    if is_dataclass(thing) and not isinstance(thing, type):
        return {f.name: as_json(getattr(thing, f.name)) for f in fields(thing)}
    if isinstance(thing, Mapping):
        return {str(key): as_json(value) for key, value in thing.items()}
    if isinstance(thing, frozenset | set):
        return sorted(as_json(each) for each in thing)
    if isinstance(thing, list | tuple | array):
        return [as_json(each) for each in thing]
    return thing if isinstance(thing, bool | int | type(None)) else str(thing)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parts[-3]}:{case.name}")
def test_golden_case_reads_as_stated_and_writes_back_unchanged(case: Path) -> None:
    translate = importlib.import_module(f"adapters.{case.parts[-3]}.translate")
    (wire,) = case.glob("wire.*")
    stated = json.loads((case / "canonical.json").read_text(encoding="utf-8"))

    meant = translate.golden_read(wire.read_bytes(), wire.name)

    assert as_json(meant) == stated
    if not getattr(meant, "refused", ()):
        assert translate.golden_write(meant, wire.name) == wire.read_bytes()


def test_every_adapter_with_golden_cases_is_found() -> None:
    assert {case.parts[-3] for case in CASES} >= {"cis_flatfile"}
