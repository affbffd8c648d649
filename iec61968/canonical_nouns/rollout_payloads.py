"""What a meter rollout tells systems, as payloads of IEC 61968-9: field orders, shipped meters, commissionings."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast
from zoneinfo import ZoneInfo

from lxml import etree

from canonical.codes import message as codes
from canonical.commissioning import Commissioning
from canonical.errors import RejectedError
from canonical.messages import Header
from canonical.periods import local_date
from canonical.rollout import FieldOrder, ShippedMeter
from iec61968.canonical_nouns.commissionings import master_data_of
from iec61968.canonical_nouns.conventions import MasterDataReading
from iec61968.canonical_nouns.field_orders import noun_from_orders
from iec61968.canonical_nouns.master_data import noun_element
from iec61968.canonical_nouns.saying import Outbound
from iec61968.canonical_nouns.shipped_meters import noun_from_modules, noun_from_shipped
from iec61968.editions import Edition
from iec61968.spoken_nouns import NOUNS

MODULES = "ComModuleConfig"
"""Noun of a header by which shipped meters are told as their communication modules."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """A payload, ready for its message."""

    noun: str
    verb: str
    """In the imperative."""

    element: etree._Element


def rollout_payload(header: Header, payload: Any, *, edition: Edition, conventions: MasterDataReading) -> Spoken | None:
    """Return what says field orders, shipped meters or commissionings; None for a payload of another kind.

    Shipped meters are received on the local day of the header's `effective_at`, else of its `created_at`.

    Raises:
        RejectedError: it cannot be said, or things of different kinds are mixed.
    """
    things: Sequence[Any] = payload if isinstance(payload, tuple) else (payload,)
    kind = type(things[0]) if things else None
    if kind not in (FieldOrder, ShippedMeter, Commissioning):
        return None
    if not all(isinstance(one, kind) for one in things):
        raise RejectedError("things of different kinds", code=codes.EXPORT_IMPOSSIBLE, where="Payload")
    if kind is Commissioning:
        data = master_data_of(things, conventions)
        return Spoken(data.noun, data.verb, noun_element(data, edition=edition, conventions=conventions))
    if kind is FieldOrder:
        return _spoken("MeterServiceRequests", things[0].verb, noun_from_orders(things, conventions), edition)
    at = header.effective_at or header.created_at
    if at is None:
        raise RejectedError("shipped meters without an instant", code=codes.EXPORT_IMPOSSIBLE, where="Header")
    day = local_date(at, ZoneInfo(conventions.zone))
    outbound = Outbound("create", conventions, at)
    if header.noun == MODULES:
        return _spoken(MODULES, "create", noun_from_modules(things, outbound, day), edition)
    return _spoken("MeterConfig", "create", noun_from_shipped(things, outbound, day), edition)


def _spoken(noun: str, verb: str, wire: object, edition: Edition) -> Spoken:
    return Spoken(noun, verb, cast("etree._Element", NOUNS[noun].to_xml(wire, edition=edition)))
