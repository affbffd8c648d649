"""Loading many versioned things at once: what the hub does not know is one COPY, what it knows is merged by field."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from canonical.codes.linkage import FIELD_NOT_OWNED
from canonical.granularity import SECOND, Grain, same_time
from flows.installation_parts import OF_METER
from flows.master_columns import stated_in
from flows.master_data_sync import timeline
from flows.master_data_sync.masters import PREMISE, Master
from flows.master_data_sync.records import COLUMNS, EXISTENCE, Records
from flows.master_data_sync.stored import stamp_of, versions_of, whole
from flows.master_data_sync.timeline import ENDS, Version
from flows.master_load.stated import VERSIONED, Became, Disposition, Entry
from store import reference_bulk
from store.reference_bulk import Writing
from store.rows import Row
from store.session import Session


@dataclass(frozen=True, slots=True)
class Stated:
    """What one item says of one thing."""

    object_id: str
    columns: Mapping[str, Any]
    valid_from: datetime
    valid_to: datetime | None
    watermark: datetime
    role: str
    grain: Grain
    withheld: Mapping[str, Any] = field(default_factory=dict)
    """What it says too and is not the master of."""

    spans: bool = True
    """Whether it says when the thing begins and ends."""


@dataclass(slots=True)
class Loaded:
    """What became of items, in their order, and whose configuration differs from before."""

    became: list[Became]
    reconfigured: set[str]


def load(session: Session, entries: Sequence[Entry], *, zone: str, records: Records, now: datetime) -> Loaded:
    """Load items of one kind that has versions of its own, all of whose parents are there; `now` is business time.

    What a system states of fields that it is not the master of is left out.
    """
    kind = entries[0].holding.kind
    rights = _Rights(kind, records)
    told = [_stated(one, rights) for one in entries]
    loaded = _into(session, VERSIONED[kind], told, defaults={"zone": zone} if kind == "usage_point" else {}, now=now)
    if kind != "usage_point":
        return loaded
    placed = [
        at for at, one in enumerate(entries) if one.holding.facts.get("location") and rights.owns(one.role, "location")
    ]
    lying = [
        replace(told[at], columns={"location": entries[at].holding.facts["location"]}, withheld={}) for at in placed
    ]
    if lying:
        premises = _into(session, PREMISE, lying, defaults={}, now=now, has_origin=False)
        for at, became in zip(placed, premises.became, strict=True):
            if loaded.became[at].disposition != "APPLIED" and became.disposition == "APPLIED":
                loaded.became[at] = became
    return loaded


class _Rights:
    """What systems may state of things of one kind, remembered."""

    def __init__(self, kind: str, records: Records) -> None:
        """Begin with nothing asked yet."""
        self._kind, self._records = kind, records
        self._known: dict[tuple[str, str], bool] = {}

    def owns(self, role: str, name: str) -> bool:
        """Return whether what a role states of a field or column is believed."""
        if not self._records.owners:
            return True
        if (role, name) not in self._known:
            self._known[role, name] = self._records.owns(role, self._kind, name)
        return self._known[role, name]


def _stated(entry: Entry, rights: _Rights) -> Stated:
    holding = entry.holding
    columns = stated_in(holding)
    withheld = {name: value for name, value in columns.items() if not rights.owns(entry.role, name)}
    return Stated(
        holding.object_id,
        {name: value for name, value in columns.items() if name not in withheld} if withheld else columns,
        holding.valid_from,
        holding.valid_to,
        entry.watermark,
        entry.role,
        entry.grain,
        withheld,
        rights.owns(entry.role, EXISTENCE),
    )


def _into(
    session: Session,
    master: Master,
    told: Sequence[Stated],
    *,
    defaults: Mapping[str, Any],
    now: datetime,
    has_origin: bool = True,
) -> Loaded:
    """Bring a master to what is told, in few statements whatever its number."""
    groups: dict[str, list[int]] = {}
    for at, one in enumerate(told):
        groups.setdefault(one.object_id, []).append(at)
    rows: dict[str, list[Row]] = {}
    for row in reference_bulk.held(session, master.table, master.key, groups):
        rows.setdefault(row[master.key], []).append(row)
    marks = reference_bulk.origins(session, master.table.name, groups) if has_origin else {}
    into = _Into(master, {**master.defaults, **defaults}, Writing(), now, [Became("APPLIED")] * len(told), set())
    for object_id, mine in groups.items():
        mark = marks.get(object_id, "")
        live = [at for at in mine if stamp_of(told[at].watermark) > mark] if mark else mine
        for at in mine if mark else ():
            if at not in live:
                into.became[at] = Became("SUPERSEDED", reason="it was taken back since")
        if live:
            into.take(object_id, rows.get(object_id, ()), [(at, told[at]) for at in live])
    reference_bulk.write(session, master.table, into.writing, now=now)
    if has_origin:
        fresh = {name: told[mine[0]].role for name, mine in groups.items() if name not in marks}
        reference_bulk.note_origins(session, master.table.name, fresh)
        back = {name for name, mark in marks.items() if mark and _stands(into, groups[name])}
        reference_bulk.stand_again(session, master.table.name, back)
    return Loaded(into.became, into.reconfigured)


def _stands(into: "_Into", mine: Sequence[int]) -> bool:
    return any(into.became[at].disposition == "APPLIED" for at in mine)


@dataclass(slots=True)
class _Into:
    """One master while it is being brought to what is told."""

    master: Master
    defaults: Mapping[str, Any]
    writing: Writing
    now: datetime
    became: list[Became]
    reconfigured: set[str]
    said_once: dict[tuple[object, ...], Mapping[str, str]] = field(default_factory=dict)

    def take(self, object_id: str, rows: Sequence[Row], told: Sequence[tuple[int, Stated]]) -> None:
        """Take what is told of one thing."""
        if not rows and len(told) == 1 and not told[0][1].withheld:
            self._add(object_id, told[0][1])
        else:
            self._merge(object_id, rows, told)

    def _add(self, object_id: str, one: Stated) -> None:
        """Add a thing that nobody has told of: the common case."""
        said = self._said_at_once(one)
        self.writing.fresh.append(
            {
                **self.defaults,
                **one.columns,
                self.master.key: object_id,
                "valid_from": one.valid_from,
                "valid_to": one.valid_to,
                "said": said,
                "stated_at": one.watermark if said is None else None,
                "version": 1,
                "known_at": self.now,
            }
        )

    def _said_at_once(self, one: Stated) -> Mapping[str, str] | None:
        """Return when each field was said, None where all were; one mapping for all things of the same fields."""
        if len(one.columns) == len(self.master.defaults):
            return None
        names = (one.watermark, *one.columns)
        if names not in self.said_once:
            self.said_once[names] = dict.fromkeys((*one.columns, ENDS), stamp_of(one.watermark))
        return self.said_once[names]

    def _merge(self, object_id: str, rows: Sequence[Row], told: Sequence[tuple[int, Stated]]) -> None:
        """State what is told on top of what is known, each field as it was said last."""
        before = versions_of(rows)
        versions = before
        for at, one in sorted(told, key=lambda pair: (pair[1].valid_from, pair[0])):
            versions, effect = _told(versions, one, self.defaults)
            self.became[at] = _remarked(effect, one, versions)
        self._write(object_id, rows, versions)
        if self.master is VERSIONED["meter"] and before and _configured(before) != _configured(versions):
            self.reconfigured.add(object_id)

    def _write(self, object_id: str, rows: Sequence[Row], versions: Sequence[Version]) -> None:
        """Note what differs between rows and versions."""
        by_begin = {row["valid_from"]: row for row in rows}
        for version in versions:
            said, stated_at = self._said(version)
            fields = {name: version.fields[name] for name in self.defaults}
            was = by_begin.get(version.valid_from)
            if was is not None and was["valid_to"] == version.valid_to and _is_same(was, fields):
                if _said_of(was) != (said, stated_at):
                    self.writing.restated.append((was["row"], said, stated_at))
                continue
            if was is not None:
                self.writing.closed.append(was["row"])
            row = {**fields, self.master.key: object_id, "valid_from": version.valid_from}
            row |= {"valid_to": version.valid_to, "said": said, "stated_at": stated_at}
            row |= {"version": was["version"] + 1 if was is not None else 1, "known_at": self.now}
            self.writing.fresh.append(row)

    def _said(self, version: Version) -> tuple[Mapping[str, str] | None, datetime | None]:
        """Return when a version was said, short where it was said whole at once."""
        said = {name: version.said[name] for name in (*self.defaults, ENDS) if name in version.said}
        stamps = set(said.values())
        if len(said) == len(self.defaults) + 1 and len(stamps) == 1 and (stamp := stamps.pop()).endswith(" "):
            return None, datetime.fromisoformat(stamp[:-1])
        return said, None


def _told(
    versions: tuple[Version, ...], one: Stated, defaults: Mapping[str, Any]
) -> tuple[tuple[Version, ...], timeline.Effect]:
    """Return the versions after one item; who is not the master of the thing states fields while it exists."""
    begins, stamp = _snapped(one.valid_from, versions, one.grain), stamp_of(one.watermark)
    if one.spans:
        ends = None if one.valid_to is None else _snapped(one.valid_to, versions, one.grain)
        return timeline.span(versions, begins, ends, one.columns, stamp=stamp, defaults=defaults)
    if not one.columns:
        return versions, "DUPLICATE"
    first = versions[0].valid_from if versions else begins
    return timeline.state(versions, max(begins, first), one.columns, stamp=stamp, begins=False, defaults=defaults)


def _remarked(effect: timeline.Effect, one: Stated, versions: Sequence[Version]) -> Became:
    """Return what became of an item; what was withheld of it is named where it differs from what is held."""
    held = timeline.holding(versions, one.valid_from) or (versions[0] if versions else None)
    known = held.fields if held is not None else {}
    differing = sorted({COLUMNS.get(name, name) for name, value in one.withheld.items() if known.get(name) != value})
    end: Disposition = "DUPLICATE" if effect == "NOT_THERE" else effect
    if not differing:
        return Became(end)
    end = "SUPERSEDED" if not one.columns else end
    return Became(end, str(FIELD_NOT_OWNED), f"not its master: {', '.join(differing)}")


def _is_same(row: Row, fields: Mapping[str, Any]) -> bool:
    return all(row[name] == value for name, value in fields.items())


def _said_of(row: Row) -> tuple[Mapping[str, str] | None, datetime | None]:
    """Return when a row was said, as `_Into` words it."""
    return (row["said"], None) if row["said"] is not None else (None, datetime.fromisoformat(whole(row)[:-1]))


def _snapped(at: datetime, versions: Sequence[Version], grain: Grain) -> datetime:
    """Return the known instant that a system of coarser time means by its own, else its own (ruling 7)."""
    if grain.granularity == "second":
        return at
    known = {one.valid_from for one in versions} | {one.valid_to for one in versions if one.valid_to is not None}
    if at in known:
        return at
    meant = (one for one in sorted(known) if same_time(one, at, one_grain=SECOND, other_grain=grain))
    return next(meant, at)


def _configured(versions: Sequence[Version]) -> list[tuple[Any, ...]]:
    """Return the configurations of a meter in order, repeats left out."""
    found: list[tuple[Any, ...]] = []
    for one in versions:
        own = tuple(one.fields.get(name) for name in OF_METER)
        if not found or found[-1][1:] != own:
            found.append((one.valid_from, *own))
    return found
