"""Telling a subscriber of objects in messages: each version that is news, by the lane of all master data."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from canonical.holdings import HeldChanges, Withdrawn
from canonical.master_data import Link
from canonical.messages import Message
from flows.master_data_feed.plan import Telling
from flows.master_data_feed.subscribers import Subscriber
from flows.master_data_sync import statements
from flows.master_data_sync.forward import LANE
from flows.master_data_sync.held import NOUNS, said_of
from flows.master_data_sync.said import Said
from flows.routing import deliver
from flows.routing.deliver import Sending
from store.session import Session

SOURCE = "hub"
"""Who says what subscribers are told: the hub, whatever system it has it from."""


def tell(session: Session, subscriber: Subscriber, telling: Telling, *, sending: Sending) -> str:
    """Enqueue what a subscriber is told of an object, and return the telling's id; empty where nothing can go by wire.

    A person does it where the site lacks the role; what the role's adapter has no words for is work.
    """
    own = telling.id_for(subscriber.name)
    sent = []
    for said in _said(telling, own, now=sending.now):
        message = said.message((said,))
        delivery = deliver.send(session, message, subscriber.role, sending=sending, lane=LANE, part=str(said.place))
        statements.told(session, (said,), destination=subscriber.role, delivery_id=delivery, now=sending.now)
        sent.append(delivery)
    return own if sent and all(sent) else ""


def _said(telling: Telling, own: str, *, now: datetime) -> Iterator[Said]:
    """Yield what is said of an object, in order: versions, the end of its life, or that it never was.

    Of what no message can tell nothing is said.
    """
    if telling.kind not in NOUNS:
        return
    place = 0
    items = telling.news or (Withdrawn(telling.kind, telling.object_id, now),)
    begins = {one.valid_from for one in telling.versions}
    for item in items:
        found = said_of(item, source=SOURCE, file_id=own, said_at=now, line=0)
        for said in found:
            yield _plain(said, own, place, is_first=telling.is_first)
            place += 1
        end = None if isinstance(item, Withdrawn) or item.kind == "installation" else item.valid_to
        if end is not None and end not in begins:
            thing = _plain(found[0], own, place, is_first=False)
            yield replace(thing, wire_verb="close", verb="close", effective_at=end)
            place += 1


def _plain(said: Said, own: str, place: int, *, is_first: bool) -> Said:
    """Return a statement as messages say it: a thing is created once, then changed."""
    verb = said.verb
    if verb == "create" and not is_first and not isinstance(said.thing, Link):
        verb = "change"
    return replace(
        said, message_id=own, wire_verb=verb, verb=verb, place=place, stated=None, spans=False, until=None
    )  # fmt: skip


def note_file(
    session: Session,
    subscriber: Subscriber,
    tellings: Sequence[Telling],
    delivery_id: str,
    message: Message[HeldChanges],
    *,
    now: datetime,
) -> None:
    """Keep what a file of changes tells, object by object, with the delivery that takes it there."""
    own, line = message.header.message_id, 0
    said: list[Said] = []
    for one in tellings:
        for item in one.versions or (Withdrawn(one.kind, one.object_id, now),):
            if item.kind != "bill_cycle_day":
                said += said_of(item, source=SOURCE, file_id=own, said_at=now, line=line)
            line += 1
    statements.told(session, said, destination=subscriber.role, delivery_id=delivery_id, now=now)
