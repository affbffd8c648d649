"""Rows of the masters' tables from holdings: what is written in bulk for every kind."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from canonical.codes.identity import UNKNOWN_METER
from canonical.errors import RejectedError
from canonical.holdings import Holding
from flows.installation_parts import parted
from flows.master_columns import KEPT, stated_in
from store import reference, reference_masters
from store.rows import Row
from store.session import Session

Columns = dict[str, Any]
"""Content of one row by column, as stored; rows of one table have the same columns."""

Table = Any
"""A table of `store.reference` or `store.reference_masters`."""

Configurations = Mapping[str, Sequence[Mapping[str, Any]]]
"""Rows of the meters' master by mRID, in order of `valid_from`."""


def rows_of(
    holding: Holding, *, zone: str = "", configurations: Configurations | None = None
) -> list[tuple[Table, Columns]]:
    """Return the rows that a holding makes, with the table of each; what it does not state has its default.

    One row, but: a usage point whose premise is stated makes a second one for that; an installation makes one for each
    configuration that its meter has while it hangs, by `configurations` (see `configurations_of`). `zone` is the IANA
    zone of usage points that state none.

    Raises:
        RejectedError: UNKNOWN_METER: an installation of a meter of which `configurations` has none.
    """
    if holding.kind == "installation":
        return _installation(holding, configurations or {})
    found = [row_of(holding, zone=zone)]
    if holding.kind == "usage_point" and "location" in holding.facts:
        found.append((reference_masters.USAGE_POINT_LOCATION, premise_of(holding)))
    return found


def row_of(holding: Holding, *, zone: str = "") -> tuple[Table, Columns]:
    """Return the row of a holding of any kind but an installation, and its table; without a usage point's premise.

    Raises:
        KeyError: it is an installation, whose rows need its meter (`rows_of`).
    """
    if holding.kind == "bill_cycle_day":
        return reference.BILL_CYCLE_DAY, _cycle_day(holding)
    kept = KEPT[holding.kind]
    row = {**kept.defaults, **stated_in(holding), kept.key: holding.object_id}
    row["valid_from"], row["valid_to"] = holding.valid_from, holding.valid_to
    if zone and holding.kind == "usage_point" and not row["zone"]:
        row["zone"] = zone
    return kept.table, row


def premise_of(holding: Holding) -> Columns:
    """Return the row of the premise at which a usage point lies, as its holding states it."""
    return {
        "usage_point": holding.object_id, "location": holding.facts["location"], "valid_from": holding.valid_from,
        "valid_to": holding.valid_to,
    }  # fmt: skip


def configurations_of(session: Session, meters: Collection[str]) -> dict[str, list[Row]]:
    """Return what the meters' master now says of some meters (mRIDs), each in order of `valid_from`, in one query."""
    found: dict[str, list[Row]] = {}
    for row in reference.current(session, reference_masters.METER, "meter", meters):
        found.setdefault(row["meter"], []).append(row)
    for rows in found.values():
        rows.sort(key=_begin)
    return found


def _begin(row: Mapping[str, Any]) -> datetime:
    begin: datetime = row["valid_from"]
    return begin


def _cycle_day(holding: Holding) -> Columns:
    """Return the row of a date of a bill cycle."""
    cycle, _, day = holding.object_id.rpartition("/")
    start, end = (datetime.fromisoformat(holding.facts[name]) for name in ("period_start", "period_end"))
    return {
        "cycle": cycle,
        "business_date": date.fromisoformat(day).isoformat(),
        "period_start": start,
        "period_end": end,
    }


def _installation(holding: Holding, configurations: Configurations) -> list[tuple[Table, Columns]]:
    """Return the rows of a meter at a usage point, one for each configuration that holds while it hangs."""
    meter = holding.facts["meter"]
    known = configurations.get(meter)
    if not known:
        reason = f"no master has told of the meter of {holding.object_id}"
        raise RejectedError(reason, code=UNKNOWN_METER, where=holding.object_id)
    stay = {
        "meter": meter, "usage_point": holding.facts["usage_point"], "installed_at": holding.valid_from,
        "removed_at": holding.valid_to, "split": None,
    }  # fmt: skip
    return [(reference.INSTALLATION, part) for part in parted(stay, known)]
