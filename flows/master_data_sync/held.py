"""What a file says that a system holds, as statements of masters: applied by the same road as messages."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from canonical.customers import CustomerAgreement
from canonical.holdings import Holding, Withdrawn, registers_of
from canonical.master_data import (
    Address,
    Customer,
    CustomerAccount,
    Link,
    MasterThing,
    Meter,
    ServiceLocation,
)
from canonical.metering import TopologyLink, UsagePoint
from canonical.reading_types import Commodity
from flows.master_data_sync.said import Said

NOUNS: Mapping[str, str] = {
    "customer": "CustomerConfig",
    "account": "CustomerAccountConfig",
    "location": "ServiceLocationConfig",
    "usage_point": "UsagePointConfig",
    "meter": "MeterConfig",
    "installation": "MasterDataLinkageConfig",
    "agreement": "CustomerAgreementConfig",
    "topology": "",
}
"""Noun as which messages tell of a kind; topology is told by files alone."""

_ADDRESS = ("street", "number", "suite", "town", "region", "postal_code", "country")
_STRIDE = 4
"""Statements that one item of a file may become, so that each has a place of its own."""


def said_of(held: Holding | Withdrawn, *, source: str, file_id: str, said_at: datetime, line: int) -> tuple[Said, ...]:
    """Return what an item of a file states, in the order in which it is applied; its dates of bill cycles are none.

    A usage point that names its premise also links it; an installation that ended is a link and its end.
    """
    first = Said(
        source, _told_as(file_id, line), file_id, said_at, "create", "create", NOUNS[held.kind],
        _instant(held), line * _STRIDE, Link(""),
    )  # fmt: skip
    if isinstance(held, Withdrawn):
        return (replace(first, wire_verb="delete", verb="delete", thing=_named(held), spans=True),)
    if held.kind == "installation":
        return _stay(held, first, _second(first, file_id, line))
    thing = THINGS[held.kind](held.object_id, held.facts, held.valid_from)
    stated = frozenset(held.facts) - {"location"}
    own = replace(first, thing=thing, stated=stated, spans=True, until=held.valid_to)
    if held.kind != "usage_point" or not held.facts.get("location"):
        return (own,)
    there = Link(held.object_id, location=held.facts["location"])
    return own, replace(_second(first, file_id, line), noun=NOUNS["installation"], thing=there)


def _instant(held: Holding | Withdrawn) -> datetime:
    return held.at if isinstance(held, Withdrawn) else held.valid_from


def _stay(held: Holding, first: Said, second: Said) -> tuple[Said, ...]:
    """Return that a meter hangs, and that it was taken away where it was."""
    point, _, meter = held.object_id.partition("/")
    hung = replace(first, thing=Link(point, meter), spans=True, until=held.valid_to)
    if held.valid_to is None:
        return (hung,)
    return hung, replace(
        second, wire_verb="close", verb="close", effective_at=held.valid_to, thing=hung.thing, spans=True
    )


def _second(first: Said, file_id: str, line: int) -> Said:
    """Return the frame of the second statement of an item: told on as a message of its own."""
    return replace(first, message_id=_told_as(file_id, line, 1), place=first.place + 1)


def _told_as(file_id: str, line: int, number: int = 0) -> str:
    """Return the id of a statement as a message: others are told item by item, whatever else is in the file."""
    return f"{file_id}#{line}.{number}" if number else f"{file_id}#{line}"


def _named(held: Withdrawn) -> MasterThing:
    """Return the thing that is taken back, by its id alone."""
    if held.kind == "installation":
        point, _, meter = held.object_id.partition("/")
        return Link(point, meter)
    return THINGS[held.kind](held.object_id, {}, held.at)


def _usage_point(name: str, facts: Mapping[str, str], since: datetime) -> UsagePoint:
    told = _given(facts, "name", "zone", "read_source", "district", "route")
    return UsagePoint(usage_point=name, valid_from=since, commodity=_commodity(facts), **told)


def _meter(name: str, facts: Mapping[str, str], since: datetime) -> Meter:
    told = _given(facts, "manufacturer", "serial", "model", "firmware", "status")
    multiplier = Decimal(facts.get("multiplier") or 0)
    return Meter(
        meter=name,
        commodity=_commodity(facts),
        multiplier=multiplier,
        registers=registers_of(facts.get("registers", "")),
        valid_from=since,
        **told,
    )


def _commodity(facts: Mapping[str, str]) -> Commodity:
    """Return the commodity; the usual one only holds its place where none is stated."""
    found: Commodity = facts.get("commodity") or "ELECTRICITY"  # type: ignore[assignment]
    return found


def _agreement(name: str, facts: Mapping[str, str], since: datetime) -> CustomerAgreement:
    told = _given(facts, "account", "usage_point", "customer_class", "tariff", "cycle", "tou_calendar")
    net = facts.get("net_metering") == "true"
    return CustomerAgreement(agreement=name, net_metering=net, valid_from=since, valid_to=None, **told)


def _location(name: str, facts: Mapping[str, str], since: datetime) -> ServiceLocation:
    inspected = facts.get("needs_inspection") == "true"
    return ServiceLocation(name, Address(**_given(facts, *_ADDRESS)), facts.get("access_method", ""), inspected, since)


def _given(facts: Mapping[str, str], *names: str) -> dict[str, Any]:
    """Return the texts of some fields; empty where they are not stated."""
    return {name: facts.get(name, "") for name in names}


THINGS: Mapping[str, Callable[[str, Mapping[str, str], datetime], MasterThing]] = {
    "customer": lambda name, facts, since: Customer(
        name, valid_from=since, **_given(facts, "kind", "name", "telephone", "special_need")
    ),
    "account": lambda name, facts, since: CustomerAccount(name, valid_from=since, **_given(facts, "customer", "cycle")),
    "location": _location,
    "usage_point": _usage_point,
    "meter": _meter,
    "agreement": _agreement,
    "topology": lambda name, facts, since: TopologyLink(
        name, valid_from=since, **_given(facts, "transformer", "feeder")
    ),
}
"""The thing that a holding of each kind is, by id, facts and first instant; what is not stated holds its place only."""
