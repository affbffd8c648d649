"""Which master each kind of thing is kept in, under which id, and what one statement says of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from canonical.customers import CustomerAgreement
from canonical.holdings import registers_text
from canonical.master_data import Customer, CustomerAccount, ServiceLocation
from canonical.master_data import Meter as MasterMeter
from canonical.metering import TopologyLink, UsagePoint
from canonical.names import normal_serial
from flows.master_data_sync.said import Said
from flows.reference import multiplier_text
from store import reference, reference_masters

Facts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Master:
    """One master and how things of a kind are kept in it."""

    table: Any
    key: str
    """Column that holds the id."""

    object_type: str
    """CIM class."""

    defaults: Mapping[str, Any]
    """What holds of a field that nobody has stated."""

    facts: Callable[[Any], Facts]
    """Columns by the thing, as stored."""

    columns: Mapping[str, tuple[str, ...]]
    """Columns of a field of the thing, where they are not named alike."""

    constant: frozenset[str] = frozenset()
    """Columns that a change says only where it names them: their value is never empty."""

    def stated(self, said: Said) -> Facts:
        """Return what is applied of a statement: the named fields, or whatever is not empty where none is named."""
        return {name: value for name, value in self._stated(said).items() if name not in said.withheld}

    def _stated(self, said: Said) -> Facts:
        facts = self.facts(said.thing)
        if said.spans and said.stated is not None:
            named = {column for one in said.stated for column in self.columns.get(one, (one,))}
            return {name: value for name, value in facts.items() if name in named}
        if said.stated is None or said.verb == "create":
            kept = {name: value for name, value in facts.items() if value not in ("", None, False, "[]", "0")}
        else:
            named = {column for one in said.stated for column in self.columns.get(one, (one,))}
            return {name: value for name, value in facts.items() if name in named}
        if said.verb != "create":
            kept = {name: value for name, value in kept.items() if name not in self.constant}
        return kept


_ADDRESS = ("street", "number", "suite", "town", "region", "postal_code", "country")


def _plain(*names: str) -> Callable[[Any], Facts]:
    return lambda thing: {name: getattr(thing, name) for name in names}


def _location(thing: ServiceLocation) -> Facts:
    place = {name: getattr(thing.address, name) for name in _ADDRESS}
    return {**place, "access_method": thing.access_method, "needs_inspection": thing.needs_inspection}


def _meter(thing: MasterMeter) -> Facts:
    return {
        "manufacturer": thing.manufacturer, "serial": thing.serial, "serial_normal": normal_serial(thing.serial),
        "commodity": thing.commodity, "multiplier": multiplier_text(thing.multiplier),
        "registers": registers_text(thing.registers) if thing.registers else "[]", "model": thing.model,
        "firmware": thing.firmware, "status": thing.status,
    }  # fmt: skip


def _empty(*names: str, **others: Any) -> Facts:
    return {**dict.fromkeys(names, ""), **others}


MASTERS: Mapping[type, Master] = {
    Customer: Master(
        reference_masters.CUSTOMER,
        "customer",
        "Customer",
        _empty("kind", "name", "telephone", "special_need"),
        _plain("kind", "name", "telephone", "special_need"),
        {},
    ),
    CustomerAccount: Master(
        reference_masters.CUSTOMER_ACCOUNT,
        "account",
        "CustomerAccount",
        _empty("customer", "cycle"),
        _plain("customer", "cycle"),
        {},
    ),
    ServiceLocation: Master(
        reference_masters.SERVICE_LOCATION,
        "location",
        "ServiceLocation",
        _empty(*_ADDRESS, "access_method", needs_inspection=False),
        _location,
        {"address": _ADDRESS, **{f"address.{name}": (name,) for name in _ADDRESS}},
    ),
    CustomerAgreement: Master(
        reference.AGREEMENT,
        "agreement",
        "CustomerAgreement",
        _empty("account", "usage_point", "customer_class", "tariff", "cycle", "tou_calendar", net_metering=False),
        _plain("account", "usage_point", "customer_class", "tariff", "cycle", "tou_calendar", "net_metering"),
        {},
    ),
    UsagePoint: Master(
        reference.USAGE_POINT,
        "usage_point",
        "UsagePoint",
        _empty("name", "zone", "district", "route", commodity="ELECTRICITY", read_source="AMI"),
        _plain("name", "zone", "commodity", "read_source", "district", "route"),
        {},
        frozenset({"zone", "commodity"}),
    ),
    MasterMeter: Master(
        reference_masters.METER,
        "meter",
        "Meter",
        _empty(
            *("manufacturer", "serial", "serial_normal", "model", "firmware", "status"),
            commodity="ELECTRICITY", multiplier="1", registers="[]",
        ),
        _meter,
        {"serial": ("serial", "serial_normal")},
        frozenset({"commodity"}),
    ),
    TopologyLink: Master(
        reference_masters.TOPOLOGY,
        "usage_point",
        "TopologyLink",
        _empty("transformer", "feeder"),
        _plain("transformer", "feeder"),
        {},
    ),
}  # fmt: skip
"""Every kind of thing that has versions of its own; what links them is in `links`."""

PREMISE = Master(
    reference_masters.USAGE_POINT_LOCATION,
    "usage_point",
    "UsagePoint",
    _empty("location"),
    _plain("location"),
    {},
)
"""Which premise a usage point lies at, as links state it."""


def begins_at(said: Said) -> datetime:
    """Return the instant from which a statement holds: the thing's own, else the message's."""
    own: datetime | None = getattr(said.thing, "valid_from", None)
    return own if own is not None and said.verb in ("create", "change") else said.effective_at
