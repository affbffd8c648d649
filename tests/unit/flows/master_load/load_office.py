"""A first-time load by hand: holdings in chunks through the handler, and what the masters hold afterwards."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlmodel import select

from canonical.billing import ItemVerdict
from canonical.granularity import Grain
from canonical.holdings import Holding, Kind
from canonical.ids import meter_mrid
from canonical.master_data import MasterData, MasterThing, Verb
from canonical.messages import FileFacts, FileIdentity, Header, Item, Message, Parcel, Rejection
from flows import master_data_sync, master_load
from flows.file_handling import FileContext
from flows.master_data_sync import Policy
from flows.master_load import Ending, LoadHandler, LoadPolicy
from flows.routing import Routes, Sending
from store.reference import AgreementRow, InstallationRow, UsagePointRow
from store.reference_masters import AccountRow, CustomerRow, MeterRow, TopologyRow
from store.session import Session, Transaction

NOW = datetime(2026, 11, 2, 6, tzinfo=UTC)
BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
WATERMARK = NOW - timedelta(hours=6)


def holding(
    kind: Kind, object_id: str, since: datetime = BEGIN, until: datetime | None = None, **facts: str
) -> Holding:
    return Holding(kind, object_id, since, until, facts)


def customer(name: str, **facts: str) -> Holding:
    told = {"kind": "residential", "name": f"N {name}", "telephone": "", "special_need": ""} | facts
    return Holding("customer", name, BEGIN, None, told)


def account(name: str, of: str, cycle: str = "01") -> Holding:
    return holding("account", name, customer=of, cycle=cycle)


def usage_point(name: str, since: datetime = BEGIN, until: datetime | None = None, **facts: str) -> Holding:
    told = {
        "name": name,
        "zone": "UTC",
        "commodity": "ELECTRICITY",
        "read_source": "AMI",
        "district": "N",
        "route": "1",
    }
    return holding("usage_point", name, since, until, **(told | facts))


def meter(serial: str, since: datetime = BEGIN, until: datetime | None = None, **facts: str) -> Holding:
    told = {"manufacturer": "ACME", "serial": serial, "commodity": "ELECTRICITY", "multiplier": "1", "registers": "[]"}
    told |= {"model": "AX", "firmware": "1", "status": "Active"}
    return holding("meter", meter_mrid("ACME", serial), since, until, **(told | facts))


def installation(point: str, serial: str, since: datetime = BEGIN, until: datetime | None = None) -> Holding:
    own = meter_mrid("ACME", serial)
    told = {"usage_point": point, "meter": own, "manufacturer": "ACME", "serial": serial}
    return holding("installation", f"{point}/{own}", since, until, **told)


def agreement(name: str, of: str, point: str, **facts: str) -> Holding:
    told = {"account": of, "usage_point": point, "customer_class": "RESIDENTIAL", "tariff": "T1", "cycle": "01"}
    return Holding("agreement", name, BEGIN, None, told | {"tou_calendar": "", "net_metering": "false"} | facts)


def topology(point: str, transformer: str) -> Holding:
    return holding("topology", point, transformer=transformer, feeder="F1")


def household(number: int) -> list[Holding]:
    """One customer with everything, in the order in which a FULL file has it."""
    n = str(number)
    return [
        customer(f"C{n}"), account(f"A{n}", f"C{n}"), usage_point(f"U{n}"), meter(n), installation(f"U{n}", n),
        agreement(f"G{n}", f"A{n}", f"U{n}"), topology(f"U{n}", f"TR{n}"),
    ]  # fmt: skip


def no_words(role: str, message: Message[Any]) -> Parcel:
    """Nobody is told of a load."""
    raise AssertionError(f"{role} is told {message}")


TABLES = (CustomerRow, AccountRow, UsagePointRow, MeterRow, InstallationRow, AgreementRow, TopologyRow)


@dataclass
class Office:
    """A hub whose load is driven by hand."""

    transaction: Transaction
    policy: LoadPolicy = field(default_factory=LoadPolicy)
    grains: dict[str, Grain] = field(default_factory=dict)
    files: int = 0
    spoken: list[tuple[str, int]] = field(default_factory=list)

    @property
    def handler(self) -> LoadHandler:
        return LoadHandler(self.policy, lambda: NOW, self.grains)

    def start(self, *roles: str, messages: Sequence[str] = ()) -> str:
        return master_load.start(
            roles, messages=messages, policy=self.policy, person="ann", transaction=self.transaction, now=NOW
        )

    def file(self, role: str, items: int, watermark: datetime = WATERMARK) -> FileContext:
        self.files += 1
        facts = FileFacts({"mode": "FULL", "watermark": watermark.isoformat()}, {}, {}, items, 0)
        identity = FileIdentity("masters", role.upper())
        return FileContext(f"file-{self.files}", role, f"MX_{self.files}", identity, facts, "0" * 64, NOW)

    def take(
        self, role: str, held: Iterable[Holding | Rejection], *, chunk: int = 1000, watermark: datetime = WATERMARK
    ) -> list[ItemVerdict]:
        items: list[Item[Any] | Rejection] = [
            one if isinstance(one, Rejection) else Item(line, one.object_id, one) for line, one in enumerate(held, 2)
        ]
        file, said = self.file(role, len(items), watermark), list[ItemVerdict]()
        with self.transaction() as session:
            self.handler.begin(session, file)
        for at in range(0, len(items), chunk):
            with self.transaction() as session:
                said += self.handler.handle(session, file, items[at : at + chunk], now=NOW)
        with self.transaction() as session:
            self.handler.finish(session, file, now=NOW)
        return said

    def hear(self, said_at: datetime, verb: Verb, *things: MasterThing) -> None:
        """Take a message of the CIS."""
        header = Header(f"m-{said_at.isoformat()}-{verb}", "cis", verb, "Customer", created_at=said_at)
        message = Message(header, MasterData(verb, "Customer", BEGIN, things))
        with self.transaction() as session:
            master_data_sync.take(session, message, policy=Policy(), routes=Routes((), ()), encode=no_words, now=NOW)

    def advance(self, routes: Routes | None = None, encode: Any = no_words) -> str:
        sending = Sending(routes or Routes((), ()), encode, NOW)
        ending = Ending(self.policy, Policy(), sending, {}, self.grains, on_step=lambda *one: self.spoken.append(one))
        return master_load.advance(ending, transaction=self.transaction)

    def held(self) -> dict[str, list[dict[str, Any]]]:
        """Return what holds now, by table, without numbers that a database counts up."""
        with self.transaction() as session:
            return {str(table.__tablename__): rows(session, table) for table in TABLES}

    def counts(self) -> dict[str, dict[str, int]]:
        return {kind: dict(own) for kind, own in master_load.report("", transaction=self.transaction).counts.items()}


def rows(
    session: Session, table: Any, *, without: Iterable[str] = ("row", "known_at", "version")
) -> list[dict[str, Any]]:
    found = session.exec(select(table).where(table.replaced_at.is_(None))).all()
    return sorted((row.model_dump(mode="json", exclude=without) for row in found), key=str)


def ceiling(percent: int) -> LoadPolicy:
    return LoadPolicy(error_percent=Decimal(percent))
