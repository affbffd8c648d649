"""Taking one chunk of a first-time load: kind after kind in the order in which they depend on each other."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from canonical.codes.master_load import PARENT_MISSING
from canonical.holdings import FIELDS, Kind
from flows.master_data_sync.records import EXISTENCE, Records
from flows.master_load import depth, hangings, versions
from flows.master_load.policy import History
from flows.master_load.stated import VERSIONED, Became, Entry
from flows.reference_rows import row_of
from store import reference, reference_bulk
from store.master_changes import Provenance
from store.reference import BILL_CYCLE_DAY, INSTALLATION
from store.session import Session


@dataclass(frozen=True, slots=True)
class Terms:
    """What a run was started with, as far as its items are concerned."""

    history: History
    months: int
    days: int
    zone: str
    """IANA zone of usage points that state none."""

    is_last_try: bool = False
    """Whether what still has no parent is an exception."""

    records: Records = field(default_factory=Records)
    """Who is the master of which field."""


def take(session: Session, entries: Sequence[Entry], terms: Terms, *, now: datetime) -> list[Became]:
    """Bring items into the masters and return what became of each, in their order; the caller holds the lock."""
    became: list[Became | None] = [None] * len(entries)
    for kind in FIELDS:
        places = [at for at, one in enumerate(entries) if one.holding.kind == kind]
        if not places:
            continue
        mine = [entries[at] for at in places]
        for at, end in zip(places, _take_kind(session, kind, mine, terms, now=now), strict=True):
            became[at] = end
    return [one for one in became if one is not None]


def _take_kind(session: Session, kind: Kind, entries: list[Entry], terms: Terms, *, now: datetime) -> list[Became]:
    """Take the items of one kind."""
    ends: list[Became | None] = [None] * len(entries)
    old = depth.too_old(session, entries, history=terms.history, months=terms.months, days=terms.days)
    for at in old:
        ends[at] = Became("BEFORE_HISTORY")
    wanted = [(at, one) for at, one in enumerate(entries) if at not in old]
    for at, parent in _orphans(session, wanted, terms.records).items():
        reason = f"nobody has told of {parent}"
        last = terms.is_last_try
        ends[at] = Became("EXCEPTION", str(PARENT_MISSING), reason) if last else Became("WAITING", reason=reason)
    open_places = [at for at, end in enumerate(ends) if end is None]
    if open_places:
        done = _load(session, kind, [entries[at] for at in open_places], terms, now=now)
        for at, end in zip(open_places, done, strict=True):
            ends[at] = end
    return [one for one in ends if one is not None]


def _load(session: Session, kind: Kind, entries: list[Entry], terms: Terms, *, now: datetime) -> list[Became]:
    """Load items that are wanted and have their parents."""
    if kind == "bill_cycle_day":
        return _load_cycle_days(session, entries, now=now)
    if kind == "installation":
        return hangings.load(session, entries, records=terms.records, now=now)
    loaded = versions.load(session, entries, zone=terms.zone, records=terms.records, now=now)
    if loaded.reconfigured:
        hangings.follow_configurations(session, loaded.reconfigured, now=now)
    return loaded.became


def _load_cycle_days(session: Session, entries: list[Entry], *, now: datetime) -> list[Became]:
    """Keep dates of bill cycles; one that is held already, value for value, is a repeat."""
    rows = [row_of(one.holding)[1] for one in entries]
    before = {(row["cycle"], row["business_date"]): row for row in _days_before(session, rows)}
    reference.record(session, BILL_CYCLE_DAY, rows, now=now, by=Provenance(is_load=True))
    return [Became("DUPLICATE" if _is_known(row, before) else "APPLIED") for row in rows]


def _days_before(session: Session, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return reference_bulk.held(session, BILL_CYCLE_DAY, "cycle", {row["cycle"] for row in rows})


def _is_known(row: dict[str, Any], before: dict[tuple[str, str], dict[str, Any]]) -> bool:
    was = before.get((row["cycle"], row["business_date"]))
    return was is not None and all(was[name] == value for name, value in row.items())


def _orphans(session: Session, entries: list[tuple[int, Entry]], records: Records) -> dict[int, str]:
    """Return the places of items of one kind whose parents are not there, with the first that is missing.

    What tells of a thing without being its master needs the thing itself, as its master tells of it.
    """
    wanted: dict[Kind, set[str]] = {}
    needs: dict[int, tuple[tuple[Kind, str], ...]] = {}
    for at, one in entries:
        own = one.holding.kind
        needs[at] = one.parents
        if own in VERSIONED and not records.owns(one.role, own, EXISTENCE):
            needs[at] = ((own, one.holding.object_id), *one.parents)
        for kind, name in needs[at]:
            wanted.setdefault(kind, set()).add(name)
    there = {kind: _KNOWN.get(kind, _versioned)(session, kind, names) for kind, names in wanted.items()}
    found: dict[int, str] = {}
    for at, _ in entries:
        missing = [f"{kind} {name}" for kind, name in needs[at] if name not in there[kind]]
        if missing:
            found[at] = missing[0]
    return found


def _versioned(session: Session, kind: Kind, names: set[str]) -> set[str]:
    master = VERSIONED[kind]
    return reference_bulk.known(session, master.table, master.key, names)


def _meters(session: Session, kind: Kind, names: set[str]) -> set[str]:
    """Return the meters that are known; one of which only is known where it hangs, by a reference file, is."""
    found = _versioned(session, kind, names)
    return found | reference_bulk.known(session, INSTALLATION, "meter", names - found)


_KNOWN: dict[Kind, Callable[[Session, Kind, set[str]], set[str]]] = {"meter": _meters}
