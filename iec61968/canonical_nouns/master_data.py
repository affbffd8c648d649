"""Messages of master data to canonical words and back: which noun is read and written how."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from importlib import import_module
from types import UnionType
from typing import Any, cast

from lxml import etree

from canonical.codes import message as codes
from canonical.customers import CustomerAgreement
from canonical.errors import RejectedError
from canonical.master_data import (
    Customer,
    CustomerAccount,
    Link,
    MasterData,
    MasterThing,
    Meter,
    MeterExchange,
    ServiceLocation,
    ThingVerdict,
    Verb,
)
from canonical.messages import Message
from canonical.metering import UsagePoint
from canonical.rollout import Completion
from iec61968.canonical_nouns import agreements, customers, exchanges, links, meters, usage_points
from iec61968.canonical_nouns.conventions import MasterDataReading
from iec61968.canonical_nouns.objects import ObjectRead, objects_of
from iec61968.canonical_nouns.registers import reading_types_of
from iec61968.canonical_nouns.saying import Inbound, Outbound, Said, Told
from iec61968.editions import Edition
from iec61968.envelope import local_name
from iec61968.spoken_nouns import NOUNS
from iec61968.wire import WireMessage

IMPERATIVES: Mapping[str, Verb] = {
    **{"create": "create", "change": "change", "close": "close", "cancel": "cancel", "delete": "delete"},
    **{"created": "create", "changed": "change", "closed": "close", "canceled": "cancel", "deleted": "delete"},
}
"""What is said of objects, by the verb of a request or an event."""


@dataclass(frozen=True, slots=True)
class _Plain:
    """A noun whose objects are read and written one by one."""

    element: str
    thing: type | UnionType
    read: Callable[[Any, Inbound, str], tuple[Said, ...]]
    write: Callable[[Told, Outbound, Sequence[Link]], Any]


_PLAIN: dict[str, _Plain] = {
    "CustomerConfig": _Plain("Customer", Customer, customers.customer_from_object, customers.object_from_customer),
    "CustomerAccountConfig": _Plain(
        "CustomerAccount", CustomerAccount, customers.account_from_object, customers.object_from_account
    ),
    "CustomerAgreementConfig": _Plain(
        "CustomerAgreement", CustomerAgreement, agreements.agreement_from_object, agreements.object_from_agreement
    ),
    "ServiceLocationConfig": _Plain(
        "ServiceLocation", ServiceLocation, customers.location_from_object, customers.object_from_location
    ),
    "UsagePointConfig": _Plain(
        "UsagePoint", UsagePoint, usage_points.usage_point_from_object, usage_points.object_from_usage_point
    ),
    "MeterServiceRequests": _Plain(
        "MeterServiceWork", MeterExchange | Completion, exchanges.work_from_object, exchanges.object_from_work
    ),
}

MASTER_NOUNS = (*_PLAIN, "MeterConfig", "MasterDataLinkageConfig")
"""Nouns that are read and written here."""


def master_data_from_wire(
    wire: WireMessage, *, source: str, conventions: MasterDataReading, strict: bool = True
) -> Message[MasterData]:
    """Return what a request or event says of master data; `source` is who proved to be the sender.

    An object that cannot be understood is refused by itself (`MasterData.refused`), the others are kept. The message
    holds at the earliest instant of its objects; one that holds at another says so in its `valid_from`. Without
    `strict` a word outside its enumeration is taken as it came.

    Raises:
        RejectedError: not master data, or nothing can be made of the message as a whole (a link without instant).
    """
    header = wire.header
    if header is None or header.verb not in IMPERATIVES or header.noun not in MASTER_NOUNS:
        what = f"{header.verb} {header.noun}" if header is not None else wire.name
        raise RejectedError(f"{what} is no master data", code=codes.NOT_SUPPORTED_HERE, where="Header")
    inbound = Inbound(IMPERATIVES[header.verb], conventions, source, header.timestamp)
    said: list[Said] = []
    refused: list[ThingVerdict] = []
    for part in _parts(wire, header.noun):
        for one in _read(part, header.noun, inbound, strict=strict):
            if isinstance(one, ThingVerdict):
                refused.append(one)
            else:
                said.append(one)
    if not said and not refused:
        raise RejectedError(f"{header.noun} has no objects", code=codes.SCHEMA_INVALID, where="Payload")
    return Message(header.canonical(source=source), _master_data(header.noun, inbound, said, refused))


def _parts(wire: WireMessage, noun: str) -> Iterator[etree._Element]:
    """Yield the payload's elements of a noun."""
    for part in wire.payload.parts:
        if local_name(part) != noun:
            raise RejectedError(f"{local_name(part)!r} in {noun}", code=codes.UNKNOWN_NOUN, where="Payload")
        yield part


def _read(part: etree._Element, noun: str, inbound: Inbound, *, strict: bool) -> Iterator[Said | ThingVerdict]:
    """Yield what each object says, or why it is refused."""
    if noun == "MasterDataLinkageConfig":
        wire = NOUNS[noun].from_xml(part, strict=strict)
        yield from links.links_from_noun(wire, inbound)
        return
    found = list(objects_of(part, NOUNS[noun].type, strict=strict))
    reader = _reader(noun, found)
    element = "Meter" if noun == "MeterConfig" else _PLAIN[noun].element
    for one in found:
        try:
            if one.error is not None:
                raise one.error
            if one.name == element:
                yield from reader(one.value, inbound, one.place)
        except RejectedError as error:
            place = f" at {error.where}" if error.where else ""
            yield ThingVerdict(one.wire_id, one.name, "REJECTED", str(error.code), f"{error.reason}{place}")


def _reader(noun: str, found: Sequence[ObjectRead]) -> Callable[[Any, Inbound, str], tuple[Said, ...]]:
    """Return what reads one object of a noun; a meter needs the functions and reading types around it."""
    if noun != "MeterConfig":
        return _PLAIN[noun].read
    good = [one for one in found if one.error is None]
    around = meters.Surroundings(
        functions=tuple(one.value for one in good if one.name == "SimpleEndDeviceFunction"),
        reading_types=reading_types_of(tuple(one.value for one in good if one.name == "ReadingType")),
        is_alone=sum(1 for one in found if one.name == "Meter") == 1,
    )
    return lambda wire, inbound, where: meters.meter_from_object(wire, around, inbound, where)


def _master_data(noun: str, inbound: Inbound, said: Sequence[Said], refused: Sequence[ThingVerdict]) -> MasterData:
    """Return a whole message of what its objects say."""
    effective = min((one.at for one in said), default=None) or inbound.sent_at
    if effective is None:
        raise RejectedError("no Timestamp", code=codes.SCHEMA_INVALID, where="Header/Timestamp")
    return MasterData(
        verb=inbound.verb,
        noun=noun,
        effective_at=effective,
        things=tuple(_dated(one, effective) for one in said),
        reason=next((one.reason for one in said if one.reason), ""),
        stated=() if inbound.verb == "create" else tuple(one.stated for one in said),
        refused=tuple(refused),
        known_as=tuple(alias for one in said for alias in one.known_as),
    )


def _dated(said: Said, effective: datetime) -> MasterThing:
    """Return a thing that says its own instant where it is not the message's."""
    if said.at == effective or not isinstance(said.thing, Customer | CustomerAccount | ServiceLocation | Meter):
        return said.thing
    return replace(said.thing, valid_from=said.at)


def noun_element(data: MasterData, *, edition: Edition, conventions: MasterDataReading) -> etree._Element:
    """Return the payload element that says this.

    Raises:
        RejectedError: the noun is none of these, or it cannot say one of the things.
    """
    outbound = Outbound(data.verb, conventions, data.effective_at, data.reason)
    stated: Sequence[frozenset[str] | None] = data.stated or [None] * len(data.things)
    told = [Told(thing, fields) for thing, fields in zip(data.things, stated, strict=True)]
    if data.noun == "MasterDataLinkageConfig":
        found = _of_type(told, Link, data.noun)
        wire: Any = links.noun_from_links([one.thing for one in found], outbound, at=data.effective_at)
    elif data.noun == "MeterConfig":
        wire = _meter_config(_of_type(told, Meter, data.noun), outbound)
    elif data.noun in _PLAIN:
        wire = _plain_noun(data.noun, told, outbound)
    else:
        raise RejectedError(f"{data.noun} is no master data", code=codes.EXPORT_IMPOSSIBLE, where="Payload")
    return cast("etree._Element", NOUNS[data.noun].to_xml(wire, edition=edition))


def _of_type(told: Sequence[Told], kind: type | UnionType, noun: str) -> list[Told]:
    """Return things all of which are of a kind."""
    foreign = [type(one.thing).__name__ for one in told if not isinstance(one.thing, kind)]
    if foreign or not told:
        raise RejectedError(f"{noun} with {', '.join(foreign) or 'nothing'}", code=codes.EXPORT_IMPOSSIBLE)
    return list(told)


def _meter_config(told: Sequence[Told], outbound: Outbound) -> Any:
    """Return a MeterConfig of meters, their functions beside them."""
    pairs = [meters.objects_from_meter(one, outbound, n) for n, one in enumerate(told, 1)]
    module = import_module("iec61968.nouns.meter_config")
    return module.MeterConfig(
        meter=tuple(meter for meter, _ in pairs),
        simple_end_device_function=tuple(function for _, functions in pairs for function in functions),
    )


def _plain_noun(noun: str, told: Sequence[Told], outbound: Outbound) -> Any:
    """Return a noun whose objects are things of one kind; links beside them become references in them."""
    plain = _PLAIN[noun]
    spoken = [one for one in told if not isinstance(one.thing, Link)]
    beside: dict[str, list[Link]] = {}
    for one in told:
        if isinstance(one.thing, Link):
            beside.setdefault(_owner_of(one.thing, noun), []).append(one.thing)
    objects = [
        plain.write(one, outbound, beside.pop(_id_of(one.thing), ())) for one in _of_type(spoken, plain.thing, noun)
    ]
    if beside:
        raise RejectedError(f"a link of nothing else in {noun}", code=codes.EXPORT_IMPOSSIBLE, where=noun)
    field = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in plain.element).lstrip("_")
    return NOUNS[noun].type(**{field: tuple(objects)})


def _owner_of(link: Link, noun: str) -> str:
    """Return the id of the thing in which a link is written as a reference."""
    if noun == "CustomerAgreementConfig":
        return link.agreement if not link.usage_point else ""
    if noun == "ServiceLocationConfig":
        return link.location
    return (link.usage_point or link.usage_point_name) if link.location else ""


def _id_of(thing: MasterThing) -> str:
    """Return the id by which links name a thing."""
    if isinstance(thing, UsagePoint):
        return thing.usage_point or thing.name
    return str(getattr(thing, "agreement", "") or getattr(thing, "location", ""))
