"""Masters in miniature: messages of master data as a test writes them, and the state that they lead to."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Any

from canonical.ids import meter_mrid
from canonical.master_data import Link, MasterData, MasterThing, Meter, Verb
from canonical.messages import Header, Message, Parcel, Reply
from canonical.metering import Installation, Register, UsagePoint
from flows import master_data_sync
from flows.master_data_sync import Policy
from flows.routing import Route, Routes, Sending, Territory
from store import reference_book
from store.session import Transaction

T = datetime(2026, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 6, 1, tzinfo=UTC)
REGISTER = Register("T", "0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.72.0", "kWh", "DELIVERED", 5, 1)
NORTH_AND_SOUTH = Routes(
    (Route(("customer_system", "meter_data")),),
    (
        Territory("north", "cis_north", "mdms_north", frozenset({"N"})),
        Territory("south", "cis_south", "mdms_south", frozenset({"S"})),
    ),
)
NOUNS = {"UsagePoint": "UsagePointConfig", "Meter": "MeterConfig", "Link": "MasterDataLinkageConfig"}


def day(number: float) -> datetime:
    """Return an instant some days into the year."""
    return T + timedelta(days=number)


def point(mrid: str = "U1", **fields: Any) -> UsagePoint:
    """Return a usage point of the north."""
    given = {"name": f"NMI-{mrid}", "zone": "America/Toronto", "commodity": "ELECTRICITY", "read_source": "AMI"}
    return UsagePoint(mrid, **{**given, "valid_from": day(0), "district": "N", **fields})


def meter(serial: str = "1", **fields: Any) -> Meter:
    """Return a meter of ACME."""
    given = {"commodity": "ELECTRICITY", "multiplier": Decimal(1), "registers": (REGISTER,), "valid_from": day(0)}
    return Meter(meter_mrid("ACME", serial), "ACME", serial, **{**given, **fields})


def link(serial: str = "1", usage_point: str = "U1") -> Link:
    """Return the link of a meter of ACME."""
    return Link(usage_point, meter_mrid("ACME", serial))


def told(
    number: int, verb: Verb, *things: MasterThing, at: float = 0, source: str = "cis_north", **more: Any
) -> Message[MasterData]:
    """Return a message of some things, all of one verb and time; its number says when it was said."""
    noun = NOUNS.get(type(things[0]).__name__, f"{type(things[0]).__name__}Config")
    header = Header(f"m-{number}", source, verb, noun, "c-1", created_at=day(100) + timedelta(minutes=number))
    return Message(header, MasterData(verb, noun, day(at), things, **more))


@dataclass
class World:
    """A hub that takes messages without a wire, and what it would send."""

    transaction: Transaction
    policy: Policy = field(default_factory=Policy)
    routes: Routes = NORTH_AND_SOUTH
    sent: list[tuple[str, str, tuple[Any, ...]]] = field(default_factory=list)
    """Destination, verb and things of what is on its way, in order."""

    def encode(self, role: str, message: Message[Any]) -> Parcel:
        """Return anything that tells messages apart."""
        things = getattr(message.payload, "things", (message.payload,))
        self.sent.append((role, message.header.verb, things))
        body = f"{role} {message.header.message_id} {things!r}".encode()
        return Parcel("x", "text/xml", sha256(body).hexdigest(), len(body), body)

    def take(self, message: Message[MasterData], now: datetime = NOW) -> Reply:
        """Take one message."""
        with self.transaction() as session:
            return master_data_sync.take(
                session, message, policy=self.policy, routes=self.routes, encode=self.encode, now=now
            )

    def create(self, *things: MasterThing, at: float = 0) -> None:
        """Take several things, each in a message of its own."""
        self.all(told(number, "create", thing, at=at) for number, thing in enumerate(things))

    def all(self, messages: Iterable[Message[MasterData]]) -> list[Reply]:
        """Take several messages in their order."""
        return [self.take(one) for one in messages]

    def advance(self, now: datetime) -> int:
        """Let time pass."""
        sending = Sending(self.routes, self.encode, now)
        return master_data_sync.advance(policy=self.policy, sending=sending, transaction=self.transaction)

    def hung(self, *points: str) -> dict[str, tuple[Installation, ...]]:
        """Return what hangs and hung at usage points."""
        with self.transaction() as session:
            return dict(reference_book.open_book(session, set(points or ("U1",))).installations)

    def waiting(self) -> int:
        """Return how many things wait."""
        return len(master_data_sync.waiting(transaction=self.transaction))

    def spans(self, usage_point: str = "U1") -> list[tuple[str, float, float | None]]:
        """Return serial, first and last day of what hung at a usage point."""
        return [
            (one.serial, (one.installed_at - T) / timedelta(days=1),
             (one.removed_at - T) / timedelta(days=1) if one.removed_at else None)
            for one in self.hung(usage_point).get(usage_point, ())
        ]  # fmt: skip
