"""Customer agreements: an object of CustomerAgreementConfig to canonical words and back."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from canonical.codes import message as codes
from canonical.customers import CustomerAgreement
from canonical.errors import RejectedError
from canonical.master_data import Link
from iec61968.canonical_nouns.customers import said_link
from iec61968.canonical_nouns.identities import (
    identified,
    name_of,
    named,
    object_id,
    reference_id,
    reference_to,
    usage_point_id,
    usage_point_reference,
)
from iec61968.canonical_nouns.instants import end_on_grid, on_grid, said_at
from iec61968.canonical_nouns.saying import Inbound, Outbound, Said, Told, filled
from iec61968.nouns.customer_agreement_config import CustomerAgreement as Wire
from iec61968.nouns.elements import DateTimeInterval, Name

_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


def agreement_from_object(wire: Wire, inbound: Inbound, where: str) -> tuple[Said, ...]:
    """Return the agreement: one for each usage point, and a link beside it for one that is known by name alone.

    A created agreement holds from the start of its validityInterval, a changed one from its ConfigurationEvent; a
    closed one until it.

    Raises:
        RejectedError: it, or what it refers to, has no id; several pricing structures; its instant cannot be told.
    """
    types = inbound.conventions.names
    agreement = object_id(wire.mrid, wire.names, types.agreement, where=where)
    at, start, end = _instants(wire, inbound, where)
    stated: dict[str, Any] = {
        "agreement": agreement,
        "account": reference_id(wire.customer_account, types.account, where=f"{where}/CustomerAccount"),
        "customer_class": named(wire.names, types.customer_class),
        "tariff": _tariff(wire, inbound, where),
        "cycle": wire.billing_cycle,
        "tou_calendar": named(wire.names, types.tou_calendar),
        "net_metering": _net_metering(wire, inbound, where),
        "valid_from": start,
        "valid_to": end,
    }
    reason = (wire.configuration_events.reason or "") if wire.configuration_events is not None else ""
    defaults = {
        **{"account": "", "usage_point": "", "tariff": "", "cycle": "", "tou_calendar": "", "net_metering": False},
        **{"customer_class": inbound.conventions.customer_class, "valid_from": at, "valid_to": None},
    }
    found = []
    for usage_point, name in _usage_points(wire, inbound, where):
        thing, given = filled(CustomerAgreement, defaults, {**stated, "usage_point": usage_point or None})
        found.append(Said(thing, given, at, reason))
        if name:
            found.append(said_link(Link("", agreement=agreement, usage_point_name=name), at))
    return tuple(found)


def object_from_agreement(told: Told, outbound: Outbound, links: Sequence[Link]) -> Wire:
    """Return the CustomerAgreementConfig object that says this; `links` name a usage point that has no mRID."""
    types, thing = outbound.conventions.names, told.thing
    mrid, names = identified(thing.agreement, types.agreement)
    account, tariff = told.text("account"), told.text("tariff")
    points = [usage_point_reference("", one.usage_point_name, types) for one in links]
    if told.text("usage_point"):
        points.insert(0, usage_point_reference(thing.usage_point, "", types))
    return Wire(
        mrid=mrid,
        billing_cycle=told.text("cycle"),
        validity_interval=_validity(told, outbound),
        configuration_events=outbound.event(_at(thing, outbound)),
        names=(*names, *_names(told, outbound)),
        customer_account=reference_to(account, types.account) if account else None,
        pricing_structures=(reference_to(tariff, types.tariff),) if tariff else (),
        usage_points=tuple(points),
    )


def _instants(wire: Wire, inbound: Inbound, where: str) -> tuple[datetime, datetime | None, datetime | None]:
    """Return the instant of the statement, and start and end of the agreement as far as they are stated."""
    interval = wire.validity_interval or DateTimeInterval()
    start = on_grid(interval.start, inbound.conventions) if interval.start is not None else None
    end = end_on_grid(interval.end, inbound.conventions)
    if inbound.verb == "close":
        at = inbound.at(wire.configuration_events, where=where, other=interval.end)
        return at, start, at
    at = inbound.at(wire.configuration_events, where=where, other=interval.start)
    if inbound.verb == "change" or start is None:
        start = at
    if end is not None and end < start:
        raise RejectedError(f"it ends {end.isoformat()}, before it starts", code=codes.BAD_XML_VALUE, where=where)
    return start, start, end


def _at(thing: CustomerAgreement, outbound: Outbound) -> datetime:
    """Return the instant at which what is said of an agreement holds."""
    return (thing.valid_to or outbound.effective_at) if outbound.verb == "close" else thing.valid_from


def _validity(told: Told, outbound: Outbound) -> DateTimeInterval | None:
    """Return the validityInterval; a change leaves its start alone, which is that of the agreement and not its own."""
    thing, conventions = told.thing, outbound.conventions
    start = said_at(thing.valid_from, conventions) if outbound.verb != "change" and told.has("valid_from") else None
    end = said_at(thing.valid_to, conventions) if thing.valid_to is not None and told.has("valid_to") else None
    return DateTimeInterval(end=end, start=start) if start is not None or end is not None else None


def _usage_points(wire: Wire, inbound: Inbound, where: str) -> list[tuple[str, str]]:
    """Return mRID of each usage point, or its name where it has none; one of nothing where none is named."""
    found = []
    for n, reference in enumerate(wire.usage_points, 1):
        place = f"{where}/UsagePoints[{n}]"
        mrid, name = usage_point_id(reference.mrid, reference.names, inbound.conventions.names, where=place)
        found.append((mrid, "" if mrid else name))
    return found or [("", "")]


def _tariff(wire: Wire, inbound: Inbound, where: str) -> str | None:
    """Return the one pricing structure of an agreement."""
    found = wire.pricing_structures
    if len(found) > 1:
        raise RejectedError(f"{len(found)} pricing structures", code=codes.BAD_XML_VALUE, where=where)
    kind = inbound.conventions.names.tariff
    return reference_id(found[0] if found else None, kind, where=f"{where}/PricingStructures")


def _net_metering(wire: Wire, inbound: Inbound, where: str) -> bool | None:
    """Return whether received energy is set off, as a Name says it."""
    text = named(wire.names, inbound.conventions.names.net_metering)
    if text is None:
        return None
    if text.lower() not in _BOOLEANS:
        raise RejectedError(f"net metering {text[:60]!r}", code=codes.BAD_XML_VALUE, where=f"{where}/Names")
    return _BOOLEANS[text.lower()]


def _names(told: Told, outbound: Outbound) -> tuple[Name, ...]:
    """Return the Names for what CIM15 has no attribute for."""
    types = outbound.conventions.names
    texts = (
        (told.text("customer_class"), types.customer_class),
        (told.text("tou_calendar"), types.tou_calendar),
        (str(told.thing.net_metering).lower() if told.has("net_metering") else None, types.net_metering),
    )
    return tuple(name_of(text, kind) for text, kind in texts if text is not None)
