"""Meters that a head-end takes into service, or out of it, as master data: a status, or a link (by its settings)."""

from collections.abc import Sequence
from decimal import Decimal

from canonical.codes import message as codes
from canonical.commissioning import Commissioning
from canonical.errors import RejectedError
from canonical.master_data import Link, MasterData, Meter
from iec61968.canonical_nouns.conventions import MasterDataReading

REASON = "changeStatus"
"""Reason of the ConfigurationEvents of a step in a meter's life."""


def master_data_of(told: Sequence[Commissioning], conventions: MasterDataReading) -> MasterData:
    """Return what a head-end is told of meters, in the words of its settings.

    Raises:
        RejectedError: there is none; or links of different acts or instants, which go in messages apart.
    """
    if not told:
        raise RejectedError("nothing is commissioned", code=codes.EXPORT_IMPOSSIBLE, where="Commissioning")
    return _links(told) if conventions.commission_as == "linkage" else _statuses(told, conventions)


def _statuses(told: Sequence[Commissioning], conventions: MasterDataReading) -> MasterData:
    """Return the change of the status of each meter, each at its own instant."""
    words = {"COMMISSION": conventions.commissioned, "DECOMMISSION": conventions.decommissioned}
    first = min(one.at for one in told)
    meters = tuple(
        Meter(
            one.meter, one.manufacturer, one.serial, conventions.commodity, Decimal(1), status=words[one.act],
            valid_from=one.at if one.at != first else None,
        )
        for one in told
    )  # fmt: skip
    stated = tuple(frozenset({"manufacturer", "serial", "status"}) for _ in told)
    return MasterData("change", "MeterConfig", first, meters, REASON, stated)


def _links(told: Sequence[Commissioning]) -> MasterData:
    """Return the links that begin, or end, at one instant."""
    if len({(one.act, one.at) for one in told}) != 1:
        raise RejectedError(
            "links that begin and end, or at different instants", code=codes.EXPORT_IMPOSSIBLE, where="Commissioning"
        )
    links = tuple(
        Link(
            one.usage_point, meter=one.meter, serial="" if one.meter else one.serial,
            usage_point_name="" if one.usage_point else one.usage_point_name,
        )
        for one in told
    )  # fmt: skip
    if told[0].act == "COMMISSION":
        return MasterData("create", "MasterDataLinkageConfig", told[0].at, links)
    fields = frozenset({"usage_point", "meter"})
    return MasterData("close", "MasterDataLinkageConfig", told[0].at, links, stated=tuple(fields for _ in links))
