"""A difference ended by a message over SOAP: found, told to the one that differs, seen in its book, found equal."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from cim_systems import CimSystem, cim_system
from recon_by_hand import NOW, START, World, held

from adapters.registry import load
from canonical.holdings import Holding, registers_text
from canonical.ids import meter_mrid, mint
from canonical.master_data import MasterData, MasterThing, Meter
from canonical.messages import Header, Message
from canonical.metering import Register, UsagePoint
from flows.delivery import relay_once
from flows.master_data_sync import Policy as MasterPolicy
from flows.reconciliation import person, repair
from flows.reconciliation.person import Wanted
from flows.reconciliation.policy import Allowed, Policy, SystemPolicy
from flows.reconciliation.repair import Roads
from flows.routing import Routes, Sending
from simulators.certificates import make_certificates
from simulators.demo_site import free_ports
from store.session import Transaction

pytestmark = pytest.mark.slow
KWH = "0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.72.0"
METER, POINT = meter_mrid("Acme", "0017"), mint("usage-point", "repaired", 1)
REGISTER = Register("T0", KWH, "kWh", "DELIVERED", 6, 1)
HELD = SystemPolicy({
    "meter": ("manufacturer", "serial", "commodity", "multiplier"),
    "usage_point": ("name", "zone", "commodity", "read_source"),
})  # fmt: skip
POLICY = Policy({"mdms": HELD}, reached=frozenset({"mdms"}), repairs=(Allowed(systems=frozenset({"mdms"})),))


@pytest.fixture
def mdms(tmp_path: Path) -> Iterator[CimSystem]:
    """An MDMS that keeps books, as a program of its own behind TLS."""
    make_certificates(tmp_path / "keys", ("MDMS-A",))
    (port,) = free_ports(1)
    with cim_system("cim_mdms", "MDMS-A", tmp_path, port=port) as system:
        yield system


class Office:
    """A hub that reaches the MDMS by its adapter alone."""

    def __init__(self, system: CimSystem, transaction: Transaction, folder: Path) -> None:
        settings = system.settings()
        self.port: Any = load("mdms_cim", {"services_url": settings.pop("url"), **settings})
        self.world = World(transaction, POLICY)
        self.spool = folder / "spool"
        self.spool.mkdir()

    def tell(self, noun: str, thing: MasterThing) -> None:
        """Let somebody change the MDMS by hand, past the hub."""
        message = Message(
            Header(mint("by-hand", repr(thing)), "ELSEWHERE", "created", noun, created_at=START),
            MasterData("create", noun, START, (thing,)),
        )
        (outcome,) = self.port.carry([self.port.encode(message, spool=self.spool)], spool=self.spool, timeout_s=20)
        assert outcome.state == "confirmed", outcome

    def extract(self, now: datetime) -> list[Holding]:
        """Take what the MDMS says that it holds, asked over SOAP, as its extract."""
        found: list[Holding] = []
        for noun, name in (("MeterConfig", METER), ("UsagePointConfig", POINT)):
            for answer in self.port.held(noun, [name], as_of=now, timeout_s=20):
                found += [_holding(thing) for thing in answer.things]
        self.world.drops("mdms", found, at=now)
        return found

    def repair(self, now: datetime) -> list[repair.Proposal]:
        """Repair what the site allows, and carry it."""
        transaction = self.world.transaction
        proposals = repair.propose(person.chosen(Wanted(), transaction=transaction), POLICY)
        sending = Sending(Routes(), lambda _role, message: self.port.encode(message, spool=self.spool), now)
        done = repair.repair(
            [one.difference for one in proposals if one.is_allowed], POLICY, roads=Roads(sending, MasterPolicy()),
            transaction=transaction, now=now,
        )  # fmt: skip
        while relay_once(
            {"mdms": self.port}, transaction=transaction, spool=self.spool, now=now, machine_now=now
        ).carried:
            pass
        return done


def _holding(thing: MasterThing) -> Holding:
    if isinstance(thing, Meter):
        facts = {"manufacturer": thing.manufacturer, "serial": thing.serial, "commodity": thing.commodity}
        return held("meter", thing.meter, **facts, multiplier=str(thing.multiplier))
    assert isinstance(thing, UsagePoint)
    facts = {"name": thing.name, "zone": thing.zone, "commodity": thing.commodity, "read_source": thing.read_source}
    return held("usage_point", thing.usage_point, **facts)


def test_what_the_mdms_lacks_or_has_otherwise_is_told_over_soap_and_is_equal_in_its_next_extract(
    mdms: CimSystem, transaction: Transaction, tmp_path: Path
) -> None:
    office = Office(mdms, transaction, tmp_path)
    facts = {"manufacturer": "Acme", "serial": "0017", "commodity": "ELECTRICITY"}
    zone = {"zone": "America/Toronto", "commodity": "ELECTRICITY", "read_source": "AMI"}
    office.world.believes(
        held("meter", METER, **facts, multiplier="40", registers=registers_text((REGISTER,))),
        held("usage_point", POINT, name="NMI-1", **zone),
    )
    office.tell("MeterConfig", Meter(METER, "Acme", "0017", "ELECTRICITY", Decimal(1), (REGISTER,), valid_from=START))

    before = office.extract(NOW)
    office.world.runs(now=NOW)
    found = office.world.named("open")
    done = office.repair(NOW + timedelta(minutes=1))
    after = office.extract(NOW + timedelta(hours=1))
    ran = office.world.runs(now=NOW + timedelta(hours=1))

    assert found == {
        ("mdms", "FIELD_DIFF", METER, "multiplier"), ("mdms", "MISSING_IN_X", POINT, ""),
    }  # fmt: skip
    assert {one.way for one in done} == {("message", "mdms")}
    assert [(one.object_id, one.facts["multiplier"]) for one in before] == [(METER, "1")]
    assert {one.object_id: one.facts.get("multiplier", "") for one in after} == {METER: "40", POINT: ""}
    assert (ran.found, ran.closed) == (0, 2)
    closed = {(row["object_id"], row["disposition"]) for row in office.world.rows("closed")}
    assert closed == {(METER, "repaired"), (POINT, "repaired")}
    book = {(row["class"], row["mrid"]) for row in mdms.control("books/object")}
    assert {("Meter", METER), ("UsagePoint", POINT)} <= book
    heard = [(row["noun"], row["verb"]) for row in mdms.control("books/heard") if row["source"] != "ELSEWHERE"]
    told = [one for one in heard if one[1] in ("create", "change", "created", "changed")]
    assert sorted(noun for noun, _ in told) == ["MeterConfig", "MeterConfig", "UsagePointConfig"]
