"""How a CIM simulator takes what it hears into its books: objects, links, exchanges, readings."""

from datetime import datetime

from lxml import etree

from simulators.cim_system import System
from simulators.cim_wire import Fault, Heard, children, identity_of, local, names_of, text_of, utc_text

_ENDS = ("close", "closed", "delete", "deleted")


def instant_of(element: "etree._Element", name: str = "ConfigurationEvents") -> str:
    """Return the effective instant of an object in UTC, or an empty string; created counts for nothing here."""
    text = text_of(element, f"{name}/effectiveDateTime")
    return utc_text(datetime.fromisoformat(text)) if text else ""


def take_objects(system: System, one: Heard, *classes: str) -> None:
    """Take the objects of some classes: they stand, or are closed or deleted."""
    state = {"close": "closed", "closed": "closed", "delete": "deleted", "deleted": "deleted"}.get(one.verb, "open")
    rows = []
    for element in one.payload if one.payload is not None else ():
        if local(element) in classes:
            xml = etree.tostring(element, encoding="unicode", with_tail=False)
            identity = identity_of(element)
            rows.append((local(element), identity, text_of(element, "mRID"), state, instant_of(element), xml))
    system.books.write("object", rows)


def take_links(system: System, one: Heard) -> None:
    """Take a MasterDataLinkageConfig as it stands: pairs, or one usage point with all."""
    if one.payload is None:
        return
    at = instant_of(one.payload, "ConfigurationEvent")
    points = [identity_of(each) for each in children(one.payload, "UsagePoint")]
    for kind in ("Meter", "CustomerAgreement", "ServiceLocation"):
        for n, each in enumerate(children(one.payload, kind)):
            identity = system.books.id_of(kind, identity_of(each))
            point = points[n % len(points)] if points else ""
            if one.verb in _ENDS:
                system.books.end_link(kind, identity, point, at)
            else:
                system.books.write("link", [(kind, identity, point, at, None)])


def take_orders(system: System, one: Heard) -> list[Fault]:
    """Take orders of field work; what changes or withdraws one that is not known is refused."""
    faults, rows = [], []
    for work in children(one.payload, "MeterServiceWork") if one.payload is not None else ():
        meter = children(work, "Meter")[0]
        own = {kind: name for name, kind, _ in names_of(meter)}
        order = own.get("workOrder", "")
        known = [row["told"] for row in system.books.rows_of("work", "order_id", value=order)]
        if not order or (one.verb != "create" and not known):
            faults.append(fault_of("MeterServiceWork", order, "2.15", "unknown order"))
            continue
        old = next((identity_of(each) for each in children(work, "OldMeter")), "")
        point = next((p for b in children(meter, "MeterReadings") for p in children(b, "UsagePoint")), None)
        times = {text_of(each, "type"): text_of(each, "createdDateTime") for each in children(work, "ActivityRecords")}
        state = "CANCELLED" if one.verb == "cancel" else "OPEN"
        rows.append((
            order, state, text_of(point, "mRID"), text_of(point, "Names/name"),
            old, text_of(meter, "formNumber"), own.get("plannedDay", ""), times.get("windowStart", ""),
            times.get("windowEnd", ""), own.get("wave", ""), own.get("contractor", ""), int(own.get("attempt", "1")),
            sum(known) + 1, etree.tostring(work, encoding="unicode", with_tail=False),
        ))  # fmt: skip
    system.books.write("work", rows)
    return faults


def take_exchanges(system: System, one: Heard) -> None:
    """Take meter exchanges, with the last and first readings of the meters; one that never was is struck out."""
    rows = []
    for work in children(one.payload, "MeterServiceWork") if one.payload is not None else ():
        meters = {name: children(work, name)[0] for name in ("Meter", "OldMeter") if children(work, name)}
        block = next((b for each in meters.values() for b in children(each, "MeterReadings")), None)
        point = next((identity_of(p) for p in children(block, "UsagePoint")), "") if block is not None else ""
        times = {text_of(each, "type"): text_of(each, "createdDateTime") for each in children(work, "ActivityRecords")}
        came = text_of(work, "type") != "removed"
        removed = "OldMeter" if "OldMeter" in meters else "" if came else "Meter"
        rows.append((
            point, identity_of(meters[removed]) if removed else "", identity_of(meters["Meter"]) if came else "",
            times.get("installed" if came else "removed", ""),
            etree.tostring(work, encoding="unicode", with_tail=False),
        ))  # fmt: skip
        for each in meters.values():
            for inner in children(each, "MeterReadings"):
                take_values(system, inner, identity_of(each), point)
    if one.verb in ("delete", "deleted"):
        system.books.strike("exchange", ("usage_point", "removed", "installed", "at"), [row[:4] for row in rows])
    else:
        system.books.write("exchange", rows)


def take_readings(system: System, one: Heard) -> None:
    """Take readings of registers and of intervals."""
    for reading in children(one.payload, "MeterReading") if one.payload is not None else ():
        meter = next((identity_of(each) for each in children(reading, "Meter")), "")
        point = next((identity_of(each) for each in children(reading, "UsagePoint")), "")
        take_values(system, reading, meter, point)


def take_values(system: System, reading: "etree._Element", meter: str, usage_point: str) -> None:
    """Take the values of one MeterReading."""
    rows = []
    for value in children(reading, "Readings"):
        kind = next((str(each.get("ref")) for each in children(value, "ReadingType")), "")
        rows.append(_row(value, kind, meter, usage_point))
    for block in children(reading, "IntervalBlocks"):
        kind = next((str(each.get("ref")) for each in children(block, "ReadingType")), "")
        rows += [_row(value, kind, meter, usage_point) for value in children(block, "IntervalReadings")]
    system.books.write("reading", rows)


def _row(value: "etree._Element", kind: str, meter: str, usage_point: str) -> tuple[str, ...]:
    qualities = [
        str(each.get("ref")) for q in children(value, "ReadingQualities") for each in children(q, "ReadingQualityType")
    ]
    at = text_of(value, "timeStamp") or text_of(value, "timePeriod/end")
    return (usage_point, meter, kind, at, text_of(value, "value"), " ".join(qualities), text_of(value, "reason"))


def fault_of(kind: str, identity: str, code: str, reason: str) -> Fault:
    """Return an Error about one object."""
    return Fault(code, reason, identity, kind)
