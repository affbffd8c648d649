"""Customers, their accounts and the places that are served: objects of three nouns to canonical words and back."""

from collections.abc import Sequence
from datetime import datetime
from typing import cast

from canonical.master_data import Customer, CustomerAccount, Link, ServiceLocation
from iec61968.canonical_nouns.addresses import (
    address_from_street,
    parts_from_telephone,
    street_from_address,
    telephone_from_parts,
)
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
from iec61968.canonical_nouns.saying import Inbound, Outbound, Said, Told, filled
from iec61968.nouns import customer_account_config, customer_config, kinds, service_location_config
from iec61968.nouns.elements import ConfigurationEvent


def customer_from_object(wire: customer_config.Customer, inbound: Inbound, where: str) -> tuple[Said, ...]:
    """Return the customer of a CustomerConfig: kind, special need, first telephone, and its name from Names.

    Raises:
        RejectedError: it has no id, or its instant cannot be told.
    """
    types = inbound.conventions.names
    phone = wire.organisation.phone1 if wire.organisation is not None else None
    thing, stated = filled(
        Customer,
        {"kind": ""},
        {
            "customer": object_id(wire.mrid, wire.names, types.customer, where=where),
            "kind": wire.kind,
            "name": named(wire.names, types.customer_name),
            "telephone": telephone_from_parts(phone) if phone is not None else None,
            "special_need": wire.special_need,
        },
    )
    return (_said(thing, stated, wire.configuration_events, inbound, where),)


def object_from_customer(told: Told, outbound: Outbound, _links: Sequence[Link]) -> customer_config.Customer:
    """Return the CustomerConfig object that says this of a customer."""
    types, thing = outbound.conventions.names, told.thing
    mrid, names = identified(thing.customer, types.customer)
    name, phone = told.text("name"), told.text("telephone")
    return customer_config.Customer(
        mrid=mrid,
        kind=cast("kinds.CustomerKind | None", told.text("kind")),
        special_need=told.text("special_need"),
        configuration_events=outbound.event(thing.valid_from),
        names=(*names, *((name_of(name, types.customer_name),) if name is not None else ())),
        organisation=customer_config.Organisation(phone1=parts_from_telephone(phone)) if phone is not None else None,
    )


def account_from_object(
    wire: customer_account_config.CustomerAccount, inbound: Inbound, where: str
) -> tuple[Said, ...]:
    """Return the account of a CustomerAccountConfig: its customer and bill cycle.

    Raises:
        RejectedError: it, or its customer, has no id, or its instant cannot be told.
    """
    types = inbound.conventions.names
    thing, stated = filled(
        CustomerAccount,
        {"customer": ""},
        {
            "account": object_id(wire.mrid, wire.names, types.account, where=where),
            "customer": reference_id(wire.customer, types.customer, where=f"{where}/Customer"),
            "cycle": wire.billing_cycle,
        },
    )
    return (_said(thing, stated, wire.configuration_events, inbound, where),)


def object_from_account(
    told: Told, outbound: Outbound, _links: Sequence[Link]
) -> customer_account_config.CustomerAccount:
    """Return the CustomerAccountConfig object that says this of an account."""
    types, thing = outbound.conventions.names, told.thing
    mrid, names = identified(thing.account, types.account)
    customer = told.text("customer")
    return customer_account_config.CustomerAccount(
        mrid=mrid,
        billing_cycle=told.text("cycle"),
        configuration_events=outbound.event(thing.valid_from),
        names=names,
        customer=reference_to(customer, types.customer) if customer else None,
    )


def location_from_object(
    wire: service_location_config.ServiceLocation, inbound: Inbound, where: str
) -> tuple[Said, ...]:
    """Return the premise of a ServiceLocationConfig, and a link for each usage point that it names.

    Raises:
        RejectedError: it, or one of its usage points, has no id, or its instant cannot be told.
    """
    types = inbound.conventions.names
    location = object_id(wire.mrid, wire.names, types.location, where=where)
    thing, stated = filled(
        ServiceLocation,
        {},
        {
            "location": location,
            "address": address_from_street(wire.main_address) if wire.main_address is not None else None,
            "access_method": wire.access_method,
            "needs_inspection": wire.needs_inspection,
        },
    )
    premise = _said(thing, stated, wire.configuration_events, inbound, where)
    found = [premise]
    for n, reference in enumerate(wire.usage_points, 1):
        mrid, name = usage_point_id(reference.mrid, reference.names, types, where=f"{where}/UsagePoints[{n}]")
        found.append(said_link(Link(mrid, location=location, usage_point_name="" if mrid else name), premise.at))
    return tuple(found)


def object_from_location(
    told: Told, outbound: Outbound, links: Sequence[Link]
) -> service_location_config.ServiceLocation:
    """Return the ServiceLocationConfig object that says this of a premise; `links` are those of its usage points."""
    types, thing = outbound.conventions.names, told.thing
    mrid, names = identified(thing.location, types.location)
    return service_location_config.ServiceLocation(
        mrid=mrid,
        access_method=told.text("access_method"),
        needs_inspection=thing.needs_inspection if told.has("needs_inspection") else None,
        configuration_events=outbound.event(thing.valid_from),
        main_address=street_from_address(thing.address) if told.has("address") else None,
        names=names,
        usage_points=tuple(usage_point_reference(one.usage_point, one.usage_point_name, types) for one in links),
    )


def said_link(link: Link, at: datetime) -> Said:
    """Return a link as said: the ids that it bears are what is stated."""
    return Said(link, frozenset(name for name in Link.__slots__ if getattr(link, name)), at)


def _said(
    thing: Customer | CustomerAccount | ServiceLocation,
    stated: frozenset[str],
    event: ConfigurationEvent | None,
    inbound: Inbound,
    where: str,
) -> Said:
    """Return a thing with its instant and reason."""
    at = inbound.at(event, where=where)
    return Said(thing, stated, at, (event.reason or "") if event is not None else "")
