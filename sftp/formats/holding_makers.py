"""What one item of a file of holdings says: a maker for each record type, prepared once for a whole file."""

from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import Any

from canonical.holdings import FIELDS, Holding, Kind, Withdrawn, registers_text, text_of
from canonical.ids import meter_mrid
from canonical.messages import Item, Rejection
from canonical.metering import Register
from canonical.names import normal_serial
from canonical.serials import SerialPolicy
from sftp.formats.item_file import names_of, reject
from sftp.layout import Layout
from sftp.layout_read import Group
from sftp.layout_values import is_zone

Make = Callable[[Group], Item[Holding | Withdrawn] | Rejection]

KINDS: Mapping[str, Kind] = {
    "CUS": "customer",
    "ACC": "account",
    "LOC": "location",
    "UPT": "usage_point",
    "MTR": "meter",
    "INS": "installation",
    "AGR": "agreement",
    "TOP": "topology",
    "CYC": "bill_cycle_day",
}
"""Kind of holding that a record says."""

RANKS: Mapping[str, int] = {tag: list(FIELDS).index(kind) for tag, kind in KINDS.items()}
"""Place of a record in a FULL file: what others depend on comes first (domain 2.7)."""

_BOOLS = {True: "true", False: "false", None: ""}
_UNSTATED = ("", None)


def makers(layout: Layout, serials: SerialPolicy) -> Mapping[str, Make]:
    """Return, for each record type that starts an item of the layout, what turns its group into an item."""
    own: Mapping[str, Make] = {
        "MTR": partial(_meter, serials),
        "INS": partial(_installation, serials),
        "CYC": _cycle_day,
        "DEL": partial(_withdrawn, serials),
    }
    items = [record for record in layout.of_scope("item") if not record.parent]
    return {record.tag: own.get(record.tag) or _maker(record.tag, layout) for record in items}


def _maker(tag: str, layout: Layout) -> Make:
    """Return what makes a holding of a record: its id first, then its facts, and its two ends last."""
    kind, names = KINDS[tag], names_of(layout)[tag][1:-2]
    fields = layout.record(tag).fields
    bools = [index for index, field in enumerate(fields) if field.kind == "bool"]
    zone = names.index("zone") + 1 if "zone" in names else 0

    def make(group: Group) -> Item[Holding | Withdrawn] | Rejection:
        values = group.rows[0][2]
        object_id, start, end = values[0], values[-2], values[-1]
        if end is not None and end < start:
            return _ends_before(group, start, end)
        if zone and values[zone] and not is_zone(values[zone]):
            return reject(group, f"zone: {values[zone]!r} is no IANA zone")
        for index in bools:
            values[index] = _BOOLS[values[index]]
        facts = {name: text for name, text in zip(names, values[1:-2], strict=True) if text}
        return Item(group.line, f"{tag} {object_id}", Holding(kind, object_id, start, end, facts), group.raw)

    return make


def _meter(serials: SerialPolicy, group: Group) -> Item[Holding | Withdrawn] | Rejection:
    """Return the meter of an MTR record with the registers of the REG records below it."""
    manufacturer, serial, commodity, multiplier, model, firmware, status, start, end = group.rows[0][2]
    mangled = serials.rejection(manufacturer, serial, line=group.line, key=group.key, raw=group.raw)
    if mangled is not None:
        return mangled
    if end is not None and end < start:
        return _ends_before(group, start, end)
    if multiplier is not None and multiplier <= 0:
        return reject(group, f"multiplier {multiplier} is not positive")
    stray = _stray_register(group, manufacturer, serial)
    if stray is not None:
        return stray
    facts = {
        "manufacturer": manufacturer,
        "serial": serial,
        "commodity": commodity,
        "multiplier": _number(multiplier),
        "registers": _registers(tuple([tuple(row[2][2:]) for row in group.rows[1:]])),
        "model": model,
        "firmware": firmware,
        "status": status,
    }
    stated = {name: text for name, text in facts.items() if text}
    holding = Holding("meter", meter_mrid(manufacturer, serial), start, end, stated)
    return Item(group.line, f"MTR {manufacturer}/{serial}", holding, group.raw)


def _stray_register(group: Group, manufacturer: str, serial: str) -> Rejection | None:
    """Return the rejection of a meter below which another one's register stands."""
    for _, line, values in group.rows[1:]:
        if values[1] == serial and values[0] == manufacturer:
            continue
        if (values[0], normal_serial(values[1])) != (manufacturer, normal_serial(serial)):
            named = f"{values[0]} {values[1]}"
            return reject(group, f"line {line}: a register of {named} below meter {manufacturer} {serial}")
    return None


@lru_cache(maxsize=2_000)
def _number(multiplier: Any) -> str:
    """Return the text of a number, empty for none; few are different."""
    return text_of(multiplier)


@lru_cache(maxsize=2_000)
def _registers(rows: tuple[tuple[Any, ...], ...]) -> str:
    """Return the text of registers, empty where none is stated; meters of one model have the same ones."""
    return registers_text(Register(*row) for row in rows) if rows else ""


def _installation(serials: SerialPolicy, group: Group) -> Item[Holding | Withdrawn] | Rejection:
    """Return the meter at a usage point of an INS record."""
    point, manufacturer, serial, start, end = group.rows[0][2]
    mangled = serials.rejection(manufacturer, serial, line=group.line, key=group.key, raw=group.raw)
    if mangled is not None:
        return mangled
    if end is not None and end < start:
        return _ends_before(group, start, end)
    holding = installation(point, manufacturer, serial, start, end)
    return Item(group.line, f"INS {point}/{manufacturer}/{serial}", holding, group.raw)


def installation(point: str, manufacturer: str, serial: str, start: Any, end: Any) -> Holding:
    """Return the holding of a meter at a usage point, the meter's names normalized as its mRID is."""
    meter = meter_mrid(manufacturer, serial)
    facts = {
        "usage_point": point,
        "meter": meter,
        "manufacturer": manufacturer.strip().upper(),
        "serial": normal_serial(serial),
    }
    return Holding("installation", f"{point}/{meter}", start, end, facts)


def _cycle_day(group: Group) -> Item[Holding | Withdrawn] | Rejection:
    """Return the date of a bill cycle of a CYC record."""
    cycle, business_date, start, end = group.rows[0][2]
    if end <= start:
        return reject(group, f"the period ends at {end.isoformat()}, not after its start {start.isoformat()}")
    object_id = f"{cycle}/{business_date.isoformat()}"
    facts = {"period_start": text_of(start), "period_end": text_of(end)}
    return Item(group.line, f"CYC {object_id}", Holding("bill_cycle_day", object_id, start, end, facts), group.raw)


def _withdrawn(serials: SerialPolicy, group: Group) -> Item[Holding | Withdrawn] | Rejection:
    """Return what a DEL record takes back; a meter is named by manufacturer and serial, or by its mRID alone."""
    tag, named, at = group.rows[0][2]
    kind, object_id = KINDS[tag], named
    if tag in ("MTR", "INS"):
        point, _, rest = named.partition("/") if tag == "INS" else ("", "", named)
        if tag == "INS" and not (point and rest):
            return reject(group, f"object_id: {named!r} is no usage point and meter")
        manufacturer, slash, serial = rest.partition("/")
        mangled = serials.rejection(manufacturer, serial, line=group.line, key=named, raw=group.raw)
        if mangled is not None:
            return mangled
        meter = meter_mrid(manufacturer, serial) if slash else rest
        object_id = f"{point}/{meter}" if tag == "INS" else meter
    return Item(group.line, f"DEL {tag} {named}", Withdrawn(kind, object_id, at), group.raw)


def _ends_before(group: Group, start: Any, end: Any) -> Rejection:
    """Return the rejection of a line that ends before it begins."""
    return reject(group, f"it ends at {end.isoformat()}, before it begins at {start.isoformat()}")
