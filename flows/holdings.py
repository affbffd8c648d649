"""What the hub itself holds of master data, as holdings: the same words that any other system's file gives.

What nobody stated and has no default is absent, so is an empty text; no version outlasts the beginning of the next.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

from canonical.holdings import FIELDS, Holding, Kind, text_of
from canonical.names import normal_serial
from store import reference, reference_holdings, reference_masters
from store.reference_holdings import Page
from store.session import Session

Row = Sequence[Any]
"""Id of the object, where its version begins and ends, then its columns."""

_TABLES: dict[Kind, tuple[Any, str]] = {
    "customer": (reference_masters.CUSTOMER, "customer"),
    "account": (reference_masters.CUSTOMER_ACCOUNT, "account"),
    "location": (reference_masters.SERVICE_LOCATION, "location"),
    "usage_point": (reference.USAGE_POINT, "usage_point"),
    "meter": (reference_masters.METER, "meter"),
    "agreement": (reference.AGREEMENT, "agreement"),
    "topology": (reference_masters.TOPOLOGY, "usage_point"),
}
"""Table and column of the id, of the kinds whose columns are named as their facts."""

_TEXTS = {True: "true", False: "false", "[]": "", None: ""}
"""Texts of what columns hold that is no text, or stands for nothing."""


def held_by_hub(
    session: Session,
    kind: Kind,
    *,
    at: datetime | None = None,
    objects: Collection[str] | None = None,
    partitions: Callable[[str], bool] | None = None,
) -> Iterator[Holding]:
    """Yield every version of every thing of a kind that the hub holds, object by object, in flat memory.

    `at` is known time: what the hub held then; None: what it holds now. `objects` are the ids that are wanted, all if
    None; `partitions` says of an id whether its partition is. Take them within the transaction of `session`.
    """
    wanted = None if objects is None else frozenset(objects)
    if kind == "installation":
        found = _installations(session, at, wanted)
    elif kind == "bill_cycle_day":
        found = _cycle_days(session, at, wanted)
    elif kind == "usage_point":
        found = _usage_points(session, at, wanted)
    else:
        found = _plain(session, kind, at, wanted)
    return found if partitions is None else (one for one in found if partitions(one.object_id))


def _plain(session: Session, kind: Kind, at: datetime | None, wanted: frozenset[str] | None) -> Iterator[Holding]:
    """Yield the holdings of a kind whose columns are named as its facts."""
    table, key = _TABLES[kind]
    columns = (key, "valid_from", "valid_to", *FIELDS[kind])
    for page in reference_holdings.pages(session, table, columns, begin="valid_from", at=at, ids=wanted):
        yield from _held(kind, FIELDS[kind], page)


def _held(kind: Kind, fields: Sequence[str], page: Sequence[Row]) -> Iterator[Holding]:
    """Yield the holdings of rows; the next version of a thing ends the one before."""
    for row, after in zip(page, [*page[1:], None], strict=True):
        object_id, begin, end, *values = row
        if after is not None and after[0] == object_id and (end is None or after[1] < end):
            end = after[1]
        facts = {name: text for name, value in zip(fields, values, strict=True) if (text := _TEXTS.get(value, value))}
        yield Holding(kind, object_id, begin, end, facts)


def _usage_points(session: Session, at: datetime | None, wanted: frozenset[str] | None) -> Iterator[Holding]:
    """Yield usage points, each version parted where the premise changes at which it lies."""
    fields = tuple(name for name in FIELDS["usage_point"] if name != "location")
    columns = ("usage_point", "valid_from", "valid_to", *fields)
    for page in reference_holdings.pages(
        session, reference.USAGE_POINT, columns, begin="valid_from", at=at, ids=wanted
    ):
        premises = _premises(session, at, page, whole=wanted is None)
        for holding in _held("usage_point", fields, page):
            stays = premises.get(holding.object_id)
            if stays is None:
                yield holding
            else:
                yield from _lying(holding, stays)


def _premises(session: Session, at: datetime | None, points: Page, *, whole: bool) -> dict[str, list[Holding]]:
    """Return where the usage points of a page lie, by mRID, in order; `whole`: none is left out between them."""
    some: dict[str, Any] = {"span": (points[0][0], points[-1][0])} if whole else {"ids": {row[0] for row in points}}
    table, columns = reference_masters.USAGE_POINT_LOCATION, ("usage_point", "valid_from", "valid_to", "location")
    found: dict[str, list[Holding]] = {}
    for page in reference_holdings.pages(session, table, columns, begin="valid_from", at=at, **some):
        for stay in _held("usage_point", ("location",), page):
            found.setdefault(stay.object_id, []).append(stay)
    return found


def _lying(holding: Holding, stays: Sequence[Holding]) -> Iterator[Holding]:
    """Yield a version of a usage point as its parts, each with the premise at which it lies then."""
    begin, end = holding.valid_from, holding.valid_to
    first = stays[0]
    if len(stays) == 1 and first.valid_from == begin and first.valid_to == end:
        yield Holding(holding.kind, holding.object_id, begin, end, {**holding.facts, **first.facts})
        return
    ends = {one for stay in stays for one in (stay.valid_from, stay.valid_to) if one is not None}
    cuts = [begin, *sorted(one for one in ends if begin < one and (end is None or one < end))]
    parts: list[Holding] = []
    for start in cuts:
        lies = next((stay for stay in reversed(stays) if _holds(stay, start)), None)
        facts = {**holding.facts, **(lies.facts if lies is not None else {})}
        if parts and parts[-1].facts == facts:
            continue
        if parts:
            parts[-1] = replace(parts[-1], valid_to=start)
        parts.append(Holding(holding.kind, holding.object_id, start, end, facts))
    yield from parts


def _holds(version: Holding, at: datetime) -> bool:
    """Whether a version holds at an instant."""
    return version.valid_from <= at and (version.valid_to is None or at < version.valid_to)


def _installations(session: Session, at: datetime | None, wanted: frozenset[str] | None) -> Iterator[Holding]:
    """Yield meters at usage points; what one meter measures at one usage point without a gap is one stay."""
    columns = ("meter", "installed_at", "removed_at", "usage_point", "manufacturer", "serial_normal", "split")
    meters = None if wanted is None else {one.partition("/")[2] for one in wanted}
    for page in reference_holdings.pages(
        session, reference.INSTALLATION, columns, begin="installed_at", at=at, ids=meters
    ):
        for _, rows in groupby(page, key=itemgetter(0)):
            for stay in _stays(sorted(rows, key=itemgetter(3))):
                if wanted is None or stay.object_id in wanted:
                    yield stay


def _stays(rows: Sequence[Row]) -> list[Holding]:
    """Return the stays of one meter from its rows, in order of usage point and then of time."""
    stays: list[Holding] = []
    for meter, begin, end, point, manufacturer, serial, is_split in rows:
        object_id = f"{point}/{meter}"
        last = stays[-1] if stays and stays[-1].object_id == object_id else None
        if last is not None and (is_split or last.valid_to is None or last.valid_to >= begin):
            stays[-1] = replace(last, valid_to=end)
            continue
        names = {"manufacturer": manufacturer.strip().upper(), "serial": normal_serial(serial)}
        facts = {"usage_point": point, "meter": meter, **{name: text for name, text in names.items() if text}}
        stays.append(Holding("installation", object_id, begin, end, facts))
    return stays


def _cycle_days(session: Session, at: datetime | None, wanted: frozenset[str] | None) -> Iterator[Holding]:
    """Yield the dates of bill cycles."""
    columns = ("cycle", "business_date", "period_start", "period_end")
    cycles = None if wanted is None else {one.rpartition("/")[0] for one in wanted}
    for page in reference_holdings.pages(
        session, reference.BILL_CYCLE_DAY, columns, begin="business_date", at=at, ids=cycles
    ):
        for cycle, day, start, end in page:
            object_id = f"{cycle}/{day}"
            if wanted is None or object_id in wanted:
                facts = {"period_start": text_of(start), "period_end": text_of(end)}
                yield Holding("bill_cycle_day", object_id, start, end, facts)
