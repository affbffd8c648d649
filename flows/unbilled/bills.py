"""Which bills stand: what the CIS says it billed, less what it took back, and what each leaves open (ruling 3)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import pairwise
from typing import Any

from canonical.periods import Period
from flows.billing_exchange.stored import determinant_from_text, from_micro, last_bill
from flows.unbilled.subject import ZERO, Bill, RegisterKey
from store import determinants
from store.session import Session

Row = Mapping[str, Any]


@dataclass(slots=True)
class Billed:
    """What is billed of one usage point and commodity."""

    standing: list[tuple[Bill, str]] = field(default_factory=list)
    """Bills that stand, oldest first, each with the id of its determinant."""

    taken_back: list[Period] = field(default_factory=list)
    """Periods whose bill was taken back; another bill may stand for them."""


def billed_of(
    session: Session, usage_points: Collection[str], span: Period, *, noticed: Collection[str], horizon_days: int
) -> dict[tuple[str, str], Billed]:
    """Return what is billed of some usage points within a span, by usage point and commodity.

    `noticed` are the determinants about which a correction notice is out.
    """
    found: dict[tuple[str, str], Billed] = {}
    earlier = determinants.before(session, usage_points, span, limit_days=horizon_days)
    names = {row["determinant_id"] for rows in earlier.values() for row in rows}
    events: dict[str, list[Row]] = {}
    for one in determinants.billed(session, names):
        events.setdefault(one["determinant_id"], []).append(one)
    standing = {name: stands(rows) for name, rows in events.items()}
    older = _older_versions(session, earlier, standing)
    for key, rows in earlier.items():
        mine = found[key] = Billed()
        for row in sorted(rows, key=lambda r: (r["period_start"], r["period_end"])):
            bill = standing.get(row["determinant_id"])
            if bill is not None:
                made = _bill(row, bill, older, is_noticed=row["determinant_id"] in noticed)
                mine.standing.append((made, row["determinant_id"]))
            elif row["determinant_id"] in events:
                mine.taken_back.append(Period(row["period_start"], row["period_end"]))
    _with_starts(session, found, standing)
    return found


def stands(events: Sequence[Row]) -> Row | None:
    """Return the latest row of a bill that stands among what was told of one determinant, in order of time; or None."""
    last: dict[str, Row] = {}
    for one in events:
        last[one["bill_id"]] = one
    standing = [one for one in last.values() if one["event"] != "CANCELLED"]
    return standing[-1] if standing else None


def _older_versions(
    session: Session, earlier: Mapping[tuple[str, str], Sequence[Row]], standing: Mapping[str, Row | None]
) -> dict[str, Row]:
    """Return the billed versions of determinants of which there is a later one."""
    latest = {row["determinant_id"]: row["version"] for rows in earlier.values() for row in rows}
    wanted = {(n, b["version"]) for n, b in standing.items() if b is not None and b["version"] != latest[n]}
    return {name: row for (name, _), row in determinants.payloads(session, wanted).items()}


def _bill(latest: Row, billed: Row, older: Mapping[str, Row], *, is_noticed: bool) -> Bill:
    """Return the bill that stands on a determinant, whose latest version is given."""
    version = older.get(latest["determinant_id"], latest)
    carried = last_bill(version)
    corrected = ZERO
    if version is not latest and last_bill(latest).stops == carried.stops:
        # With other stop reads, the next bill settles the difference: it begins where this one ended.
        corrected = from_micro(latest["quantity_micro"] - version["quantity_micro"])
    return Bill(
        period=carried.period,
        quantity=from_micro(billed["quantity_micro"]),
        daily_use=carried.daily_quantity,
        days=version["days"],
        stops=carried.stops,
        residuals=carried.residuals,
        is_estimated=bool(carried.consecutive_estimates),
        is_assumed=bool(billed["assumed"]),
        corrected=corrected,
        misbilled=from_micro(version["quantity_micro"] - billed["quantity_micro"]),
        is_noticed=is_noticed,
    )


def _with_starts(session: Session, found: Mapping[tuple[str, str], Billed], standing: Mapping[str, Row | None]) -> None:
    """Give bills their start reads where a gap lies before them."""
    wanted: dict[tuple[str, int], None] = {}
    for mine in found.values():
        for (before, _), (after, name) in pairwise(mine.standing):
            bill = standing[name]
            if before.period.end < after.period.start and bill is not None:
                wanted[name, bill["version"]] = None
    starts = {name: _starts(row["payload"]) for (name, _), row in determinants.payloads(session, wanted).items()}
    for mine in found.values():
        mine.standing = [
            (replace(bill, starts=starts[name]) if name in starts else bill, name) for bill, name in mine.standing
        ]


def _starts(payload: str) -> dict[RegisterKey, Decimal]:
    """Return the start reads of a determinant."""
    uses = determinant_from_text(payload).registers
    return {(use.meter, use.register): use.start_read for use in uses if use.start_read is not None}
