"""Usage points: an object of UsagePointConfig to canonical words and back."""

from collections.abc import Sequence
from typing import Any, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from canonical.codes import identity
from canonical.codes import message as codes
from canonical.errors import RejectedError
from canonical.master_data import Link
from canonical.metering import UsagePoint
from canonical.reading_types import Commodity
from iec61968.canonical_nouns.customers import said_link
from iec61968.canonical_nouns.identities import name_of, named, object_id, reference_to, usage_point_id
from iec61968.canonical_nouns.saying import Inbound, Outbound, Said, Told, filled
from iec61968.nouns import kinds
from iec61968.nouns.elements import Name, ServiceCategoryReference
from iec61968.nouns.usage_point_config import UsagePoint as Wire

COMMODITIES: dict[str, Commodity] = {"electricity": "ELECTRICITY", "gas": "GAS", "water": "WATER"}
"""ServiceKind to commodity; the other kinds are not metered here."""

READ_SOURCES = {
    "billingApproved": "AMI",
    "operable": "AMI",
    "enabled": "AMI",
    "amiCapable": "MANUAL",
    "amiDisabled": "MANUAL",
    "nonAmi": "MANUAL",
    "nonMetered": "NONE",
}
"""AmiBillingReadyKind to how a bill's readings are taken: a capable or disabled meter is still read by hand."""

_BILLING_READY = {"AMI": "billingApproved", "MANUAL": "nonAmi", "NONE": "nonMetered"}
_SERVICES = {commodity: kind for kind, commodity in COMMODITIES.items()}


def usage_point_from_object(wire: Wire, inbound: Inbound, where: str) -> tuple[Said, ...]:
    """Return the usage point, and a link to its premise where it names one.

    Raises:
        RejectedError: it has no id, a service or zone that is not known, a multiplier, or no instant.
    """
    types = inbound.conventions.names
    mrid, name = usage_point_id(wire.mrid, wire.names, types, where=where)
    at = inbound.at(wire.configuration_events, where=where)
    _check_multipliers(wire, inbound, where)
    ready = wire.ami_billing_ready
    thing, stated = filled(
        UsagePoint,
        _defaults(inbound),
        {
            "usage_point": mrid,
            "name": name or None,
            "zone": _zone(wire, inbound, where),
            "commodity": _commodity(wire, where),
            "read_source": READ_SOURCES.get(ready, "AMI") if ready is not None else None,
            "valid_from": at,
            "valid_to": at if inbound.verb == "close" else None,
            "district": wire.outage_region,
            "route": wire.read_route,
        },
    )
    reason = (wire.configuration_events.reason or "") if wire.configuration_events is not None else ""
    found = [Said(thing, stated, at, reason)]
    if wire.service_location is not None:
        place = f"{where}/ServiceLocation"
        location = object_id(wire.service_location.mrid, wire.service_location.names, types.location, where=place)
        found.append(said_link(Link(mrid, location=location, usage_point_name="" if mrid else name), at))
    return tuple(found)


def object_from_usage_point(told: Told, outbound: Outbound, links: Sequence[Link]) -> Wire:
    """Return the UsagePointConfig object that says this; the first of `links` names its premise."""
    types, thing = outbound.conventions.names, told.thing
    location = next((link.location for link in links), "")
    ready = _BILLING_READY.get(thing.read_source) if told.has("read_source") else None
    return Wire(
        mrid=thing.usage_point or None,
        ami_billing_ready=cast("kinds.AmiBillingReadyKind | None", ready),
        outage_region=told.text("district"),
        read_route=told.text("route"),
        configuration_events=outbound.event(thing.valid_to if outbound.verb == "close" else thing.valid_from),
        names=_names(told, outbound),
        service_category=_category(thing.commodity) if told.has("commodity") else None,
        service_location=reference_to(location, types.location) if location else None,
    )


def _defaults(inbound: Inbound) -> dict[str, Any]:
    """Return what holds the place of what a message does not say."""
    own = inbound.conventions
    return {"name": "", "zone": own.zone, "commodity": own.commodity, "read_source": own.read_source}


def _zone(wire: Wire, inbound: Inbound, where: str) -> str | None:
    """Return the IANA zone that a Name states."""
    text = named(wire.names, inbound.conventions.names.zone)
    if not text:
        return text
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise RejectedError(f"{text[:60]!r} is no IANA zone", code=codes.BAD_XML_VALUE, where=where) from error
    return text


def _commodity(wire: Wire, where: str) -> Commodity | None:
    """Return what is delivered, as far as it is stated."""
    kind = wire.service_category.kind if wire.service_category is not None else None
    if kind is None:
        return None
    if kind not in COMMODITIES:
        raise RejectedError(f"service {kind!r} is not metered here", code=codes.BAD_XML_VALUE, where=where)
    return COMMODITIES[kind]


def _check_multipliers(wire: Wire, inbound: Inbound, where: str) -> None:
    """Refuse a multiplier at the usage point: the meter's would be applied as well, or instead (I3)."""
    found = [one.value for one in wire.service_multipliers if one.value not in (None, 1)]
    if found and inbound.conventions.usage_point_multipliers == "refuse":
        raise RejectedError(
            f"ServiceMultipliers {', '.join(map(str, found))}", code=identity.MULTIPLIER_UNCLEAR, where=where
        )


def _category(commodity: Commodity) -> ServiceCategoryReference:
    return ServiceCategoryReference(kind=cast("kinds.ServiceKind", _SERVICES[commodity]))


def _names(told: Told, outbound: Outbound) -> tuple[Name, ...]:
    """Return what the trade calls the usage point, and its zone."""
    types = outbound.conventions.names
    texts = ((told.text("name"), types.usage_point), (told.text("zone"), types.zone))
    return tuple(name_of(text, kind) for text, kind in texts if text is not None)
