"""A hub and the systems around it, told things at instants that tests choose: for histories of belief."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any

from canonical.customers import CustomerAgreement
from canonical.holdings import Holding
from canonical.ids import meter_mrid
from canonical.master_data import Link, MasterData, MasterThing, Meter, Verb
from canonical.messages import FileFacts, FileIdentity, Header, Item, Message, Outcome, Parcel, Reply
from canonical.metering import Register, UsagePoint
from flows import history, master_data_sync
from flows.file_handling import FileContext
from flows.history import Answer, History, Question
from flows.master_data_sync import Policy
from flows.reconciliation.merging import merge_all
from flows.reconciliation.policy import Policy as Comparing
from flows.reconciliation.snapshot import SnapshotHandler
from flows.routing import Route, Routes
from store import deliveries
from store.deliveries import Delivery
from store.session import Session, Transaction

T = datetime(2026, 1, 1, tzinfo=UTC)
SYSTEMS = ("cis", "mdms", "wams", "hes")
EACH_OTHER = Routes((Route(("cis", "mdms")),))
REGISTER = Register("T", "0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.72.0", "kWh", "DELIVERED", 5, 1)
NOUNS = {
    "UsagePoint": "UsagePointConfig",
    "Meter": "MeterConfig",
    "Link": "MasterDataLinkageConfig",
    "MeterExchange": "MeterServiceRequests",
}


def day(number: float) -> datetime:
    """Return an instant some days into the year."""
    return T + timedelta(days=number)


def point(mrid: str = "U1", **fields: Any) -> UsagePoint:
    """Return a usage point."""
    given = {"name": f"NMI-{mrid}", "zone": "America/Toronto", "commodity": "ELECTRICITY", "read_source": "AMI"}
    return UsagePoint(mrid, **{**given, "valid_from": day(0), **fields})


def meter(serial: str = "1", **fields: Any) -> Meter:
    """Return a meter of ACME."""
    given = {"commodity": "ELECTRICITY", "multiplier": Decimal(1), "registers": (REGISTER,), "valid_from": day(0)}
    return Meter(meter_mrid("ACME", serial), "ACME", serial, **{**given, **fields})


def link(serial: str = "1", usage_point: str = "U1") -> Link:
    """Return the link of a meter of ACME."""
    return Link(usage_point, meter_mrid("ACME", serial))


def agreement(name: str = "G1", usage_point: str = "U1", **fields: Any) -> CustomerAgreement:
    """Return an agreement."""
    given = {"account": "A1", "customer_class": "RES", "tariff": "R1", "cycle": "01", "tou_calendar": ""}
    more = {"net_metering": False, "valid_from": day(0), "valid_to": None}
    return CustomerAgreement(agreement=name, usage_point=usage_point, **{**given, **more, **fields})


@dataclass
class BeliefWorld:
    """What is told, confirmed and extracted, and what a history says of it."""

    transaction: Transaction
    routes: Routes = EACH_OTHER
    messages: int = 0
    files: int = 0
    replies: list[Reply] = field(default_factory=list)

    def tell(
        self,
        by: str,
        verb: Verb,
        *things: MasterThing,
        at: datetime = T,
        said: datetime | None = None,
        heard: datetime = T,
        stated: Sequence[str] = (),
    ) -> str:
        """Let a system tell things of one kind that hold from `at` on, and return the message's id."""
        self.messages += 1
        message_id = f"{by}-{self.messages}"
        noun = NOUNS.get(type(things[0]).__name__, f"{type(things[0]).__name__}Config")
        header = Header(message_id, by, verb, noun, "c-1", created_at=said or heard)
        named = tuple(frozenset(stated) for _ in things) if stated else ()
        message = Message(header, MasterData(verb, noun, at, things, stated=named))
        with self.transaction() as session:
            reply = master_data_sync.take(
                session, message, policy=Policy(), routes=self.routes, encode=_encode, now=heard
            )
        self.replies.append(reply)
        return message_id

    def answer(self, role: str, *, at: datetime, state: str = "confirmed", code: str = "") -> int:
        """Let a role answer everything that is on its way to it, and return how much that was."""
        with self.transaction() as session:
            rows = _pending(session, role)
            for row in rows:
                deliveries.settle(row, Outcome(state, code), now=at)  # type: ignore[arg-type]
                session.add(row)
        return len(rows)

    def extract(self, role: str, holdings: Iterable[Holding], *, at: datetime) -> None:
        """Let a role's own whole extract say what it holds."""
        self.files += 1
        header = {"watermark": at.isoformat(), "mode": "FULL"}
        identity = FileIdentity("masters", role.upper(), run_type="FULL", sequence=self.files)
        name = f"MX_{role}_FULL_{self.files}.dat"
        file = FileContext(f"f-{self.files}", role, name, identity, FileFacts(header, {}, {}, 0, 0), "0" * 64, at)
        lines: list[Item[Any]] = [Item(line, one.object_id, one) for line, one in enumerate(holdings, 2)]
        handler = SnapshotHandler()
        with self.transaction() as session:
            handler.begin(session, file)
            handler.handle(session, file, lines, now=at)
            handler.finish(session, file, now=at)
        merge_all(Comparing(), transaction=self.transaction, now=at)

    def history(self, word: str = "U1", *, now: datetime | None = None, at: datetime | None = None) -> History:
        """Return the history of a usage point."""
        return history.history(
            word, transaction=self.transaction, now=now or day(1000), at=at, systems=SYSTEMS, roles={"cis-web": "cis"}
        )

    def ask(self, at: datetime, known_at: datetime, *, kind: str, word: str = "U1") -> dict[str, dict[str, Answer]]:
        """Return the answers about things of a kind, by thing and system."""
        found: dict[str, dict[str, Answer]] = {}
        for one in history.answers(self.history(word), Question(at, known_at)):
            if one.kind == kind:
                found.setdefault(called(one.object_id), {})[one.system] = one
        return found


def texts(one: Answer) -> Mapping[str, str]:
    """Return the values of an answer."""
    return {name: called(fact.text) for name, fact in one.facts.items()}


def called(word: str) -> str:
    """Return ids of meters as people call them."""
    for serial in map(str, range(1, 10)):
        word = word.replace(meter_mrid("ACME", serial), f"ACME-{serial}")
    return word


def _encode(role: str, message: Message[Any]) -> Parcel:
    """Return anything that tells messages apart."""
    body = f"{role} {message.header.message_id} {message.payload!r}".encode()
    return Parcel("x", "text/xml", sha256(body).hexdigest(), len(body), body)


def _pending(session: Session, role: str) -> list[Delivery]:
    from sqlmodel import select

    return list(session.exec(select(Delivery).where(Delivery.destination == role, Delivery.state == "pending")))
