"""What subscribers were told by whole files: all that the hub held when each was written, of the kinds they take."""

from collections.abc import Collection, Iterator, Sequence
from itertools import groupby
from operator import attrgetter

from canonical.ids import mint
from flows.history.books import ORDER, Books
from flows.history.evidence import HUB, Extract, Statement
from flows.history.hub_versions import UNNUMBERED
from flows.holdings import held_by_hub
from flows.master_data_feed import Subscriber
from flows.master_data_feed.plan import on_grid
from store import belief_sources, master_subscribers
from store.rows import Row
from store.session import Session


def whole_file_statements(session: Session, books: Books, subscribers: Sequence[Subscriber]) -> Iterator[Statement]:
    """Yield what whole files told subscribers of the things; such a file keeps no note of each thing that it tells."""
    if not subscribers:
        return
    written = {row["subscriber"]: row["full_files"] for row in master_subscribers.cursors(session)}
    for subscriber in subscribers:
        numbers = range(1, written.get(subscriber.name, 0) + 1)
        names = [mint("feed-file", subscriber.name, "FULL", number) for number in numbers]
        for delivery in belief_sources.deliveries_of(session, names):
            yield from _told(session, books.things, subscriber, delivery)


def _told(
    session: Session, things: Collection[tuple[str, str]], subscriber: Subscriber, delivery: Row
) -> Iterator[Statement]:
    """Yield what one whole file told of the things."""
    known = delivery["confirmed_at"] if delivery["state"] == "confirmed" else None
    for kind in ORDER:
        ids = {object_id for of, object_id in things if of == kind}
        if kind not in subscriber.kinds or not ids:
            continue
        held = held_by_hub(session, kind, at=delivery["enqueued_at"], objects=ids)
        for object_id, versions in groupby(held, key=attrgetter("object_id")):
            extract = tuple(
                Extract(one.valid_from, one.valid_to, one.facts) for one in on_grid(versions, subscriber.grain)
            )
            yield Statement(
                UNNUMBERED, subscriber.role, kind, object_id, "holds", known, delivery["enqueued_at"], extract=extract,
                how="we_told", source=HUB, message_id=delivery["message_id"], delivery_id=delivery["delivery_id"],
                state=delivery["state"], code=delivery["code"], reason=delivery["reason"], said_at=delivery["sent_at"],
            )  # fmt: skip
