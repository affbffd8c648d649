"""A head-end: takes meters, commissions those that it has keys for, and tells who registers and what they read.

    CIM_PASSWORD=... CIM_HUB_PASSWORD=... python -m simulators.rollout_hes --name HES --port N --books DIR
        --cert HES.pem --hub https://127.0.0.1:N/cim --ca CA.pem [--queue hes, with CIM_BROKER=amqp://...]

A meter is commissioned by a change of its status to anything but `Decommissioned`, or by a link. An unknown one is
refused by 2.4, one without a Name `keyReference` or `wrappedKey` by 5.3. Its books are `device` (every meter, its
state, since when, where, when it registered), `object`, `heard` and `sent`.

POST /control/registrations {"at", "silent": [meter...], "strangers": [{"manufacturer", "serial"}...]}: commissioned
                            meters that have not registered yet do so, and strangers whom nobody installed; a meter is
                            `manufacturer serial`
POST /control/reads         {"at", "reading_type", "values": {meter: value}, "points": {meter: usage point}}: reads of
                            meters, whether they are commissioned or not; `batch` meters in a message
"""

import uuid
from typing import Any

from simulators.cim_nouns import meter
from simulators.cim_system import System, Taken, send
from simulators.cim_taking import fault_of, instant_of, take_links, take_objects
from simulators.cim_web import run
from simulators.cim_wire import HOST, Fault, Heard, children, identity_of, names_of, text_of

REGISTERED = "3.6.5.58"
_ENDS = ("close", "closed", "delete", "deleted")
_KEYS = ("keyReference", "wrappedKey")
OUT_OF_SERVICE = "Decommissioned"
_WORDS = {"STOCK": "In stock", "COMMISSIONED": "Active", "OUT": OUT_OF_SERVICE}
"""Status of a device by its state in the book."""


def take(system: System, one: Heard) -> Taken:
    """Take a message into the books, or say what is wrong with it."""
    if one.verb == "get":
        return answer_devices(system, one)
    if one.noun == "MasterDataLinkageConfig":
        return take_hanging(system, one)
    if one.noun == "MeterConfig" and one.payload is not None:
        if one.verb in ("create", "created"):
            take_stock(system, one)
        else:
            return take_statuses(system, one)
    take_objects(system, one, "Meter", "UsagePoint", "ComModule")
    return Taken()


def answer_devices(system: System, one: Heard) -> Taken:
    """Answer GetMeterConfig: each device that it has, in the state in which it is."""
    asked = [identity_of(each) for each in children(one.payload, "Meter")] if one.payload is not None else []
    faults, parts = [], []
    for name in asked:
        found = system.books.rows_of("device", "meter", "mrid", value=name)
        if not found:
            faults.append(fault_of("Meter", name, "2.4", "unknown meter"))
            continue
        maker, serial = _parts(found[0]["meter"])
        status = _WORDS[found[0]["state"]]
        parts.append(meter({"id": found[0]["mrid"], "manufacturer": maker, "serial": serial, "status": status}))
    data = f'<MeterConfig xmlns="{HOST}/MeterConfig#">{"".join(parts)}</MeterConfig>' if parts else ""
    return Taken(tuple(faults), data, some=bool(parts))


def take_stock(system: System, one: Heard) -> None:
    """Take meters that came; one that was taken before stays in the state in which it is."""
    known = {row["meter"] for row in system.books.rows("device")}
    rows = []
    for each in children(one.payload, "Meter") if one.payload is not None else ():
        own = identity_of(each)
        if own not in known:
            keys = next((name for name, kind, _ in names_of(each) if kind in _KEYS), "")
            rows.append((own, text_of(each, "mRID"), "STOCK", instant_of(each), "", keys, ""))
    system.books.write("device", rows)


def take_statuses(system: System, one: Heard) -> Taken:
    """Take changes of status, each by itself."""
    meters = children(one.payload, "Meter") if one.payload is not None else []
    faults = []
    for each in meters:
        status = text_of(each, "status/value")
        ends = status == OUT_OF_SERVICE or one.verb in _ENDS
        if status or ends:
            faults += commission(system, identity_of(each), instant_of(each), "", ends=ends)
    return Taken(tuple(faults), some=len(faults) < len(meters))


def take_hanging(system: System, one: Heard) -> Taken:
    """Take links of meters: those that begin commission, those that end decommission."""
    if one.payload is None:
        return Taken((Fault("1.7", "no links"),), some=False)
    at = instant_of(one.payload, "ConfigurationEvent")
    points = [identity_of(each) for each in children(one.payload, "UsagePoint")]
    meters = [identity_of(each) for each in children(one.payload, "Meter")]
    faults = []
    for n, own in enumerate(meters):
        point = points[n % len(points)] if points else ""
        faults += commission(system, own, at, point, ends=one.verb in _ENDS)
    if not faults:
        take_links(system, one)
    return Taken(tuple(faults), some=len(faults) < len(meters))


def commission(system: System, name: str, at: str, point: str, *, ends: bool) -> list[Fault]:
    """Take a meter into service, or out of it; what is so already stays so."""
    found = next((row for row in system.books.rows_of("device", "meter", "mrid", value=name)), None)
    if found is None:
        return [fault_of("Meter", name, "2.4", "unknown meter")]
    if not ends and not found["keys"]:
        return [fault_of("Meter", name, "5.3", "no keys")]
    state = "OUT" if ends else "COMMISSIONED"
    where = point or found["usage_point"]
    row = (found["meter"], found["mrid"], state, at, where, found["keys"], found["registered"])
    system.books.write("device", [row])
    return []


def registrations(system: System, order: dict[str, Any]) -> dict[str, Any]:
    """Let meters register that have not yet, and strangers; tell the hub of each by an event."""
    at, silent = str(order["at"]), set(order.get("silent", ()))
    fresh = [
        row
        for row in system.books.rows("device")
        if row["state"] == "COMMISSIONED" and not row["registered"] and row["meter"] not in silent
    ]
    known = [_parts(row["meter"]) for row in fresh]
    strangers = [(str(one["manufacturer"]), str(one["serial"])) for one in order.get("strangers", ())]
    events = [
        {
            "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{system.name}/{maker}/{serial}/{at}")), "at": at,
            "manufacturer": maker, "serial": serial, "code": REGISTERED,
        }
        for maker, serial in (*known, *strangers)
    ]  # fmt: skip
    answers = _told(system, "EndDeviceEvents", events, int(order.get("batch", 200)))
    if all(one["result"] in ("OK", "QUEUED") for one in answers):
        with system.books.db:
            system.books.db.executemany(
                "UPDATE device SET registered = ? WHERE meter = ?", [(at, row["meter"]) for row in fresh]
            )
    return {"registered": len(fresh), "strangers": len(strangers), "answers": answers}


def reads(system: System, order: dict[str, Any]) -> dict[str, Any]:
    """Tell the hub what meters read at an instant."""
    points = order.get("points", {})
    objects = []
    for own, value in order["values"].items():
        maker, serial = _parts(own)
        reading = {"at": order["at"], "value": value, "reading_type": order["reading_type"]}
        objects.append({"manufacturer": maker, "serial": serial, "usage_point": points.get(own), "readings": [reading]})
    return {"reads": len(objects), "answers": _told(system, "MeterReadings", objects, int(order.get("batch", 200)))}


def _told(system: System, noun: str, objects: list[dict[str, Any]], size: int) -> list[dict[str, Any]]:
    """Tell the hub of objects, so many in a message."""
    return [
        send(system, {"verb": "created", "noun": noun, "objects": objects[at : at + size]})
        for at in range(0, len(objects), size)
    ]


def _parts(name: str) -> tuple[str, str]:
    """Return manufacturer and serial of a meter."""
    maker, _, serial = name.rpartition(" ")
    return maker, serial


if __name__ == "__main__":
    run(take, __doc__ or "", acts={"registrations": registrations, "reads": reads})
