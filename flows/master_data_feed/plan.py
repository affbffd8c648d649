"""What a subscriber is told next: the lines behind its cursor, drawn together to one telling for each object."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from canonical.granularity import Grain, held_by
from canonical.holdings import FIELDS, Holding, Kind
from canonical.ids import mint
from flows.holdings import held_by_hub
from flows.master_data_feed.subscribers import Subscriber
from flows.routing.routes import Routes
from store import master_changes, master_subscribers
from store.rows import Row
from store.session import Session


@dataclass(frozen=True, slots=True)
class Telling:
    """One object of which a subscriber is told."""

    kind: Kind
    object_id: str
    called: str
    """What the subscriber's answer calls it."""

    sequence: int
    """Last line of the log that it answers for."""

    times: int
    """How often it was told of the object, with this time."""

    versions: tuple[Holding, ...]
    """All versions that the hub holds, on the subscriber's grid of time; none: the object is known no more."""

    news: tuple[Holding, ...]
    """Those that began or changed."""

    is_first: bool = False
    """Whether the subscriber hears of the object for the first time, as far as the hub knows."""

    is_known: bool = False
    """Whether it has the object already."""

    def id_for(self, subscriber: str) -> str:
        """Return the id by which deliveries about it are found."""
        return mint("feed", subscriber, self.kind, self.object_id, self.sequence, self.times)


@dataclass(frozen=True, slots=True)
class Plan:
    """One step of one subscriber's cursor."""

    old: int
    new: int
    tellings: tuple[Telling, ...] = ()
    own: tuple[tuple[str, str, int], ...] = ()
    """Kind, id and line of objects of which it told itself: it knows them, and is told nothing."""

    is_whole: bool = False
    """Whether it is told all that the hub holds, by file."""

    is_last: bool = True
    """Whether nothing more stood behind it when it was made."""

    files: int = 0
    """Files of its mode that were written before."""


def plan(session: Session, subscriber: Subscriber, *, routes: Routes, now: datetime) -> Plan | None:
    """Return the next step of a subscriber, which begins with its first; None while nothing is due."""
    own = master_subscribers.cursor(session, subscriber.name)
    if own is None:
        begin = master_changes.last(session)
        master_subscribers.begin(session, subscriber.name, position=begin, full=subscriber.begins_full, now=now)
        own = master_subscribers.cursor(session, subscriber.name)
    if own is None or not _is_due(subscriber, own, now):
        return None
    end = master_changes.last(session)
    if own["is_full_due"] and subscriber.role not in routes.absent:
        return Plan(own["position"], end, is_whole=True, files=own["full_files"])
    lines = master_changes.after(session, own["position"], kinds=subscriber.kinds, limit=subscriber.limit)
    is_last = len(lines) < subscriber.limit
    again = master_subscribers.due_again(session, subscriber.name, limit=subscriber.limit)
    if not again and own["position"] == end:
        return None
    tellings = _tellings(session, subscriber, [one for one in lines if _is_news(subscriber, one, routes)], again)
    new = end if is_last else lines[-1]["sequence"]
    said = _said_itself(session, subscriber, lines, {(one.kind, one.object_id) for one in tellings}, routes)
    return Plan(own["position"], new, tellings, said, is_last=is_last, files=own["files"])


def _said_itself(
    session: Session,
    subscriber: Subscriber,
    lines: Sequence[Row],
    told: Collection[tuple[str, str]],
    routes: Routes,
) -> tuple[tuple[str, str, int], ...]:
    """Return the objects of which a subscriber said the first that is told, and of which nothing was told to it yet."""
    found = {
        (line["kind"], line["object_id"]): line["sequence"]
        for line in lines
        if line["source"] and routes.role_of(line["source"]) == subscriber.role
    }
    known = master_subscribers.told(session, subscriber.name, found)
    return tuple(
        (kind, object_id, sequence)
        for (kind, object_id), sequence in found.items()
        if (kind, object_id) not in told and (kind, object_id) not in known
    )


def _is_due(subscriber: Subscriber, own: Row, now: datetime) -> bool:
    """Return whether a subscriber is told now; one of files waits for its interval, but not for its first whole one."""
    if subscriber.mode == "realtime" or own["is_full_due"]:
        return True
    return bool(now - (own["file_at"] or own["started_at"]) >= subscriber.interval)


def _is_news(subscriber: Subscriber, line: Row, routes: Routes) -> bool:
    """Return whether a line is to be told: not to whom it comes from, not to a role that the site has not."""
    if subscriber.role in routes.absent or (line["source"] and routes.role_of(line["source"]) == subscriber.role):
        return False
    if not subscriber.fields or line["effect"] == "ended":
        return True
    return line["effect"] == "begun" or not subscriber.fields.isdisjoint(line["fields"].split(","))


def _tellings(
    session: Session, subscriber: Subscriber, lines: Sequence[Row], again: Sequence[Row]
) -> tuple[Telling, ...]:
    """Return one telling for each object, in the order in which kinds depend on each other, then of the log."""
    found: dict[tuple[str, str], list[Row]] = {}
    for line in lines:
        found.setdefault((line["kind"], line["object_id"]), []).append(line)
    last = {key: own[-1]["sequence"] for key, own in found.items()}
    for row in again:
        key = (row["kind"], row["object_id"])
        last.setdefault(key, row["sequence"])
    told = master_subscribers.told(session, subscriber.name, last)
    tellings = []
    for kind in FIELDS:
        wanted = sorted((sequence, object_id) for (one, object_id), sequence in last.items() if one == kind)
        held = _held(session, kind, {object_id for _, object_id in wanted})
        for sequence, object_id in wanted:
            versions = on_grid(held.get(object_id, ()), subscriber.grain)
            before = told.get((kind, object_id))
            instants = {one["valid_from"] for one in found.get((kind, object_id), ())}
            news = _touched(versions, {held_by(at, subscriber.grain) for at in instants if at is not None})
            called = _called(kind, object_id, versions) or (before["called"] if before else object_id)
            times = before["times"] + 1 if before else 1
            is_first = _is_first(before, found.get((kind, object_id), ()), versions)
            is_known = before["is_known"] if before else not is_first
            tellings.append(Telling(kind, object_id, called, sequence, times, versions, news, is_first, is_known))
    return tuple(tellings)


def _is_first(before: Row | None, lines: Sequence[Row], versions: Sequence[Holding]) -> bool:
    """Return whether an object is told as new: it began in these lines, or was refused when it was told so."""
    if before is not None:
        return not before["is_known"] and before["state"] in ("error", "cancelled", "due")
    first = min((one.valid_from for one in versions), default=None)
    return any(
        line["effect"] == "begun" and (line["valid_from"] is None or line["valid_from"] == first) for line in lines
    )


def _held(session: Session, kind: Kind, objects: Collection[str]) -> dict[str, list[Holding]]:
    """Return the versions of some objects by id."""
    found: dict[str, list[Holding]] = {}
    for holding in held_by_hub(session, kind, objects=objects) if objects else ():
        found.setdefault(holding.object_id, []).append(holding)
    return found


def on_grid(versions: Iterable[Holding], grain: Grain) -> tuple[Holding, ...]:
    """Return versions as a system of that grain holds them: of several that begin alike the last one."""
    found: dict[datetime, Holding] = {}
    for one in sorted(versions, key=lambda version: version.valid_from):
        end = held_by(one.valid_to, grain) if one.valid_to is not None else None
        start = held_by(one.valid_from, grain)
        found[start] = replace(one, valid_from=start, valid_to=end)
    several = len(found) > 1
    return tuple(one for one in found.values() if not several or one.valid_to != one.valid_from)


def _touched(versions: Sequence[Holding], instants: set[datetime]) -> tuple[Holding, ...]:
    """Return the versions in which some instants lie; the last one where none does, and all where none is given."""
    if not instants:
        return tuple(versions)
    found = tuple(
        one
        for one in versions
        if any(one.valid_from <= at and (one.valid_to is None or at < one.valid_to) for at in instants)
    )
    return found or tuple(versions[-1:])


def _called(kind: Kind, object_id: str, versions: Sequence[Holding]) -> str:
    """Return by what files name an object: meters by manufacturer and serial, the others by their id."""
    if kind not in ("meter", "installation") or not versions:
        return "" if kind in ("meter", "installation") else object_id
    facts = versions[-1].facts
    meter = f"{facts.get('manufacturer', '')}/{facts.get('serial', '')}"
    return meter if kind == "meter" else f"{facts.get('usage_point', '')}/{meter}"
