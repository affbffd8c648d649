"""Meters at usage points, each with the configuration that holds there and then.

A link says that a meter hangs; its master says how it is configured. An installation is both: where the configuration
changes while the meter hangs (another transformer ratio), one installation ends and the next begins at that instant.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from canonical.metering import FAR_FUTURE
from flows.installation_parts import OF_METER, merged, parted
from store import reference, reference_masters
from store.master_changes import Provenance
from store.reference import INSTALLATION
from store.rows import Row
from store.session import Session

Columns = dict[str, Any]


def of_meter(session: Session, meter: str) -> list[Row]:
    """Return where a meter hangs and hung, in order; parts of one stay are one row each."""
    rows = reference.current(session, INSTALLATION, "meter", {meter})
    return sorted(rows, key=lambda row: (row["installed_at"], row["removed_at"] or FAR_FUTURE))


def at_usage_point(session: Session, usage_point: str) -> list[Row]:
    """Return what hangs and hung at a usage point, in order."""
    rows = reference.current(session, INSTALLATION, "usage_point", {usage_point})
    return sorted(rows, key=lambda row: (row["installed_at"], row["removed_at"] or FAR_FUTURE))


def commodity_of(session: Session, meter: str, at: datetime) -> str:
    """Return what a meter measures."""
    return str(_configuration(session, meter, at)["commodity"])


def hang(
    session: Session,
    meter: str,
    usage_point: str,
    at: datetime,
    until: datetime | None = None,
    *,
    by: Provenance,
    now: datetime,
) -> None:
    """Record that a meter hangs at a usage point from an instant on, as far as is known for good."""
    rows = of_meter(session, meter)
    fresh = {
        "meter": meter, "usage_point": usage_point, "installed_at": at, "removed_at": until, "split": None,
        **_configuration(session, meter, at),
    }  # fmt: skip
    _keep(session, meter, rows, [*(_columns(row) for row in rows), fresh], by=by, now=now)


def take_away(session: Session, row: Row, at: datetime, *, by: Provenance, now: datetime) -> None:
    """Record that a meter does not hang any more from an instant on; parts of its stay behind that fall away."""
    rows = of_meter(session, row["meter"])
    kept = []
    for one in rows:
        if one["usage_point"] == row["usage_point"] and (one["row"] == row["row"] or _is_later_part(one, row)):
            if one["split"] and one["installed_at"] >= at:
                continue
            kept.append({**_columns(one), "removed_at": at if (one["removed_at"] or FAR_FUTURE) > at else
                         one["removed_at"]})  # fmt: skip
        else:
            kept.append(_columns(one))
    _keep(session, row["meter"], rows, kept, by=by, now=now)


def move(session: Session, row: Row, column: str, at: datetime, *, by: Provenance, now: datetime) -> None:
    """Record that a stay begins (`installed_at`) or ends (`removed_at`) at another instant than a row says."""
    rows = of_meter(session, row["meter"])
    kept = [{**_columns(one), column: at} if one["row"] == row["row"] else _columns(one) for one in rows]
    _keep(session, row["meter"], rows, kept, by=by, now=now)


def forget(session: Session, row: Row, *, by: Provenance, now: datetime) -> None:
    """Take back that a meter ever hung where a row says."""
    rows = of_meter(session, row["meter"])
    _keep(session, row["meter"], rows, [_columns(one) for one in rows if one["row"] != row["row"]], by=by, now=now)


def follow_configuration(session: Session, meter: str, *, by: Provenance, now: datetime) -> None:
    """Bring the installations of a meter to its configurations as they are known now."""
    rows = of_meter(session, meter)
    if rows:
        _keep(session, meter, rows, [_columns(row) for row in rows], by=by, now=now)


def _keep(
    session: Session, meter: str, old: list[Row], stays: Sequence[Columns], *, by: Provenance, now: datetime
) -> None:
    """Record the stays of a meter, parted where its configuration changes."""
    configurations = _configurations(session, meter)
    whole = merged(sorted(stays, key=lambda one: (one["installed_at"], one["removed_at"] or FAR_FUTURE)))
    wanted = [part for stay in whole for part in parted(stay, configurations)] if configurations else list(stays)
    reference.replace(session, INSTALLATION, old, wanted, by=by, now=now)


def _configurations(session: Session, meter: str) -> list[Row]:
    rows = reference.current(session, reference_masters.METER, "meter", {meter})
    return sorted(rows, key=lambda row: row["valid_from"])


def _configuration(session: Session, meter: str, at: datetime) -> Columns:
    """Return a meter's configuration at an instant: its master's, else that of where it hung last."""
    rows = _configurations(session, meter)
    begun = [row for row in rows if row["valid_from"] <= at]
    hung = of_meter(session, meter)
    known = begun[-1] if begun else rows[0] if rows else hung[-1]
    found = {name: known[name] for name in OF_METER}
    if hung and found["registers"] == "[]":
        found["registers"] = hung[-1]["registers"]
    return found


def _is_later_part(one: Row, row: Row) -> bool:
    return bool(one["split"]) and one["installed_at"] > row["installed_at"]


def _columns(row: Row) -> Columns:
    """Return the content of a row."""
    return {name: row[name] for name in _KEPT}


_KEPT = (
    *("meter", "usage_point", "installed_at", "removed_at", "split"),
    *OF_METER,
)
