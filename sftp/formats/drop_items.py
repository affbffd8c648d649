"""Records of a billing drop as canonical objects: header, determinants, closing account."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import cache
from operator import itemgetter
from typing import Any, TypeVar

from canonical.billing import (
    BillDeterminant,
    ClosingAccount,
    Demand,
    MeterInPeriod,
    PartHeader,
    Quantity,
    RegisterUse,
    Remark,
    Status,
)
from canonical.codes import file as codes
from canonical.messages import Rejection
from canonical.periods import Period
from sftp.formats.drop_zone import Zones
from sftp.layout import standard_layout
from sftp.layout_read import Group, Reading, Row

Made = TypeVar("Made")

_BELOW: dict[str, type] = {
    "MTR": MeterInPeriod, "REG": RegisterUse, "DET": Quantity, "DEM": Demand, "EXC": Remark
}  # fmt: skip


@cache
def makers() -> dict[str, Callable[[Sequence[Any]], Any]]:
    """Return tag to the function that makes the canonical object of a record's values."""
    return {tag: _maker(tag, cls) for tag, cls in _BELOW.items()}


def _maker(tag: str, cls: Callable[..., Made]) -> Callable[[Sequence[Any]], Made]:
    """Return the function that makes a `cls` of the values of a `tag` record, each where the layout says."""
    taken = [f.takes.partition(".")[2] for f in standard_layout("billing_drop").record(tag).fields]
    order = itemgetter(*(taken.index(f.name) for f in fields(cls)))  # type: ignore[arg-type]
    return lambda values: cls(*order(values))


def header_from(values: Sequence[Any]) -> PartHeader:
    """Return the header of the HDR record's values."""
    named = dict(zip(standard_layout("billing_drop").record("HDR").names, values, strict=True))
    del named["layout_id"], named["layout_version"]
    return PartHeader(**named)


def closing_from(rows: Sequence[Sequence[Any]]) -> ClosingAccount | None:
    """Return the closing account of CLS records, None where the file has none."""
    if not rows:
        return None
    plain = {kind: count for kind, code, count in rows if not code}
    coded = tuple((f"{kind} {code}", count) for kind, code, count in rows if code)
    return ClosingAccount(
        requested=plain.get("REQUESTED", 0),
        delivered=plain.get("DELIVERED", 0),
        unanswered=coded,
        rejected=plain.get("REJECTED", 0),
        cancelled=plain.get("CANCELLED", 0),
    )


_MADE = ("period", "read_window", "zone", "meters", "registers", "quantities", "demands", "remarks")
"""What a determinant has that no single field of its SVC record says."""

_STATUS = {str(status): status for status in Status}


@dataclass(frozen=True, slots=True)
class _Places:
    """Where the fields of an SVC record stand."""

    names: tuple[str, ...]
    order: Callable[[Sequence[Any]], tuple[Any, ...]]
    """Takes record values and `_MADE` into the order of BillDeterminant."""

    status: int
    start: int
    window: int


@cache
def _places() -> _Places:
    names = standard_layout("billing_drop").record("SVC").names
    order = itemgetter(*((names + _MADE).index(f.name) for f in fields(BillDeterminant)))
    return _Places(names, order, names.index("status"), names.index("period_start"), names.index("read_window_start"))


def determinant_from(group: Group, zones: Zones, reading: Reading) -> BillDeterminant | Rejection:
    """Return the determinant of an SVC record and what hangs below it, or why it is none."""
    at, values = _places(), group.values
    zone = zones.of(_period_texts(group, reading, at.start))
    made = determinant_of(values, group.rows[1:], zone)
    if made is None:
        return Rejection(group.line, str(codes.BAD_FIELD), "a period ends before it starts", group.key, group.raw)
    return made


def determinant_of(values: list[Any], below: Sequence[Row], zone: str) -> BillDeterminant | None:
    """Return the determinant of SVC values and the records below; None where a period ends before it starts."""
    at = _places()
    start, end = values[at.start], values[at.start + 1]
    opens, closes = values[at.window], values[at.window + 1]
    if end < start or (opens is None) != (closes is None) or (opens is not None and closes < opens):
        return None
    meters: list[Any] = []
    registers: list[Any] = []
    quantities: list[Any] = []
    demands: list[Any] = []
    remarks: list[Any] = []
    lists = {"MTR": meters, "REG": registers, "DET": quantities, "DEM": demands, "EXC": remarks}
    make = makers()
    for tag, _, row in below:
        lists[tag].append(make[tag](row))
    window = None if opens is None else Period(opens, closes)
    made = (Period(start, end), window, zone, *map(tuple, (meters, registers, quantities, demands, remarks)))
    values[at.status] = _STATUS[values[at.status]]
    return BillDeterminant(*at.order([*values, *made]))


def _period_texts(group: Group, reading: Reading, at: int) -> tuple[str, str]:
    """Return how a determinant's period is written: its offsets tell the zone."""
    record = reading.compiled.records["SVC"]
    texts = group.raw.split(record.separator, at + 3)[1:] if record.cut is None else record.texts(group.raw)
    return texts[at], texts[at + 1]
