"""Loading many installations at once: where meters hang and hung, with the configuration that holds there and then.

I1 is held for each: a meter hangs at one usage point at a time, a usage point has one meter of a commodity.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from canonical.codes.linkage import ALREADY_LINKED, FIELD_NOT_OWNED, PERIODS_INTERSECT
from canonical.codes.master_load import ENDS_OTHERWISE
from canonical.errors import ErrorCode
from canonical.granularity import SECOND, Grain, same_time
from canonical.metering import FAR_FUTURE
from flows.installation_parts import OF_METER, merged, parted
from flows.master_data_sync.records import Records
from flows.master_load.stated import Became, Entry
from flows.reference_rows import configurations_of
from store import reference_bulk
from store.reference import INSTALLATION
from store.reference_bulk import Writing
from store.rows import Row
from store.session import Session

Stay = dict[str, Any]
"""Content of one row of an installation, or of several that only a change of configuration parts."""

_KEPT = ("meter", "usage_point", "installed_at", "removed_at", "split", *OF_METER)


def load(session: Session, entries: Sequence[Entry], *, records: Records, now: datetime) -> list[Became]:
    """Load installations whose usage points and meters are there; `now` is business time.

    Of a system that does not say here where meters hang nothing is believed.
    """
    meters = {one.holding.facts["meter"] for one in entries}
    points = {one.holding.facts["usage_point"] for one in entries}
    book = _open(session, meters, points)
    became = [Became("APPLIED")] * len(entries)
    for at, one in sorted(enumerate(entries), key=lambda pair: (pair[1].holding.valid_from, pair[0])):
        became[at] = book.take(one, is_master=records.owns(one.role, "installation", "meter"))
    book.write(session, book.touched, now=now)
    _note_origins(session, entries, became)
    return became


def _note_origins(session: Session, entries: Sequence[Entry], became: Sequence[Became]) -> None:
    """Remember who said first that meters hang, so that histories can tell."""
    fresh = {
        entry.holding.object_id: entry.role
        for entry, end in zip(entries, became, strict=True)
        if end.disposition == "APPLIED"
    }
    known = reference_bulk.origins(session, "installation", fresh)
    new = {name: role for name, role in fresh.items() if name not in known}
    reference_bulk.note_origins(session, "installation", new)


def follow_configurations(session: Session, meters: Collection[str], *, now: datetime) -> None:
    """Bring the installations of meters to their configurations as they are known now."""
    book = _open(session, meters, ())
    book.write(session, [meter for meter in sorted(meters) if meter in book.rows], now=now)


@dataclass(slots=True)
class _Book:
    """What is known of some meters and usage points while installations are loaded."""

    configurations: Mapping[str, Sequence[Mapping[str, Any]]]
    rows: dict[str, list[Row]]
    """Rows of the meters that are spoken of."""

    stays: dict[str, list[Stay]]
    """By meter, in order."""

    at_point: dict[str, list[Stay]]
    """By usage point, of whatever meter; of those that are spoken of whole stays, of others their parts."""

    touched: dict[str, None] = field(default_factory=dict)
    """Meters whose rows are to be written, in order."""

    def take(self, entry: Entry, *, is_master: bool) -> Became:
        """Take one installation, unless it is there already, cannot be, or its system is not asked."""
        facts, holding = entry.holding.facts, entry.holding
        meter, point = facts["meter"], facts["usage_point"]
        for stay in self.stays.get(meter, ()):
            if stay["usage_point"] == point and _is_same(stay["installed_at"], holding.valid_from, entry.grain):
                return self._again(stay, holding.valid_to if is_master else stay["removed_at"], entry.grain)
        if not is_master:
            return Became("SUPERSEDED", str(FIELD_NOT_OWNED), f"{entry.role} does not say here where meters hang")
        fresh = self._fresh(meter, point, holding.valid_from, holding.valid_to)
        for stay in (*self.stays.get(meter, ()), *self.at_point.get(point, ())):
            excludes = stay["meter"] == meter or stay["commodity"] == fresh["commodity"]
            if excludes and _overlaps(stay, fresh):
                return _conflict(stay, fresh)
        self.stays.setdefault(meter, []).append(fresh)
        self.at_point.setdefault(point, []).append(fresh)
        self.touched[meter] = None
        return Became("APPLIED")

    def _again(self, stay: Stay, ends: datetime | None, grain: Grain) -> Became:
        """Take an installation that is known from the same instant on, as finely as its system keeps time."""
        removed = stay["removed_at"]
        if removed == ends or (removed is not None and ends is not None and _is_same(removed, ends, grain)):
            return Became("DUPLICATE")
        if ends is None:
            return Became("SUPERSEDED", reason=f"it ended at {stay['removed_at'].isoformat()}, as the hub was told")
        if stay["removed_at"] is not None:
            return _exception(ENDS_OTHERWISE, f"the hub was told that it ended at {stay['removed_at'].isoformat()}")
        stay["removed_at"] = ends
        self.touched[stay["meter"]] = None
        return Became("APPLIED")

    def _fresh(self, meter: str, point: str, begins: datetime, ends: datetime | None) -> Stay:
        """Return a new stay with the configuration that the meter has at its beginning."""
        versions, hung = self.configurations.get(meter, ()), self.rows.get(meter, [])
        begun = [one for one in versions if one["valid_from"] <= begins]
        known = begun[-1] if begun else versions[0] if versions else hung[-1]
        stay = {name: known[name] for name in OF_METER}
        if hung and stay["registers"] == "[]":
            stay["registers"] = hung[-1]["registers"]
        place = {"meter": meter, "usage_point": point, "installed_at": begins, "removed_at": ends, "split": None}
        return {**place, **stay}

    def write(self, session: Session, meters: Collection[str], *, now: datetime) -> None:
        """Bring the rows of some meters to their stays, parted where their configuration changes."""
        writing = Writing()
        for meter in meters:
            versions = self.configurations.get(meter, ())
            stays = merged(sorted(self.stays.get(meter, ()), key=_order))
            wanted = [part for stay in stays for part in parted(stay, versions)] if versions else stays
            _differ(self.rows.get(meter, ()), wanted, writing, now=now)
        reference_bulk.write(session, INSTALLATION, writing, now=now)


def _open(session: Session, meters: Collection[str], points: Collection[str]) -> _Book:
    """Return what is known of meters, and of what hangs at usage points, in three looks."""
    mine = reference_bulk.held(session, INSTALLATION, "meter", meters)
    there = reference_bulk.held(session, INSTALLATION, "usage_point", points)
    rows: dict[str, list[Row]] = {}
    for row in mine:
        rows.setdefault(row["meter"], []).append(row)
    stays = {meter: merged(sorted(map(_columns, own), key=_order)) for meter, own in rows.items()}
    at_point: dict[str, list[Stay]] = {}
    for stay in (one for own in stays.values() for one in own):
        at_point.setdefault(stay["usage_point"], []).append(stay)
    for row in there:
        if row["meter"] not in rows:
            at_point.setdefault(row["usage_point"], []).append(row)
    return _Book(configurations_of(session, meters), rows, stays, at_point)


def _differ(rows: Sequence[Row], wanted: Sequence[Stay], writing: Writing, *, now: datetime) -> None:
    """Note what differs between the rows of one meter and what is wanted."""
    before = {(row["usage_point"], row["installed_at"]): row for row in rows}
    for stay in wanted:
        was = before.pop((stay["usage_point"], stay["installed_at"]), None)
        if was is not None and all(was[name] == stay[name] for name in _KEPT):
            continue
        if was is not None:
            writing.closed.append(was["row"])
        version = was["version"] + 1 if was is not None else 1
        writing.fresh.append({**stay, "version": version, "known_at": now})
    writing.closed += [row["row"] for row in before.values()]


def _conflict(stay: Stay, fresh: Stay) -> Became:
    """Return that an installation cannot be beside another."""
    since = f"meter {stay['meter']} at {stay['usage_point']} from {stay['installed_at'].isoformat()} on"
    return _exception(PERIODS_INTERSECT if stay["installed_at"] > fresh["installed_at"] else ALREADY_LINKED, since)


def _exception(code: ErrorCode, reason: str) -> Became:
    return Became("EXCEPTION", str(code), reason)


def _is_same(known: datetime, told: datetime, grain: Grain) -> bool:
    return known == told or same_time(known, told, one_grain=SECOND, other_grain=grain)


def _overlaps(one: Stay, other: Stay) -> bool:
    return bool(
        one["installed_at"] < (other["removed_at"] or FAR_FUTURE)
        and other["installed_at"] < (one["removed_at"] or FAR_FUTURE)
    )


def _order(stay: Mapping[str, Any]) -> tuple[datetime, datetime]:
    return stay["installed_at"], stay["removed_at"] or FAR_FUTURE


def _columns(row: Row) -> Stay:
    return {name: row[name] for name in _KEPT}
