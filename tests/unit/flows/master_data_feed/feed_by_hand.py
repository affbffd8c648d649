"""Subscribers in miniature: what they would be told, and what they say to it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

from file_changes_by_hand import file_of
from master_data_sync_by_hand import NOW, World
from sqlalchemy import select, update

from canonical.billing import FileAcknowledgement, ItemVerdict
from canonical.codes.file import UNWRITABLE_VALUE
from canonical.errors import RejectedError
from canonical.holdings import HeldChanges, Holding, Withdrawn
from canonical.master_data import MasterData
from canonical.messages import Item, Message, Parcel
from flows.master_data_feed import AnswersHandler, Fed, Subscriber, feed
from flows.routing.deliver import Sending
from flows.routing.routes import Routes
from store import master_subscribers
from store.deliveries import Delivery
from store.rows import Row, rows_of
from store.session import Session


@dataclass
class Desk:
    """Everything that subscribers of a hub are told."""

    world: World
    subscribers: Sequence[Subscriber]
    routes: Routes = field(default_factory=Routes)
    told: list[tuple[str, MasterData]] = field(default_factory=list)
    files: list[tuple[str, HeldChanges, tuple[Holding | Withdrawn, ...]]] = field(default_factory=list)
    wordless: str = ""
    """Noun for which nobody has words."""

    def encode(self, role: str, message: Message[Any]) -> Parcel:
        """Note what is told; a file takes its holdings once."""
        payload = message.payload
        if isinstance(payload, HeldChanges):
            held = tuple(payload.holdings)
            self.files.append((role, payload, held))
            name, body = f"MX_{role}_{payload.mode}_{payload.sequence}.dat", repr(held).encode()
            return Parcel(name, "text/plain", sha256(body).hexdigest(), len(body), body, confirm_name=name)
        if payload.noun == self.wordless:
            raise RejectedError(f"no words for {payload.noun!r}", code=UNWRITABLE_VALUE)
        self.told.append((role, payload))
        body = f"{role} {message.header.message_id} {payload!r}".encode()
        return Parcel("x", "text/xml", sha256(body).hexdigest(), len(body), body)

    def feed(self, now: datetime = NOW) -> list[Fed]:
        """Make one pass."""
        sending = Sending(self.routes, self.encode, now)
        return feed(self.subscribers, sending=sending, transaction=self.world.transaction)

    def things(self) -> list[tuple[str, str, str]]:
        """Return role, verb and class of every thing that was told by message."""
        return [(role, told.verb, type(one).__name__) for role, told in self.told for one in told.things]

    def states(self, subscriber: str) -> dict[tuple[str, str], str]:
        """Return how a subscriber stands with each object."""
        return {(row["kind"], row["object_id"]): row["state"] for row in self.listed(subscriber)}

    def listed(self, subscriber: str) -> list[Row]:
        """Return what a subscriber was told last of each object."""
        with self.world.transaction() as session:
            return master_subscribers.listed(session, subscriber)

    def set_deliveries(self, state: str, *, code: str = "") -> None:
        """Let every delivery that is on its way end alike."""
        with self.world.transaction() as session:
            table = Delivery.__table__  # type: ignore[attr-defined]
            session.execute(update(table).where(table.c.state == "pending").values(state=state, code=code))

    def deliveries(self) -> list[Row]:
        """Return every delivery, oldest first."""
        with self.world.transaction() as session:
            return _deliveries(session)

    def answer(self, role: str, name: str, verdict: str, *items: ItemVerdict, now: datetime = NOW) -> ItemVerdict:
        """Let a subscriber acknowledge a file."""
        said = FileAcknowledgement(name, "0" * 64, verdict, "", "", items, now)  # type: ignore[arg-type]
        names: dict[str, list[str]] = {}
        for one in self.subscribers:
            names.setdefault(one.role, []).append(one.name)
        handler = AnswersHandler(names)
        with self.world.transaction() as session:
            (done,) = handler.handle(session, file_of(99, role), [Item(1, name, said)], now=now)
        return done


def _deliveries(session: Session) -> list[Row]:
    table = Delivery.__table__  # type: ignore[attr-defined]
    return rows_of(session, select(table).order_by(table.c.sequence))
