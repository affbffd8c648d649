"""What each step says, as a canonical message: the words of `flows.meter_rollout.steps.Says`, and how they are undone.

Both links of an exchange bear one instant; what is taken back bears the instant of what it takes back (domain 2.3).
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from canonical.commissioning import Commissioning
from canonical.ids import mint_near
from canonical.master_data import Link, MasterData, MasterThing, Meter, MeterExchange, Verb
from canonical.messages import Header, Message
from canonical.metering import MeterReadings, UsagePoint
from flows.meter_rollout.steps import Says
from flows.meter_rollout.subjects import Exchange

SOURCE = "hub"
LINK, WORK, METER, POINT = "MasterDataLinkageConfig", "MeterServiceRequests", "MeterConfig", "UsagePointConfig"
RETURNED, HANGS = "Returned", "Active"
"""Status of a meter that came back from the field, and of one that hangs."""

Payload = MasterData | Commissioning | tuple[MeterReadings, ...]


def message_of(
    says: Says, name: str, one: Exchange, *, attempt: int, now: datetime, since: datetime
) -> Message[Payload] | None:
    """Return what a step says of an exchange; None where there is nothing to say, such as readings without values.

    `name` is the step's, `since` the instant at which the usage point was certified for AMI billing. The message's id
    follows from order, step and attempt alone.
    """
    said = _SAID[says](one, since)
    if said is None:
        return None
    verb, noun, effective_at, payload = said
    own = message_id(one.order_id, name, attempt)
    header = Header(
        own, SOURCE, verb, noun, own, causation_id=one.cause, created_at=now, effective_at=effective_at,
        lane=one.usage_point,
    )  # fmt: skip
    return Message(header, payload)


def message_id(order_id: str, name: str, attempt: int) -> str:
    """Return the id of the message that says a step."""
    return mint_near(order_id, "rollout-step", order_id, name, attempt)


_Said = tuple[str, str, datetime, Payload] | None
"""Verb, noun, effective instant and payload."""


def _data(verb: Verb, noun: str, at: datetime, thing: MasterThing, reason: str = "", *stated: str) -> _Said:
    own = (frozenset(stated),) if stated else ()
    return verb, noun, at, MasterData(verb, noun, at, (thing,), reason, own)


def _exchange(verb: Verb, one: Exchange) -> _Said:
    thing = MeterExchange(
        one.usage_point, one.old, one.new, one.removed_at, one.installed_at, one.final_readings, one.first_readings,
        order=one.order_id,
    )  # fmt: skip
    return _data(verb, WORK, one.at, thing)


def _link(verb: Verb, one: Exchange, meter: Meter | None) -> _Said:
    return _data(verb, LINK, one.at, Link(one.usage_point, meter.meter)) if meter is not None else None


def _readings(one: Exchange, _since: datetime) -> _Said:
    told = tuple(
        MeterReadings(one.usage_point, meter.meter, values, usage_point_name=one.usage_point_name, serial=meter.serial)
        for meter, values in ((one.old, one.final_readings), (one.new, one.first_readings))
        if meter is not None and values
    )
    return ("created", "MeterReadings", one.at, told) if told else None


def _commission(act: Any, one: Exchange, meter: Meter | None) -> _Said:
    if meter is None:
        return None
    at = one.at if meter is one.new else one.removed_at
    payload = Commissioning(
        act, meter.meter, meter.manufacturer, meter.serial, one.usage_point, at, one.usage_point_name
    )
    return "change", METER, at, payload


def _point(one: Exchange, meter: Meter | None, other: Meter | None) -> _Said:
    """Return which meter a usage point has from now on; where it has none any more, that the other is gone."""
    return _link("create", one, meter) if meter is not None else _link("close", one, other)


def _read_by(source: str, one: Exchange, since: datetime) -> _Said:
    commodity = one.new.commodity if one.new is not None else "ELECTRICITY"
    thing = UsagePoint(one.usage_point, one.usage_point_name, "", commodity, source, since)
    return _data("change", POINT, since, thing, "amiBilling", "read_source")


def _status(status: str, one: Exchange) -> _Said:
    if one.old is None:
        return None
    meter = Meter(
        one.old.meter, one.old.manufacturer, one.old.serial, one.old.commodity, one.old.multiplier, status=status
    )
    return _data("change", METER, one.removed_at, meter, "changeStatus", "manufacturer", "serial", "status")


_SAID: Mapping[Says, Callable[[Exchange, datetime], _Said]] = {
    "": lambda _one, _since: None,
    "exchange": lambda one, _: _exchange("create", one),
    "exchange_undone": lambda one, _: _exchange("delete", one),
    "link_closed": lambda one, _: _link("close", one, one.old),
    "link_opened": lambda one, _: _link("create", one, one.new),
    "link_reopened": lambda one, _: _link("create", one, one.old),
    "link_undone": lambda one, _: _link("delete", one, one.new),
    "readings": _readings,
    "commissioned": lambda one, _: _commission("COMMISSION", one, one.new),
    "uncommissioned": lambda one, _: _commission("DECOMMISSION", one, one.new),
    "decommissioned": lambda one, _: _commission("DECOMMISSION", one, one.old),
    "recommissioned": lambda one, _: _commission("COMMISSION", one, one.old),
    "point_linked": lambda one, _: _point(one, one.new, one.old),
    "point_relinked": lambda one, _: _point(one, one.old, one.new),
    "read_by_ami": lambda one, since: _read_by("AMI", one, since),
    "read_by_hand": lambda one, since: _read_by("MANUAL", one, since),
    "returned": lambda one, _: _status(RETURNED, one),
    "not_returned": lambda one, _: _status(HANGS, one),
}
