"""What belongs together: a MasterDataLinkageConfig to canonical links and back (ruling 7)."""

from collections.abc import Sequence
from datetime import datetime

from canonical.codes import identity as codes
from canonical.codes import message
from canonical.errors import RejectedError
from canonical.master_data import KnownAs, Link
from iec61968.canonical_nouns.customers import said_link
from iec61968.canonical_nouns.identities import (
    meter_identity,
    meter_names,
    object_id,
    reference_to,
    usage_point_id,
    usage_point_reference,
)
from iec61968.canonical_nouns.instants import required_instant
from iec61968.canonical_nouns.meters import known_as
from iec61968.canonical_nouns.saying import Inbound, Outbound, Said
from iec61968.nouns.elements import Identified
from iec61968.nouns.master_data_linkage_config import MasterDataLinkageConfig as Wire

_NOT_KEPT = (
    *("auxiliary_agreement", "com_module", "end_device", "pricing_structure", "transformer_tank"),
    *("usage_point_location",),
)
"""Links that the hub keeps no master data of. Customers, accounts and suppliers may stand beside an agreement."""

_WITH_AGREEMENT = ("customer", "customer_account", "service_supplier")


def links_from_noun(wire: Wire, inbound: Inbound) -> tuple[Said, ...]:
    """Return the links of a message: the n-th meter, agreement or location with the n-th usage point.

    A single usage point belongs to all of them, a single one of them to all usage points.

    Raises:
        RejectedError: no instant, or both and they differ; what is linked cannot be told, or has no id.
    """
    where = "MasterDataLinkageConfig"
    at = required_instant(wire.configuration_event, inbound.conventions, where=f"{where}/ConfigurationEvent")
    _check_kinds(wire, where)
    points = [_usage_point(one, n, inbound) for n, one in enumerate(wire.usage_point, 1)]
    meters = [_meter(one, n, inbound) for n, one in enumerate(wire.meter, 1)]
    types = inbound.conventions.names
    agreements = _ids(wire.customer_agreement, types.agreement, f"{where}/CustomerAgreement")
    locations = _ids(wire.service_location, types.location, f"{where}/ServiceLocation")
    count = _count(len(points), [len(one) for one in (meters, agreements, locations) if one], where)
    reason = (wire.configuration_event.reason or "") if wire.configuration_event is not None else ""
    found = []
    for n in range(count):
        mrid, name = points[n % len(points)]
        meter, serial, aliases = meters[n % len(meters)] if meters else ("", "", ())
        link = Link(
            usage_point=mrid,
            meter=meter,
            agreement=agreements[n % len(agreements)] if agreements else "",
            location=locations[n % len(locations)] if locations else "",
            usage_point_name="" if mrid else name,
            serial="" if meter else serial,
        )
        said = said_link(link, at)
        found.append(Said(link, said.stated, at, reason, aliases))
    return tuple(found)


def _check_kinds(wire: Wire, where: str) -> None:
    """Refuse a link of what the hub keeps no links of."""
    foreign = [name for name in _NOT_KEPT if getattr(wire, name)]
    alone = not (wire.customer_agreement or wire.meter or wire.service_location)
    foreign += [name for name in _WITH_AGREEMENT if alone and getattr(wire, name)]
    if foreign:
        raise RejectedError(f"no links of {', '.join(foreign)} are kept", code=codes.LINK_UNCLEAR, where=where)


def _count(points: int, others: Sequence[int], where: str) -> int:
    """Return how many links a message states."""
    numbers = {points, *others} - {1}
    if not points or not others or len(numbers) > 1:
        raise RejectedError(
            f"{points} usage points and {', '.join(map(str, others)) or 'nothing'} to link them with",
            code=codes.LINK_UNCLEAR,
            where=where,
        )
    return max(points, *others)


def _usage_point(one: Identified, number: int, inbound: Inbound) -> tuple[str, str]:
    where = f"MasterDataLinkageConfig/UsagePoint[{number}]"
    return usage_point_id(one.mrid, one.names, inbound.conventions.names, where=where)


def _meter(one: Identified, number: int, inbound: Inbound) -> tuple[str, str, tuple[KnownAs, ...]]:
    """Return mRID and serial of a meter, and the sender's own mRID of it."""
    where = f"MasterDataLinkageConfig/Meter[{number}]"
    identity = meter_identity(one.mrid, one.names, inbound.conventions, where=where)
    return identity.meter, identity.serial, known_as(identity, inbound.source)


def _ids(found: Sequence[Identified], kind: str, where: str) -> list[str]:
    return [object_id(one.mrid, one.names, kind, where=f"{where}[{n}]") for n, one in enumerate(found, 1)]


def noun_from_links(links: Sequence[Link], outbound: Outbound, *, at: datetime) -> Wire:
    """Return the message that states links, pair by pair.

    Raises:
        RejectedError: they link different kinds of things, or one has no usage point: they go in messages apart.
    """
    types = outbound.conventions.names
    kinds = {(bool(one.meter or one.serial), bool(one.agreement), bool(one.location)) for one in links}
    if len(kinds) != 1 or not any(next(iter(kinds))):
        raise RejectedError("links of different kinds in one message", code=message.EXPORT_IMPOSSIBLE)
    if not all(one.usage_point or one.usage_point_name for one in links):
        raise RejectedError("a link without a usage point", code=message.EXPORT_IMPOSSIBLE)
    return Wire(
        configuration_event=outbound.event(at),
        customer_agreement=tuple(reference_to(one.agreement, types.agreement) for one in links if one.agreement),
        meter=tuple(
            Identified(mrid=one.meter) if one.meter else Identified(names=meter_names("", one.serial, types))
            for one in links
            if one.meter or one.serial
        ),
        service_location=tuple(reference_to(one.location, types.location) for one in links if one.location),
        usage_point=tuple(usage_point_reference(one.usage_point, one.usage_point_name, types) for one in links),
    )
