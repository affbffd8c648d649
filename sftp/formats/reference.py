"""Reference data, layout `reference/1`: usage points, agreements, cycles, calendars and meters, as masters say."""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any, BinaryIO

from canonical.customers import BillCycleDay, CustomerAgreement, TouCalendar
from canonical.ids import meter_mrid
from canonical.messages import FileFacts, FileIdentity, Item, Rejection
from canonical.metering import Installation, Register, UsagePoint
from canonical.names import normal_serial
from canonical.periods import Period
from canonical.serials import SerialPolicy
from sftp.formats import file_names
from sftp.formats.item_file import (
    Make,
    examine_items,
    names_of,
    open_reading,
    period_of,
    read_items,
    reject,
    write_items,
)
from sftp.formats.reference_calendars import Calendars, calendar_records, calendars_in
from sftp.layout import Form, Layout, standard_layout
from sftp.layout_read import Group
from sftp.layout_tally import Tally
from sftp.layout_values import is_zone
from sftp.layout_write import Record

Reference = UsagePoint | CustomerAgreement | BillCycleDay | TouCalendar | Installation

KEYS = {
    "UPT": ("=UPT", "usage_point", "valid_from"),
    "AGR": ("=AGR", "agreement", "usage_point", "valid_from"),
    "CYC": ("=CYC", "cycle", "business_date"),
    "MTR": ("=MTR", "manufacturer", "serial", "installed_at"),
}

_ANY_SERIAL = SerialPolicy()


def layout() -> Layout:
    """Return the layout `reference/1`."""
    return standard_layout("reference")


def items(
    stream: BinaryIO, *, where: str = "", serials: SerialPolicy = _ANY_SERIAL
) -> Iterator[Item[Reference] | Rejection]:
    """Yield every row's thing of a seekable stream, or its rejection, in order of lines.

    A calendar is one item on the line of its first row; a meter is one item together with its registers.

    Raises:
        RejectedError: the file must be refused whole.
    """
    return read_items(layout(), stream, keys=KEYS, make=_maker(stream, serials, where), where=where)


def examine(stream: BinaryIO, *, where: str = "", serials: SerialPolicy = _ANY_SERIAL) -> FileFacts:
    """Return header, counts, good and bad rows of a seekable stream; every row of a calendar counts.

    Raises:
        RejectedError: the file must be refused whole.
    """
    return examine_items(layout(), stream, keys=KEYS, make=_maker(stream, serials, where), where=where)


def _maker(stream: BinaryIO, serials: SerialPolicy, where: str) -> Make:
    """Return the maker of items for one stream, whose calendars are gathered first."""
    calendars = calendars_in(stream, open_reading(layout(), stream, where).compiled)
    return partial(_item, calendars, serials)


def _item(
    calendars: Calendars, serials: SerialPolicy, group: Group, row: Mapping[str, Any]
) -> Item[Reference] | Rejection | None:
    """Return the thing that a group of records describes."""
    if group.tag in ("TOU", "SEA", "HOL"):
        calendar: Item[Any] | Rejection | None = calendars.item(group, row)
        return calendar
    make = {"UPT": _usage_point, "AGR": _agreement, "CYC": _cycle_day}.get(group.tag)
    thing = _installation(group, row, serials) if make is None else make(group, row)
    return thing if isinstance(thing, Rejection) else Item(group.line, f"{group.tag} {group.key}", thing, group.raw)


def _usage_point(group: Group, row: Mapping[str, Any]) -> UsagePoint | Rejection:
    """Return the usage point of a UPT record."""
    if not is_zone(row["zone"]):
        return reject(group, f"zone: {row['zone']!r} is no IANA zone")
    return _ends_before(group, row) or UsagePoint(**row)


def _agreement(group: Group, row: Mapping[str, Any]) -> CustomerAgreement | Rejection:
    """Return the agreement of an AGR record."""
    return _ends_before(group, row) or CustomerAgreement(**row)


def _ends_before(
    group: Group, row: Mapping[str, Any], start: str = "valid_from", end: str = "valid_to"
) -> Rejection | None:
    """Return the rejection of a row that ends before it starts."""
    if row[end] is not None and row[end] < row[start]:
        return reject(group, f"{end} {row[end].isoformat()} lies before {start} {row[start].isoformat()}")
    return None


def _cycle_day(group: Group, row: Mapping[str, Any]) -> BillCycleDay | Rejection:
    """Return the calendar day of a CYC record."""
    period = period_of(group, row["period_start"], row["period_end"])
    return period if isinstance(period, Rejection) else BillCycleDay(row["cycle"], row["business_date"], period)


def _installation(group: Group, row: Mapping[str, Any], serials: SerialPolicy) -> Installation | Rejection:
    """Return the meter of an MTR record with the registers of the REG records below it."""
    manufacturer, serial = row["manufacturer"], row["serial"]
    mangled = serials.rejection(manufacturer, serial, line=group.line, key=group.key, raw=group.raw)
    if mangled is not None or (mangled := _ends_before(group, row, "installed_at", "removed_at")) is not None:
        return mangled
    if row["multiplier"] <= 0:
        return reject(group, f"multiplier {row['multiplier']} is not positive")
    names = names_of(layout())["REG"]
    registers = []
    for _, line, values in group.rows[1:]:
        below = dict(zip(names, values, strict=True))
        named = below.pop("manufacturer"), normal_serial(below.pop("serial"))
        if named != (manufacturer, normal_serial(serial)):
            return reject(group, f"line {line}: a register of {' '.join(named)} below meter {manufacturer} {serial}")
        below["is_demand"] = below.pop("demand")
        registers.append(Register(**below))
    return Installation(**row, meter=meter_mrid(manufacturer, serial), registers=tuple(registers))


def write(
    header: Mapping[str, Any],
    things: Iterable[Reference],
    *,
    form: Form | None = None,
    tally: Tally | None = None,
) -> Iterator[bytes]:
    """Yield a reference file in chunks; `header` gives the HDR fields by name.

    A usage point's instants are written in its own zone, all others in the file's.

    Raises:
        RejectedError: a value cannot be said in the layout; what was yielded must be thrown away.
    """
    records = (record for thing in things for record in _records(thing))
    return write_items(layout(), header, records, form=form, tally=tally)


def _records(thing: Reference) -> Iterator[Record]:
    """Yield the records of one thing."""
    if isinstance(thing, UsagePoint):
        yield "UPT", _values(thing, "UPT"), thing.zone
    elif isinstance(thing, CustomerAgreement):
        yield "AGR", _values(thing, "AGR"), ""
    elif isinstance(thing, BillCycleDay):
        yield "CYC", (thing.cycle, thing.business_date, *_ends(thing.period)), ""
    elif isinstance(thing, TouCalendar):
        yield from calendar_records(thing)
    else:
        yield "MTR", _values(thing, "MTR"), ""
        for register in thing.registers:
            values = (thing.manufacturer, thing.serial, *_values(register, "REG"))
            yield "REG", values, ""


def _values(thing: object, tag: str) -> tuple[Any, ...]:
    """Return a thing's attributes in the order of its record's fields; `demand` stands for `is_demand`."""
    names = names_of(layout())[tag]
    if tag == "REG":
        names = names[2:]
    return tuple(getattr(thing, "is_demand" if name == "demand" else name) for name in names)


def _ends(period: Period) -> tuple[Any, Any]:
    """Return start and end of a period."""
    return period.start, period.end


def identify(name: str) -> FileIdentity:
    """Return what the name of a reference file says (`RF_...`, docs/adapters/cis_flatfile.md).

    Raises:
        RejectedError: the name is not one of a reference file.
    """
    return file_names.identify(
        name, {"reference": file_names.PATTERNS["reference"], "drop": file_names.PATTERNS["drop"]}
    )
