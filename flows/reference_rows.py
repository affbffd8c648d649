"""Rows of the masters' tables from holdings: what is written in bulk for every kind."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from canonical.codes.identity import UNKNOWN_METER
from canonical.errors import RejectedError
from canonical.holdings import FIELDS, Holding, Kind
from canonical.names import normal_serial
from flows.installation_parts import parted
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
    table, make = _ROWS[holding.kind]
    row = make(holding)
    if zone and holding.kind == "usage_point" and not row["zone"]:
        row["zone"] = zone
    return table, row


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


def _plain(kind: Kind, key: str, **defaults: Any) -> Callable[[Holding], Columns]:
    """Return what makes a row whose columns are the fields of a kind; a field that is not stated has its default."""
    empty: Columns = {**dict.fromkeys(FIELDS[kind], ""), **defaults}
    flags = [name for name, value in empty.items() if value is False]

    def make(holding: Holding) -> Columns:
        row = {**empty, **holding.facts, key: holding.object_id}
        row["valid_from"], row["valid_to"] = holding.valid_from, holding.valid_to
        for name in flags:
            row[name] = row[name] == "true"
        return row

    return make


_POINT = _plain("usage_point", "usage_point", commodity="ELECTRICITY", read_source="AMI")
_METER = _plain("meter", "meter", commodity="ELECTRICITY", multiplier="1", registers="[]")


def _usage_point(holding: Holding) -> Columns:
    """Return the row of a usage point; where it lies is kept apart."""
    row = _POINT(holding)
    del row["location"]
    return row


def _meter(holding: Holding) -> Columns:
    """Return the row of a meter."""
    row = _METER(holding)
    row["serial_normal"] = normal_serial(row["serial"])
    return row


def _cycle_day(holding: Holding) -> Columns:
    """Return the row of a date of a bill cycle."""
    cycle, _, business_date = holding.object_id.rpartition("/")
    start, end = (datetime.fromisoformat(holding.facts[name]) for name in ("period_start", "period_end"))
    return {"cycle": cycle, "business_date": business_date, "period_start": start, "period_end": end}


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


_ROWS: Mapping[Kind, tuple[Table, Callable[[Holding], Columns]]] = {
    "customer": (reference_masters.CUSTOMER, _plain("customer", "customer")),
    "account": (reference_masters.CUSTOMER_ACCOUNT, _plain("account", "account")),
    "location": (reference_masters.SERVICE_LOCATION, _plain("location", "location", needs_inspection=False)),
    "usage_point": (reference.USAGE_POINT, _usage_point),
    "meter": (reference_masters.METER, _meter),
    "agreement": (reference.AGREEMENT, _plain("agreement", "agreement", net_metering=False)),
    "topology": (reference_masters.TOPOLOGY, _plain("topology", "usage_point")),
    "bill_cycle_day": (reference.BILL_CYCLE_DAY, _cycle_day),
}
"""Where each kind is kept, and how."""
