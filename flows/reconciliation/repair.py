"""Repairing a difference: one message to the one system that differs, with the word of the system of record.

Nothing is written into another system's masters: what the hub holds is told again by the road that all changes go, and
what the hub itself has wrong is taken again from the system of record's extract. Whether it helped is seen by the next
extract.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from canonical.codes.reconciliation import NOT_REPAIRABLE, REPAIR_NOT_ALLOWED
from canonical.errors import RejectedError
from canonical.holdings import Holding, Kind
from canonical.ids import mint
from flows.holdings import held_by_hub
from flows.master_data_feed import messages
from flows.master_data_feed.plan import Telling
from flows.master_data_feed.subscribers import Subscriber
from flows.master_data_sync import Policy as MasterPolicy
from flows.master_data_sync import intake
from flows.master_data_sync.held import NOUNS, said_of
from flows.reconciliation.policy import HUB, Policy
from flows.reconciliation.views import versions_of
from flows.routing.deliver import Sending
from store import master_subscribers, recon_differences, recon_holdings, recon_snapshots, reference
from store.rows import Row
from store.session import Session, Transaction

Way = tuple[str, str]
"""`feed` and a subscriber, `message` and a role, `record` and the system of record; or empty and why there is none."""


@dataclass(frozen=True, slots=True)
class Roads:
    """By what a repair goes."""

    sending: Sending
    masters: MasterPolicy


@dataclass(frozen=True, slots=True)
class Proposal:
    """What would end one difference."""

    difference: Row
    way: Way
    is_allowed: bool
    """Whether the site allows it without a person."""

    @property
    def words(self) -> str:
        """What would be said to whom, without values (they may be personal)."""
        row = self.difference
        what = f"{row['kind']} {row['object_id']}" + (f" {row['field']}" if row["field"] else "")
        match self.way:
            case ("feed", name):
                return f"tell {row['system']} of {what} again, by its feed {name}"
            case ("message", role):
                return f"tell {role} of {what} again, by a message"
            case ("record", owner):
                return f"take {what} again from the extract of {owner}"
            case (_, why):
                return f"no message to {row['system']} for {what}: {why}"


def propose(rows: Iterable[Row], policy: Policy) -> list[Proposal]:
    """Return what would end each difference; late and waived ones need nothing."""
    return [
        Proposal(row, way_of(row, policy), _allowed(row, policy))
        for row in rows
        if row["state"] == "open" and row["klass"] not in ("LATE", "KNOWN_WAIVED")
    ]


def repair(
    rows: Sequence[Row],
    policy: Policy,
    *,
    roads: Roads,
    transaction: Transaction,
    now: datetime,
    by: str = HUB,
    reason: str = "the site allows it",
) -> list[Proposal]:
    """Send what ends differences, each to exactly one system, some hundreds in a transaction; return what was done.

    Raises:
        RejectedError: one of them may not be repaired without a person (REPAIR_NOT_ALLOWED), or cannot be repaired by
            a message (NOT_REPAIRABLE); where that shows only when it is sent, those before it are on their way.
    """
    chosen = propose(rows, policy)
    for one in chosen:
        if not one.way[0]:
            raise RejectedError(one.words, code=NOT_REPAIRABLE, where=one.difference["difference_id"])
        if by == HUB and not one.is_allowed:
            raise RejectedError(one.words, code=REPAIR_NOT_ALLOWED, where=one.difference["difference_id"])
    for at in range(0, len(chosen), _AT_ONCE):
        with transaction() as session:
            reference.lock(session)
            for told, names in _send_some(session, chosen[at : at + _AT_ONCE], roads, now=now).items():
                values = {"state": "repairing", "repair": told, "repaired_at": now, "by": by, "reason": reason}
                recon_differences.settle(session, names, **values)
                recon_differences.act(session, names, "repairing", by=by, reason=reason, now=now)
    return chosen


_AT_ONCE = 500


def _send_some(session: Session, chosen: Sequence[Proposal], roads: Roads, *, now: datetime) -> dict[str, list[str]]:
    """Bring some objects on their way, each once; return ids of differences by what their repair is found by."""
    done: dict[str, list[str]] = {}
    due: dict[str, list[Row]] = {}
    told: dict[tuple[str, str, str], str] = {}
    for one in chosen:
        row, (how, name) = one.difference, one.way
        thing = (row["system"], row["kind"], row["object_id"])
        if thing not in told:
            if how == "feed":
                due.setdefault(name, []).append(row)
            told[thing] = f"feed {name}" if how == "feed" else _send(session, one, roads, now=now)
        done.setdefault(told[thing], []).append(row["difference_id"])
    for name, rows in due.items():
        master_subscribers.make_due(session, name, _due(session, name, rows, now))
    return done


def way_of(row: Mapping[str, str], policy: Policy) -> Way:
    """Return by which way the one system that differs is told."""
    kind, system, klass = row["kind"], row["system"], row["klass"]
    if klass in ("NO_SA", "NO_METER", "LINKED_TWICE"):
        return "", "nobody knows which of the masters is wrong"
    if system == HUB:
        if klass in ("EXTRA_IN_X", "EFFECTIVE_DATE_DIFF") or kind == "bill_cycle_day":
            return "", "its master has to tell it"
        return "record", row["owner"]
    if policy.owner_of(kind, row["field"]) == system:
        return "", "it is the system of record itself"
    for name in policy.feeds.get(system, ()):
        if policy.feeds_kind(name, kind):
            return "feed", name
    if NOUNS.get(kind) and system in policy.reached:
        return "message", system
    return "", "the hub has no words for it there"


def _allowed(row: Mapping[str, str], policy: Policy) -> bool:
    return policy.allows(klass=row["klass"], kind=row["kind"], name=row["field"], system=row["system"])


def _send(session: Session, one: Proposal, roads: Roads, *, now: datetime) -> str:
    """Bring one object on its way, by a message or from an extract, and return by what it is found again."""
    row, (how, name) = one.difference, one.way
    if how == "record":
        return _take_again(session, row, name, roads, now=now)
    kind = cast(Kind, row["kind"])
    versions = tuple(held_by_hub(session, kind, objects={row["object_id"]}))
    number = int(now.timestamp())  # another repair of the same object later is another telling
    held = _holds(row)
    news = versions[-1:] if held else versions
    telling = Telling(kind, row["object_id"], row["object_id"], number, 2, versions, news, not held, held)
    told = messages.tell(session, Subscriber("reconciliation", name), telling, sending=roads.sending)
    if not told:
        raise RejectedError(one.words, code=NOT_REPAIRABLE, where=row["difference_id"])
    return told


def _due(session: Session, subscriber: str, rows: Sequence[Row], now: datetime) -> list[Row]:
    """Return what a feed has to tell of objects: as before, or for the first time."""
    things = {(row["kind"], row["object_id"]): _holds(row) for row in rows}
    before = master_subscribers.told(session, subscriber, things)
    return [{**(before.get(thing) or _first(*thing, now)), "is_known": is_held} for thing, is_held in things.items()]


def _holds(row: Row) -> bool:
    """Return whether the system that differs has the object at all: else it is told of it as new."""
    return bool(row["klass"] != "MISSING_IN_X")


def _first(kind: str, object_id: str, now: datetime) -> Row:
    """Return an object of which a feed has not told yet."""
    return {
        "kind": kind, "object_id": object_id, "called": object_id, "state": "due", "sequence": 0, "telling": "",
        "times": 0, "told_at": now, "answered_at": None, "code": "", "reason": "",
    }  # fmt: skip


def _take_again(session: Session, row: Row, owner: str, roads: Roads, *, now: datetime) -> str:
    """Apply what the system of record's extract says of an object, as if it came in a file of changes."""
    kind, object_id = row["kind"], row["object_id"]
    content = recon_holdings.of_objects(session, {object_id}).get((kind, object_id), {}).get(owner)
    snapshot = recon_snapshots.in_force(session).get(owner)
    if content is None or snapshot is None:
        raise RejectedError(f"{owner} does not hold {kind} {object_id}", code=NOT_REPAIRABLE, where=object_id)
    own = mint("recon-repair", row["difference_id"], now)
    things = [
        said
        for line, held in enumerate(_holdings(kind, object_id, content))
        for said in said_of(held, source=owner, file_id=own, said_at=snapshot["watermark"], line=line)
    ]
    taken = intake.judge(session, things, policy=roads.masters, now=now)
    intake.conclude(session, taken, policy=roads.masters, sending=roads.sending, how="file")
    return own


def _holdings(kind: str, object_id: str, content: str) -> list[Holding]:
    """Return the versions of a content as holdings."""
    return [
        Holding(cast(Kind, kind), object_id, _instant(begin), _instant(end) if end else None, facts)
        for begin, end, facts in versions_of(content)
    ]


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
