"""Records of a file of holdings, one line or a few for each holding, in the order in which they are given."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from canonical.codes import file as codes
from canonical.errors import RejectedError
from canonical.holdings import Holding, Kind, Withdrawn, registers_of
from canonical.ids import meter_mrid
from sftp.formats.holding_makers import KINDS, RANKS
from sftp.layout import Layout
from sftp.layout_write import Record

TAGS: Mapping[Kind, str] = {kind: tag for tag, kind in KINDS.items()}
"""Record that says a kind of holding."""

_FLAGS = {"true": True, "false": False, "": None}


def records_of(layout: Layout, holdings: Iterable[Holding | Withdrawn], *, is_full: bool) -> Iterator[Record]:
    """Yield the records of holdings; of a FULL file, what others depend on comes first.

    Raises:
        RejectedError: a holding has no record in the layout, lacks what names it, or stands out of order.
    """
    writers = _writers(layout)
    highest = 0
    for held in holdings:
        if isinstance(held, Withdrawn):
            if is_full or "DEL" not in writers:
                raise _unwritable(held, "what is taken back is said in a file of changes only")
            yield "DEL", (TAGS[held.kind], held.object_id, held.at), ""
            continue
        tag = TAGS[held.kind]
        if tag not in writers:
            raise _unwritable(held, f"layout {layout.layout_id} has no record for it")
        if is_full and RANKS[tag] < highest:
            raise _unwritable(held, "a FULL file says first what others depend on")
        highest = RANKS[tag]
        try:
            yield from writers[tag](held)
        except (KeyError, ValueError, InvalidOperation) as error:
            raise _unwritable(held, f"no value of a fact: {error}") from error


def _writers(layout: Layout) -> dict[str, Callable[[Holding], Iterable[Record]]]:
    """Return, for each record type that starts an item, what turns a holding into records."""
    own: Mapping[str, Callable[[Holding], Iterable[Record]]] = {
        "MTR": _meter,
        "INS": _installation,
        "CYC": _cycle_day,
        "DEL": lambda _held: (),
    }
    items = [record for record in layout.of_scope("item") if not record.parent]
    return {record.tag: own.get(record.tag) or _writer(record.tag, layout) for record in items}


def _writer(tag: str, layout: Layout) -> Callable[[Holding], Iterable[Record]]:
    """Return what says a holding in one record: its id, its facts, its two ends."""
    fields = layout.record(tag).fields[1:-2]
    flags = {field.name for field in fields if field.kind == "bool"}

    def write(held: Holding) -> Iterable[Record]:
        facts = held.facts
        texts = [_FLAGS[facts.get(f.name, "")] if f.name in flags else facts.get(f.name, "") for f in fields]
        return ((tag, (held.object_id, *texts, held.valid_from, held.valid_to), ""),)

    return write


def _meter(held: Holding) -> Iterator[Record]:
    """Yield the record of a meter, and one for each of its registers below it."""
    facts = held.facts
    manufacturer, serial = facts["manufacturer"], facts["serial"]
    if held.object_id != meter_mrid(manufacturer, serial):
        raise _unwritable(held, "its manufacturer and serial name another meter")
    multiplier = facts.get("multiplier", "")
    texts = (facts.get(name, "") for name in ("model", "firmware", "status"))
    values = (
        *(manufacturer, serial, facts.get("commodity", ""), Decimal(multiplier) if multiplier else None),
        *(*texts, held.valid_from, held.valid_to),
    )
    yield "MTR", values, ""
    for register in _registers(facts.get("registers", "")):
        yield "REG", (manufacturer, serial, *register), ""


@lru_cache(maxsize=2_000)
def _registers(text: str) -> tuple[tuple[Any, ...], ...]:
    """Return the values of the registers of a text, in the order of their record's fields."""
    return tuple(
        (r.register, r.reading_type, r.unit, r.flow, r.dials, r.decimals, r.tou_bucket, r.interval_minutes or None,
         r.is_demand)
        for r in registers_of(text)
    )  # fmt: skip


def _installation(held: Holding) -> Iterable[Record]:
    """Return the record of a meter at a usage point; it names the meter as the other systems know it."""
    facts = held.facts
    point, manufacturer, serial = facts["usage_point"], facts["manufacturer"], facts["serial"]
    if held.object_id != f"{point}/{meter_mrid(manufacturer, serial)}":
        raise _unwritable(held, "its usage point, manufacturer and serial name another installation")
    return (("INS", (point, manufacturer, serial, held.valid_from, held.valid_to), ""),)


def _cycle_day(held: Holding) -> Iterable[Record]:
    """Return the record of a date of a bill cycle."""
    cycle, _, day = held.object_id.rpartition("/")
    start, end = (datetime.fromisoformat(held.facts[name]) for name in ("period_start", "period_end"))
    return (("CYC", (cycle, date.fromisoformat(day), start, end), ""),)


def _unwritable(held: Holding | Withdrawn, reason: str) -> RejectedError:
    """Return the error of a holding that cannot be said."""
    return RejectedError(reason, code=codes.UNWRITABLE_VALUE, where=f"{held.kind} {held.object_id}")
