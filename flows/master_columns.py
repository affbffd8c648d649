"""How each kind of master is kept: its table, the column of its id, and its columns from whatever states it.

The one place that turns canonical things and holdings of files into columns as stored; reference files, messages, files
of changes and first-time loads all come here, so that the same statement gives the same row whoever makes it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from canonical.holdings import Holding, Kind, registers_text
from canonical.master_data import Meter, ServiceLocation
from canonical.names import normal_serial
from store import reference, reference_masters

Facts = dict[str, Any]
"""Columns of one thing as stored, without its id and the span in which it holds."""


@dataclass(frozen=True, slots=True)
class Kept:
    """How things of one kind are kept."""

    table: Any
    """A table of `store.reference` or `store.reference_masters`."""

    key: str
    """Column that holds the id."""

    defaults: Mapping[str, Any]
    """Every other column that somebody states, with what holds where nobody does."""

    facts: Callable[[Any], Facts]
    """Columns by the canonical thing."""

    def row_of(self, thing: Any) -> Facts:
        """Return the whole row of a canonical thing that says itself when it holds."""
        key = {self.key: getattr(thing, self.key)}
        return {**key, **self.facts(thing), "valid_from": thing.valid_from, "valid_to": thing.valid_to}


ADDRESS = ("street", "number", "suite", "town", "region", "postal_code", "country")
"""Columns of a premise's address."""


def multiplier_text(multiplier: Decimal) -> str:
    """Return a multiplier as a row holds it: equal numbers are equal text."""
    return format(Decimal(multiplier).normalize(), "f")


def _kept(table: Any, key: str, *names: str, **defaults: Any) -> Kept:
    """Return how a kind is kept whose fields are named as its columns; `names` are empty where nobody states them."""
    every = {**dict.fromkeys(names, ""), **defaults}
    return Kept(table, key, every, lambda thing: {name: getattr(thing, name) for name in every})


def _location(thing: ServiceLocation) -> Facts:
    place = {name: getattr(thing.address, name) for name in ADDRESS}
    return {**place, "access_method": thing.access_method, "needs_inspection": thing.needs_inspection}


def _meter(thing: Meter) -> Facts:
    return {
        "manufacturer": thing.manufacturer, "serial": thing.serial, "serial_normal": normal_serial(thing.serial),
        "commodity": thing.commodity, "multiplier": multiplier_text(thing.multiplier),
        "registers": registers_text(thing.registers) if thing.registers else "[]", "model": thing.model,
        "firmware": thing.firmware, "status": thing.status,
    }  # fmt: skip


_METER = {
    **dict.fromkeys(("manufacturer", "serial", "serial_normal", "model", "firmware", "status"), ""),
    "commodity": "ELECTRICITY", "multiplier": "1", "registers": "[]",
}  # fmt: skip

KEPT: Mapping[Kind, Kept] = {
    "customer": _kept(reference_masters.CUSTOMER, "customer", "kind", "name", "telephone", "special_need"),
    "account": _kept(reference_masters.CUSTOMER_ACCOUNT, "account", "customer", "cycle"),
    "location": Kept(
        reference_masters.SERVICE_LOCATION,
        "location",
        {**dict.fromkeys((*ADDRESS, "access_method"), ""), "needs_inspection": False},
        _location,
    ),
    "usage_point": _kept(
        *(reference.USAGE_POINT, "usage_point", "name", "zone", "district", "route"),
        commodity="ELECTRICITY", read_source="AMI",
    ),
    "meter": Kept(reference_masters.METER, "meter", _METER, _meter),
    "agreement": _kept(
        *(reference.AGREEMENT, "agreement", "account", "usage_point", "customer_class", "tariff", "cycle"),
        tou_calendar="", net_metering=False,
    ),
    "topology": _kept(reference_masters.TOPOLOGY, "usage_point", "transformer", "feeder"),
}  # fmt: skip
"""Every kind that has versions of its own."""

PREMISE_KEPT = _kept(reference_masters.USAGE_POINT_LOCATION, "usage_point", "location")
"""Where a usage point lies; it has versions apart from the usage point's."""

_FLAGS: Mapping[Kind, str] = {"location": "needs_inspection", "agreement": "net_metering"}


def stated_in(holding: Holding) -> Facts:
    """Return the columns that a holding of a versioned kind states; the premise of a usage point is kept elsewhere."""
    stated: Facts = dict(holding.facts)
    match holding.kind:
        case "meter":
            if "serial" in stated:
                stated["serial_normal"] = normal_serial(stated["serial"])
        case "usage_point":
            stated.pop("location", None)
        case "location" | "agreement":
            flag = _FLAGS[holding.kind]
            if flag in stated:
                stated[flag] = stated[flag] == "true"
    return stated
