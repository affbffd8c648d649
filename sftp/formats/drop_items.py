"""Records of a billing drop as canonical objects: header, determinants, closing account."""

from collections.abc import Callable, Sequence
from dataclasses import fields
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
from sftp.layout_read import Group, Reading

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


@cache
def _names() -> tuple[str, ...]:
    return standard_layout("billing_drop").record("SVC").names


def determinant_from(group: Group, zones: Zones, reading: Reading) -> BillDeterminant | Rejection:
    """Return the determinant of an SVC record and what hangs below it, or why it is none."""
    named = dict(zip(_names(), group.values, strict=True))
    start, end = named.pop("period_start"), named.pop("period_end")
    opens, closes = named.pop("read_window_start"), named.pop("read_window_end")
    if end < start or (opens is None) != (closes is None) or (opens is not None and closes < opens):
        return Rejection(group.line, str(codes.BAD_FIELD), "a period ends before it starts", group.key, group.raw)
    del named["reading_order_id"], named["estimated"]
    named["status"] = Status(named["status"])
    texts = reading.compiled.records["SVC"].texts(group.raw)
    at = _names().index("period_start")
    below: dict[str, list[Any]] = {"MTR": [], "REG": [], "DET": [], "DEM": [], "EXC": []}
    make = makers()
    for tag, _, values in group.rows[1:]:
        below[tag].append(make[tag](values))
    return BillDeterminant(
        **named,
        period=Period(start, end),
        read_window=None if opens is None else Period(opens, closes),
        zone=zones.of((texts[at], texts[at + 1])),
        meters=tuple(below["MTR"]),
        registers=tuple(below["REG"]),
        quantities=tuple(below["DET"]),
        demands=tuple(below["DEM"]),
        remarks=tuple(below["EXC"]),
    )
