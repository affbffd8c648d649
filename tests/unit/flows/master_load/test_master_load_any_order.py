"""Whatever the order in which systems' files come, the size of chunks and repeats: the masters end alike (I7)."""

import shutil
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from load_office import (
    BEGIN,
    WATERMARK,
    Office,
    account,
    agreement,
    ceiling,
    customer,
    holding,
    installation,
    meter,
    topology,
    usage_point,
)

from canonical.holdings import Holding
from store.session import open_engine, transactions

MOVED = BEGIN + timedelta(days=300)

FILES: dict[str, list[Holding]] = {
    "cis": [
        customer("C1"),
        account("A1", "C1"),
        usage_point("U1", BEGIN, MOVED, route="1"),
        usage_point("U1", MOVED, route="2"),
        usage_point("U2"),
        agreement("G1", "A1", "U1"),
        agreement("G2", "nobody", "U2"),
    ],
    "wams": [
        holding("meter", meter("1").object_id, BEGIN, None, manufacturer="ACME", serial="1", status="Active"),
        holding("meter", meter("2").object_id, BEGIN, None, manufacturer="ACME", serial="2", status="Removed"),
    ],
    "mdms": [
        holding("meter", meter("1").object_id, BEGIN, MOVED, multiplier="1", commodity="ELECTRICITY"),
        holding("meter", meter("1").object_id, MOVED, None, multiplier="40", commodity="ELECTRICITY"),
        installation("U1", "2", BEGIN, BEGIN + timedelta(days=10)),
        installation("U1", "1", BEGIN + timedelta(days=10)),
    ],
    "gis": [topology("U1", "TR1"), topology("U7", "TR7")],
}
AT = {role: WATERMARK + timedelta(minutes=number) for number, role in enumerate(FILES)}


@given(order=st.permutations(sorted(FILES)), chunks=st.lists(st.integers(1, 8), min_size=4, max_size=4))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.slow
def test_files_in_any_order_and_chunks_of_any_size_end_alike(
    sqlite_template: Path, order: list[str], chunks: list[int]
) -> None:
    expected = _loaded(sqlite_template, sorted(FILES), [100] * 4, again=False)

    found = _loaded(sqlite_template, order, chunks, again=True)

    assert found == expected


def _loaded(template: Path, order: list[str], chunks: list[int], *, again: bool) -> dict[str, list[dict[str, Any]]]:
    """Return what is held after a load of all files, and perhaps another one of the same."""
    folder = Path(tempfile.mkdtemp())
    try:
        shutil.copyfile(template, folder / "hub.db")
        engine = open_engine(f"sqlite:///{folder}/hub.db")
        office = Office(transactions(engine), ceiling(100))
        for _ in range(1 + again):
            office.start(*order)
            for role, chunk in zip(order, chunks, strict=True):
                office.take(role, FILES[role], chunk=chunk, watermark=AT[role])
            assert office.advance() == "done"
        held = office.held()
        engine.dispose()
    finally:
        shutil.rmtree(folder)
    return held
