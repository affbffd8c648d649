"""The hub's way out to one partner that answers as it is told, for the tests of deliveries."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from sqlmodel import col, select

from canonical.errors import HubError
from canonical.messages import Header, Message, Outcome, Parcel
from flows.delivery import DEFAULT, RelayReport, relay_once, replay
from store import deliveries
from store.attempts import DeliveryAttempt
from store.deliveries import Delivery
from store.session import Transaction

SENT, AWAY = Outcome("sent"), Outcome("unavailable", "1005 ATTEMPTS_EXHAUSTED", "no answer")


class Partner:
    """A destination that answers as it is told, and remembers what it was brought."""

    def __init__(self) -> None:
        self.brought: list[str] = []
        self.answers: dict[str, Outcome | HubError] = {}
        self.otherwise: Outcome | HubError = SENT
        self.meanwhile: Callable[[], object] = lambda: None

    def encode(self, message: Message[Any], *, spool: Path) -> Parcel:
        return parcel(message.header.message_id)

    def carry(self, parcels: Sequence[Parcel], *, spool: Path, timeout_s: float) -> Sequence[Outcome]:
        self.meanwhile()
        outcomes = []
        for each in parcels:
            answer = self.answers.get(each.name, self.otherwise)
            if isinstance(answer, HubError):
                raise answer
            self.brought.append(each.name)
            outcomes.append(answer)
        return outcomes


def parcel(name: str, body: bytes = b"42 kWh") -> Parcel:
    digest = sha256(body).hexdigest()
    return Parcel(name, "text/plain", digest, len(body), body, key=f"key-{name}", confirm_name=f"ack-{name}")


class Office:
    """The hub's way out to one partner."""

    def __init__(self, transaction: Transaction, now: datetime, spool: Path) -> None:
        self.transaction, self.now, self.spool = transaction, now, spool
        self.partner = Partner()
        self.policy = DEFAULT

    def enqueue(self, name: str, **facts: Any) -> str:
        given = {key: facts.pop(key) for key in ("confirm_by", "body") if key in facts}
        header = Header(name, "hub", "created", "MeterReadings", **facts)
        with self.transaction() as session:
            return deliveries.enqueue(
                session,
                header=header,
                parcel=parcel(name, given.get("body", b"42 kWh")),
                destination="cis",
                now=self.now,
                confirm_by=given.get("confirm_by"),
            )

    def relay(self, *, later_s: float = 0) -> RelayReport:
        return relay_once(
            {"cis": self.partner},
            transaction=self.transaction,
            spool=self.spool,
            now=self.now,
            machine_now=self.at(later_s),
            policies={"cis": self.policy},
        )

    def at(self, later_s: float) -> datetime:
        return self.now + timedelta(seconds=later_s)

    def states(self) -> dict[str, str]:
        return {row.name: row.state for row in self.rows(Delivery)}

    def rows(self, table: Any) -> list[Any]:
        order = DeliveryAttempt.number if table is DeliveryAttempt else None
        with self.transaction() as session:
            query = select(table)
            return list(session.exec(query.order_by(col(order)) if order else query).all())

    def confirm(self, name: str, state: Literal["confirmed", "rejected"], code: str = "") -> str | None:
        with self.transaction() as session:
            return deliveries.confirm(
                session, destination="cis", confirm_name=f"ack-{name}", outcome=Outcome(state, code), now=self.now
            )

    def replay(self, delivery_id: str, *, dry_run: bool = False) -> Any:
        return replay(
            delivery_id, transaction=self.transaction, now=self.now, machine_now=self.now, by="ann", dry_run=dry_run
        )
