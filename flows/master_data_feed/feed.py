"""One pass for one subscriber: read behind its cursor, tell, and move on; deliveries and cursor in one transaction.

A subscriber that is away only lags: its deliveries wait in their lane, and what changes meanwhile follows them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from canonical.codes.linkage import DONE_BY_HAND, NOT_SAID_BY_ADAPTER
from canonical.messages import Message
from flows.master_data_feed import files, messages
from flows.master_data_feed.plan import Plan, Telling, plan
from flows.master_data_feed.subscribers import Subscriber
from flows.routing import deliver
from flows.routing.deliver import Sending
from store import deliveries, master_subscribers
from store.session import Session, Transaction

ROUNDS = 50
"""Steps of one subscriber in one pass: the others have their turn, the rest goes with the next pass."""

FOLLOWED = 1000
"""Tellings whose answers are looked at in one transaction."""


@dataclass(frozen=True, slots=True)
class Fed:
    """What one pass told one subscriber."""

    subscriber: str
    objects: int = 0
    files: int = 0
    answered: int = 0
    """Tellings that were answered since the last pass."""

    @property
    def did_something(self) -> bool:
        """Return whether anything was told or answered."""
        return bool(self.objects or self.files or self.answered)


def feed(subscribers: Sequence[Subscriber], *, sending: Sending, transaction: Transaction) -> list[Fed]:
    """Tell every subscriber what is news to it, and note what they answered; `sending.now` is business time.

    Raises:
        MisconfiguredError: a role's adapter is set up wrong.
    """
    return [_feed_one(one, sending=sending, transaction=transaction) for one in subscribers]


def _feed_one(subscriber: Subscriber, *, sending: Sending, transaction: Transaction) -> Fed:
    objects = written = 0
    with transaction() as session:
        answered = master_subscribers.follow(session, subscriber.name, now=sending.now, limit=FOLLOWED)
    for _ in range(ROUNDS):
        with transaction() as session:
            step = plan(session, subscriber, routes=sending.routes, now=sending.now)
            if step is None or not _move(session, subscriber, step, sending):
                break
            message = _file(session, subscriber, step, sending=sending)
            _tell(session, subscriber, step, message, sending=sending)
        objects, written = objects + len(step.tellings), written + (message is not None)
        if step.is_last and not step.is_whole:
            break
    return Fed(subscriber.name, objects, written, answered)


def _move(session: Session, subscriber: Subscriber, step: Plan, sending: Sending) -> bool:
    """Move the cursor by a step; False: another worker made it, or is at it."""
    values: dict[str, Any] = {"is_full_due": False} if step.is_whole else {}
    if _is_file(subscriber, step, sending):
        values |= {"full_files" if step.is_whole else "files": step.files + 1}
        # While more is behind it the next file follows at once.
        values |= {"file_at": sending.now} if step.is_last else {}
    return master_subscribers.move(session, subscriber.name, old=step.old, new=step.new, now=sending.now, **values)


def _is_file(subscriber: Subscriber, step: Plan, sending: Sending) -> bool:
    """Return whether a step is told by file; not where a person tells it."""
    if subscriber.role in sending.routes.manual:
        return False
    return step.is_whole or (subscriber.mode == "batch" and bool(step.tellings))


def _file(session: Session, subscriber: Subscriber, step: Plan, *, sending: Sending) -> Message[Any] | None:
    """Write the file of a step and enqueue it, behind the moved cursor, so that nobody else writes it.

    None where it needs none. Written again after a crash, it replaces itself.
    """
    if not _is_file(subscriber, step, sending):
        return None
    if step.is_whole:
        message = files.whole(session, subscriber, step, now=sending.now)
    else:
        message = files.changes(subscriber, step, now=sending.now)
    delivery = deliveries.enqueue(
        session,
        header=message.header,
        parcel=sending.encode(subscriber.role, message),
        destination=subscriber.role,
        now=sending.now,
        confirm_by=sending.now + subscriber.confirm_within,
    )
    messages.note_file(session, subscriber, step.tellings, delivery, message, now=sending.now)
    return message


def _tell(
    session: Session, subscriber: Subscriber, step: Plan, message: Message[Any] | None, *, sending: Sending
) -> None:
    """Enqueue what a step tells in messages, and keep what the subscriber was told of each object."""
    rows = []
    for one in step.tellings:
        if message is not None:
            telling = message.header.message_id
        elif subscriber.mode == "realtime":
            telling = messages.tell(session, subscriber, one, sending=sending)
        else:
            telling = ""
            summary = f"for {subscriber.role}: {one.kind} {one.object_id}, as `amihub changes show` has it"
            key = one.id_for(subscriber.name)
            deliver.tell(session, DONE_BY_HAND, key, summary, queue=sending.routes.queue, now=sending.now)
        rows.append(_row(subscriber, one, telling, by_hand=subscriber.role in sending.routes.manual, now=sending.now))
    rows += [_known(subscriber, *one, now=sending.now) for one in step.own]
    master_subscribers.note(session, rows)


def _row(subscriber: Subscriber, one: Telling, telling: str, *, by_hand: bool, now: datetime) -> dict[str, Any]:
    """Return what is kept of one object that is told."""
    state = "awaiting" if telling else "by_hand" if by_hand else "error"
    code = str(NOT_SAID_BY_ADAPTER) if state == "error" else ""
    return {
        "subscriber": subscriber.name, "kind": one.kind, "object_id": one.object_id, "called": one.called,
        "state": state, "sequence": one.sequence, "telling": telling, "times": one.times, "told_at": now,
        "answered_at": None, "code": code, "reason": NOT_SAID_BY_ADAPTER.meaning if code else "",
        "is_known": one.is_known,
    }  # fmt: skip


def _known(subscriber: Subscriber, kind: str, object_id: str, sequence: int, *, now: datetime) -> dict[str, Any]:
    """Return what is kept of an object of which a subscriber told the hub."""
    return {
        "subscriber": subscriber.name, "kind": kind, "object_id": object_id, "called": object_id,
        "state": "synchronized", "sequence": sequence, "telling": "", "times": 0, "told_at": now, "answered_at": now,
        "code": "", "reason": "it said so itself", "is_known": True,
    }  # fmt: skip
