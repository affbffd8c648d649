"""An MDMS over IEC 61968-9: takes meters, usage points, agreements and links in their order; answers readings.

    CIM_PASSWORD=... CIM_HUB_PASSWORD=... python -m simulators.cim_mdms --name MDMS-A --port N --books DIR
        --cert MDMS.pem --hub https://127.0.0.1:N/cim --ca CA.pem

A link of a meter that it does not have is refused by 2.4, of a usage point by 2.12; a link that stands already by
SIM7007, the end of one that does not by SIM7008, a meter that hangs elsewhere by 2.13. `POST /control/readings` seeds
what GetMeterReadings is answered from: [{"usage_point", "manufacturer", "serial", "reading_type", "at", "value"}].
"""

from datetime import UTC, datetime

from lxml import etree

from simulators.cim_nouns import meter_reading
from simulators.cim_system import System, Taken
from simulators.cim_taking import fault_of, instant_of, take_exchanges, take_links, take_objects, take_readings
from simulators.cim_web import run
from simulators.cim_wire import HOST, Fault, Heard, children, identity_of, text_of

_CLASSES = ("CustomerAgreement", "UsagePoint", "Meter", "Customer", "CustomerAccount", "ServiceLocation")
_ENDS = ("close", "closed", "delete", "deleted")


def take(system: System, one: Heard) -> Taken:
    """Take a message into the books of the MDMS, or say what is wrong with it."""
    if one.verb == "get":
        return answer_readings(system, one) if one.noun == "MeterReadings" else answer_held(system, one)
    if one.noun == "MasterDataLinkageConfig":
        faults = link_faults(system, one)
        if not faults:
            take_links(system, one)
        return Taken(tuple(faults), some=False)
    if one.noun == "MeterReadings":
        take_readings(system, one)
    elif one.noun == "MeterServiceRequests":
        take_exchanges(system, one)
    else:
        return take_known(system, one)
    return Taken()


def take_known(system: System, one: Heard) -> Taken:
    """Take objects; the change or end of an unknown one is refused, and an agreement at an unknown usage point."""
    faults, count = [], 0
    for element in list(one.payload) if one.payload is not None else []:
        kind, identity = etree.QName(element).localname, identity_of(element)
        if kind not in _CLASSES:
            continue
        count += 1
        code = {"Meter": "2.4", "UsagePoint": "2.12", "CustomerAgreement": "2.24"}.get(kind, "5.3")
        if one.verb in ("change", "changed", *_ENDS) and not system.books.has(kind, identity):
            faults.append(fault_of(kind, identity, code, f"unknown {kind}"))
            one.payload.remove(element) if one.payload is not None else None
            continue
        points = [identity_of(each) for each in children(element, "UsagePoints")]
        unknown = [point for point in points if not system.books.has("UsagePoint", point)]
        if kind == "CustomerAgreement" and unknown:
            faults.append(fault_of(kind, identity, "2.26", f"unknown usage point {unknown[0]}"))
            one.payload.remove(element) if one.payload is not None else None
    take_objects(system, one, *_CLASSES)
    return Taken(tuple(faults), some=len(faults) < count)


def link_faults(system: System, one: Heard) -> list[Fault]:
    """Return why a link cannot be taken: what it links must stand, and nothing else may be in its place."""
    if one.payload is None or not instant_of(one.payload, "ConfigurationEvent"):
        return [Fault("5.8", "effectiveDateTime is missing")]
    faults = []
    points = [identity_of(each) for each in children(one.payload, "UsagePoint")]
    for point in points:
        if not system.books.has("UsagePoint", point):
            faults.append(fault_of("UsagePoint", point, "2.12", "unknown usage point"))
    for kind, code in (("Meter", "2.4"), ("CustomerAgreement", "2.24")):
        for n, element in enumerate(children(one.payload, kind)):
            identity = identity_of(element)
            if not system.books.has(kind, identity):
                faults.append(fault_of(kind, identity, code, f"unknown {kind}"))
            elif kind == "Meter" and points:
                faults += _standing(system, one, system.books.id_of(kind, identity), points[n % len(points)])
    return faults


def _standing(system: System, one: Heard, meter: str, point: str) -> list[Fault]:
    """Return what is wrong with a link of a known meter, by the links that stand."""
    stands = system.books.open_links("Meter", identity=meter, usage_point=point)
    same = any(link["id"] == meter and link["usage_point"] == point for link in stands)
    if one.verb in _ENDS:
        return [] if same else [fault_of("Meter", meter, "SIM7008", "meter and usage point are not linked")]
    if same:
        return [fault_of("Meter", meter, "SIM7007", "the same usage point is linked already")]
    return [fault_of("Meter", meter, "2.13", "linked to another")] if stands else []


def answer_readings(system: System, one: Heard) -> Taken:
    """Answer GetMeterReadings from what was seeded or told: every value inside the span, or at its ends."""
    if one.payload is None:
        return Taken((Fault("1.6", "no GetMeterReadings"),), some=False)
    span = next((p for p in one.payload.iter("{*}timePeriod")), None)
    start, end = _moment(text_of(span, "start")), _moment(text_of(span, "end"))
    faults, parts = [], []
    for asked in children(one.payload, "UsagePoint"):
        point = identity_of(asked)
        found = [
            row
            for row in system.books.rows_of("reading", "usage_point", value=point)
            if start <= _moment(row["at"]) <= end
        ]
        if not found:
            code = "5.7" if system.books.has("UsagePoint", point) else "2.12"
            faults.append(fault_of("UsagePoint", point, code, "nothing to tell"))
        for meter in dict.fromkeys(row["meter"] for row in found):
            maker, _, serial = str(meter).rpartition(" ")
            values = [row for row in found if row["meter"] == meter]
            parts.append(
                meter_reading({"manufacturer": maker, "serial": serial, "usage_point": point, "readings": values})
            )
    data = f'<MeterReadings xmlns="{HOST}/MeterReadings#">{"".join(parts)}</MeterReadings>' if parts else ""
    return Taken(tuple(faults), data, some=bool(parts))


def answer_held(system: System, one: Heard) -> Taken:
    """Answer GetMeterConfig or GetUsagePointConfig from the objects that stand."""
    kind = one.noun.removesuffix("Config")
    asked = [identity_of(each) for each in children(one.payload, kind)] if one.payload is not None else []
    code = "2.4" if kind == "Meter" else "2.12"
    faults = [fault_of(kind, each, code, f"unknown {kind}") for each in asked if not system.books.has(kind, each)]
    wanted = {system.books.id_of(kind, each) for each in asked if system.books.has(kind, each)}
    rows = [row for name in sorted(wanted) for row in system.books.rows_of("object", "id", value=name)]
    rows = [row for row in rows if row["class"] == kind]
    inside = "".join(row["xml"] for row in rows)
    data = f'<{one.noun} xmlns="{HOST}/{one.noun}#">{inside}</{one.noun}>' if rows else ""
    return Taken(tuple(faults), data, some=bool(rows))


def _moment(text: str) -> datetime:
    """Return an instant of the wire; one that is not stated lies before all others."""
    return datetime.fromisoformat(text).astimezone(UTC) if text else datetime.min.replace(tzinfo=UTC)


if __name__ == "__main__":
    run(take, __doc__ or "")
