"""What reconciliation knows now: systems, the last round, counts by class, cause and age, and each difference."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from flows.reconciliation import levels
from flows.reconciliation.person import Wanted
from flows.reconciliation.policy import Policy
from flows.reconciliation.repair import propose
from store import recon_differences, recon_runs, recon_snapshots
from store.rows import Row
from store.session import Session, Transaction

_PAGE = 2000

AGES = ((1, "under a day"), (7, "1 to 7 days"), (30, "7 to 30 days"))
"""Days below which a difference is of an age, and its name."""


@dataclass(frozen=True, slots=True)
class Group:
    """Differences of one system, class, thing and cause."""

    system: str
    klass: str
    level: str
    what: str
    """Kind, and field where one differs."""

    cause: str
    state: str
    age: str
    objects: int
    next_step: str


@dataclass(frozen=True, slots=True)
class Report:
    """How a site stands."""

    at: datetime
    systems: Mapping[str, Row]
    """Extract in force by system."""

    round: Row | None
    """The last round that was completed."""

    running: Row | None
    """The round under way."""

    groups: tuple[Group, ...]
    differences: tuple[Row, ...]
    """What is not closed, or what was asked for, by system, class, kind and id."""

    uneven: tuple[tuple[str, str, int, int], ...]
    """Label, system, the hub's count, the system's, where these differ (level 0)."""


def report(
    policy: Policy,
    wanted: Wanted,
    *,
    transaction: Transaction,
    now: datetime,
    closed: bool = False,
    limit: int = 100_000,
) -> Report:
    """Return how reconciliation stands; `closed` shows what was closed too, `limit` bounds the differences."""
    states = (*recon_differences.LIVE, "closed") if closed else recon_differences.LIVE
    with transaction() as session:
        rows = _rows(session, wanted, states, limit)
        runs = recon_runs.listed(session)
        systems = recon_snapshots.in_force(session)
    done = next((run for run in runs if run["state"] == "done"), None)
    running = next((run for run in runs if run["state"] == "running"), None)
    order = sorted(rows, key=lambda row: (row["system"], row["klass"], row["kind"], row["field"], row["object_id"]))
    return Report(now, systems, done, running, _groups(order, policy, now), tuple(order), _uneven(done))


def by_class(*, transaction: Transaction) -> dict[str, int]:
    """Return how many differences are not closed, by class."""
    found: dict[str, int] = {}
    with transaction() as session:
        for group in recon_differences.grouped(session):
            found[group["klass"]] = found.get(group["klass"], 0) + group["objects"]
    return found


def age_of(row: Row, now: datetime) -> str:
    """Return how old a difference is, in words."""
    days = (now - row["opened_at"]).total_seconds() / 86_400
    return next((word for below, word in AGES if days < below), "over 30 days")


def next_step(row: Row, policy: Policy) -> str:
    """Return what to do about a difference, in a few words."""
    if row["state"] == "closed":
        return "nothing"
    if row["state"] == "waived":
        return f"nothing: waived by {row['by']}"
    if row["state"] == "repairing":
        return f"wait for the next extract of {row['system']}"
    if row["klass"] == "LATE":
        return "wait: it is on its way"
    (one,) = propose([row], policy)
    if not one.way[0]:
        return f"{one.way[1]}: ask the owner of {row['system']}, or waive it"
    if row["cause"] == "mapping":
        return "mend the translation or the code list, then repair"
    return "repair: allowed without a person" if one.is_allowed else "repair by a person"


def _rows(session: Session, wanted: Wanted, states: tuple[str, ...], limit: int) -> list[Row]:
    rows: list[Row] = []
    after = ""
    while len(rows) < limit:
        page = recon_differences.selected(
            session, after=after, limit=min(_PAGE, limit - len(rows)), states=states, **wanted.columns()
        )
        if not page:
            break
        rows += page
        after = page[-1]["difference_id"]
    return rows


def _groups(rows: list[Row], policy: Policy, now: datetime) -> tuple[Group, ...]:
    """Return differences counted by system, class, thing, cause, state and age."""
    counts: dict[tuple[str, str, str, str, str, str, str, str], int] = {}
    for row in rows:
        what = f"{row['kind']}.{row['field']}" if row["field"] else row["kind"]
        key = (
            row["system"], row["klass"], row["level"], what, row["cause"], row["state"], age_of(row, now),
            next_step(row, policy),
        )  # fmt: skip
        counts[key] = counts.get(key, 0) + 1
    return tuple(
        Group(system, klass, level, what, cause, state, age, number, step)
        for (system, klass, level, what, cause, state, age, step), number in sorted(counts.items())
    )


def _uneven(done: Row | None) -> tuple[tuple[str, str, int, int], ...]:
    """Return where counts differ in the last round."""
    if done is None:
        return ()
    found: list[tuple[str, str, int, int]] = []
    for pair, counts in sorted(done["totals"].get("counts", {}).items()):
        found += levels.uneven(counts, pair.split(":")[0])
    return tuple(found)
