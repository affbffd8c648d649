"""Telling a subscriber by file: what changed since the last one, or all that the hub holds."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from canonical.holdings import FIELDS, HeldChanges, Holding, Withdrawn
from canonical.ids import mint
from canonical.messages import Header, Message
from flows.holdings import held_by_hub
from flows.master_data_feed.messages import SOURCE
from flows.master_data_feed.plan import Plan, Telling, on_grid
from flows.master_data_feed.subscribers import Subscriber
from flows.master_data_sync.forward import LANE
from store.session import Session

NOUN = "Masters"
"""Noun under which files of masters go."""


def file_id(subscriber: Subscriber, plan: Plan) -> str:
    """Return the id of the file that a plan makes: the same step gives the same file."""
    mode = "FULL" if plan.is_whole else "CHANGES"
    return mint("feed-file", subscriber.name, mode, plan.files + 1)


def changes(subscriber: Subscriber, plan: Plan, *, now: datetime) -> Message[HeldChanges]:
    """Return the file that tells what changed: each object with all its versions."""
    held = tuple(_held(plan.tellings, now))
    return _message(subscriber, plan, HeldChanges("CHANGES", now, held, plan.files + 1), now)


def whole(session: Session, subscriber: Subscriber, plan: Plan, *, now: datetime) -> Message[HeldChanges]:
    """Return the file that tells all that the hub holds of its kinds; to be taken once, in the transaction."""
    held = _all(session, subscriber)
    return _message(subscriber, plan, HeldChanges("FULL", now, held, plan.files + 1), now)


def _message(subscriber: Subscriber, plan: Plan, payload: HeldChanges, now: datetime) -> Message[HeldChanges]:
    own = file_id(subscriber, plan)
    header = Header(own, SOURCE, "changed", NOUN, own, causation_id=own, created_at=now, lane=LANE)
    return Message(header, payload)


def _held(tellings: Sequence[Telling], now: datetime) -> Iterator[Holding | Withdrawn]:
    for one in tellings:
        yield from one.versions or (Withdrawn(one.kind, one.object_id, now),)


def _all(session: Session, subscriber: Subscriber) -> Iterator[Holding]:
    """Yield everything of some kinds, in the order in which they depend on each other."""
    for kind in FIELDS:
        if kind in subscriber.kinds:
            yield from _by_object(subscriber, held_by_hub(session, kind))


def _by_object(subscriber: Subscriber, held: Iterator[Holding]) -> Iterator[Holding]:
    """Yield versions, object by object, on the subscriber's grid of time."""
    own: list[Holding] = []
    for one in held:
        if own and own[-1].object_id != one.object_id:
            yield from on_grid(own, subscriber.grain)
            own = []
        own.append(one)
    yield from on_grid(own, subscriber.grain)
