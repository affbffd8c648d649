"""Whatever damage a file takes, it is read, rejected line by line, or refused with a code: never an accident."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from canonical.errors import RejectedError
from sftp.formats import billed, billing_drop, billing_request, reference

pytestmark = pytest.mark.slow

GOLDEN = Path(__file__).resolve().parents[4] / "adapters" / "cis_flatfile" / "golden"
READERS: dict[str, Callable[[BinaryIO], Iterator[Any]]] = {
    "drop_with_exchange_net_and_no_read": billing_drop.determinants,
    "drop_fixed_width": billing_drop.determinants,
    "request": billing_request.items,
    "reference": reference.items,
    "billed": billed.items,
}
WIRES = {case: (GOLDEN / case / "wire.dat").read_bytes() for case in READERS}
PIECES = [b"|", b"\n", b"\r", b"\xff", b"\x00", b"9", b"E", b",", b" ", b"", b"HDR|", b"TRL|", b"REG|", b"2026-13-45"]


@settings(max_examples=200, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(
    st.sampled_from(sorted(READERS)),
    st.lists(
        st.tuples(st.floats(0, 1), st.sampled_from([0, 1, 2, 30]), st.sampled_from(PIECES)), min_size=1, max_size=3
    ),
)
def test_a_damaged_file_is_never_an_accident(case: str, damage: list[tuple[float, int, bytes]]) -> None:
    wire = bytearray(WIRES[case])
    for place, length, piece in damage:
        at = int(place * (len(wire) - 1))
        wire[at : at + length] = piece

    found: list[Any] = []
    refused: list[str] = []
    try:
        found.extend(READERS[case](io.BytesIO(bytes(wire))))
    except RejectedError as error:
        refused.append(error.code.number)

    assert [number[0] for number in refused] in ([], ["7"])
    assert [each.line for each in found] == sorted(each.line for each in found)
