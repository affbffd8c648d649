"""A billing determinant as the records of any upload layout: every field takes the canonical attribute it names.

Attributes stand behind the scope that holds them: `determinant.request_id`, `meter.serial`, `register.stop_read`,
`demand.at`; a record below may take those of its determinant and of its meter.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from operator import attrgetter
from typing import Any

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
from sftp.layout import Layout, Record
from sftp.layout_write import Record as Written

Getter = Callable[[Any], Sequence[Any]]

_ESTIMATED = (Status.ESTIMATED, Status.MIXED)


class _Nothing:
    """Stands where a determinant has no meter or window: each of its attributes is None."""

    def __getattr__(self, name: str) -> None:
        """Return None for whatever is asked."""


_NOTHING = _Nothing()


class View:
    """What the fields of one record may take: the thing itself and what it belongs to."""

    __slots__ = (
        "closing", "demand", "determinant", "header", "is_estimated", "meter", "nothing", "quantity", "register",
        "remark", "trailer", "window",
    )  # fmt: skip

    def __init__(self) -> None:
        self.nothing = None
        self.trailer: object = _NOTHING
        self.header: object = _NOTHING
        self.determinant: object = _NOTHING
        self.meter: object = _NOTHING
        self.window: object = _NOTHING
        self.register: RegisterUse
        self.quantity: Quantity
        self.demand: Demand
        self.remark: Remark
        self.is_estimated = False


def is_estimated(determinant: BillDeterminant) -> bool:
    """Whether any energy of a determinant rests on an estimate (the SVC's flag)."""
    return determinant.status in _ESTIMATED or any(q.estimated_part for q in determinant.quantities)


def getter(record: Record) -> Getter:
    """Return the function from a View to the values of a record's fields."""
    names = [f.takes if not f.constant else "nothing" for f in record.fields]
    if len(names) == 1:
        single = attrgetter(names[0])
        return lambda view: (single(view),)
    return attrgetter(*names)


@cache
def _getters(key: int) -> dict[str, tuple[tuple[str, Getter], ...]]:
    layout = _KNOWN[key]
    scopes = ("header", "determinant", "meter", "register", "quantity", "demand", "remark")
    return {s: tuple((r.tag, getter(r)) for r in layout.records if r.scope == s) for s in scopes}


_KNOWN: dict[int, Layout] = {}


def getters(layout: Layout) -> dict[str, tuple[tuple[str, Getter], ...]]:
    """Return tag and getter of a layout's records by scope."""
    _KNOWN[id(layout)] = layout
    return _getters(id(layout))


def header_values(layout: Layout, header: PartHeader) -> Sequence[Any]:
    """Return the values of a layout's header record."""
    view = View()
    view.header = header
    return getters(layout)["header"][0][1](view)


def records(layout: Layout, determinant: BillDeterminant) -> Iterator[Written]:
    """Yield the records of one determinant, children in the layout's order."""
    by_scope = getters(layout)
    zone = determinant.zone
    view = View()
    view.determinant = determinant
    view.window = determinant.read_window or _NOTHING
    view.is_estimated = is_estimated(determinant)
    meters = {m.meter: m for m in determinant.meters}
    last = determinant.meters[-1] if determinant.meters else None
    for tag, get in by_scope["determinant"]:
        yield tag, get(view), zone
    for tag, get in by_scope["meter"]:
        for meter in determinant.meters:
            view.meter = meter
            yield tag, get(view), zone
    for tag, get in by_scope["register"]:
        for view.register in determinant.registers:
            view.meter = meters.get(view.register.meter, _NOTHING)
            yield tag, get(view), zone
    yield from _below(view, determinant, by_scope, last)


def _below(
    view: View,
    determinant: BillDeterminant,
    by_scope: dict[str, tuple[tuple[str, Getter], ...]],
    meter: MeterInPeriod | None,
) -> Iterator[Written]:
    """Yield quantities, demands and remarks; their meter is the one that hung at the period's end."""
    zone = determinant.zone
    view.meter = meter or _NOTHING
    for tag, get in by_scope["quantity"]:
        for view.quantity in determinant.quantities:
            yield tag, get(view), zone
    for tag, get in by_scope["demand"]:
        for view.demand in determinant.demands:
            yield tag, get(view), zone
    for tag, get in by_scope["remark"]:
        for view.remark in determinant.remarks:
            yield tag, get(view), zone


def closing_records(layout: Layout, closing: ClosingAccount | None) -> Iterator[Written]:
    """Yield the closing account of a run: kind, code, count."""
    if closing is None:
        return
    for record in layout.of_scope("closing"):
        yield record.tag, ("REQUESTED", "", closing.requested), ""
        yield record.tag, ("DELIVERED", "", closing.delivered), ""
        yield record.tag, ("REJECTED", "", closing.rejected), ""
        yield record.tag, ("CANCELLED", "", closing.cancelled), ""
        for reason, count in closing.unanswered:
            kind, _, code = reason.partition(" ")
            yield record.tag, (kind, code, count), ""


def total_quantity(determinant: BillDeterminant) -> Quantity | None:
    """Return the total of the delivered flow (KWH_TOTAL, M3_TOTAL), or None."""
    for quantity in determinant.quantities:
        if quantity.code.endswith("_TOTAL") and quantity.flow == "DELIVERED":
            return quantity
    return None
