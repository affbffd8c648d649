"""An old meter goes from returned to disposed of, whoever begins: a person at the hub, or a system that closes it."""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from queues_by_hand import settings
from shipments_by_hand import Dock, meter, mrid

from adapters.registry import load
from canonical.codes.message import PARTNER_TOOK_PART
from canonical.ids import mint
from canonical.master_data import MasterData, Meter
from canonical.messages import Header, Message, Parcel
from flows.master_data_sync import take
from flows.routing import Routes
from flows.shipments import dispose, ended, returned
from iec61968.envelope import ReplyError, WireReply
from iec61968.message_codec import message_from_xml
from iec61968.partner_replies import outcome_of
from store import shipments
from store.session import Transaction

ADAPTERS = ("wams_cim", "wams_amqp")


@dataclass
class WiredDock(Dock):
    """A dock whose work system is told in its own words; what was said is kept."""

    port: Any = None
    wires: list[bytes] = field(default_factory=list)

    def encode(self, role: str, message: Message[Any]) -> Parcel:
        super().encode(role, message)
        found: Parcel = self.port.encode(message, spool=Path())
        if role == "wams":
            self.wires.append(found.body or b"")
        return found


def wired(adapter: str, transaction: Transaction, room: Path) -> WiredDock:
    """Return a dock with two old meters that lie in the stock of returned ones."""
    messaging = settings(room)
    way = (
        {"queue": messaging.topology.sets[1].partner, "messaging": messaging}
        if adapter.endswith("amqp")
        else {"url": "https://cim.example/cim", "user": "amihub", "password": "river-of-nine"}
    )
    dock = WiredDock(transaction, port=load(adapter, {**way, "zone": "America/Toronto"}))
    dock.take(meter("1"), meter("2"))
    with transaction() as session:
        shipments.move(session, {mrid("1"), mrid("2")}, "INSTALLED", now=dock.now)
        returned(session, {mrid("1"), mrid("2")}, now=dock.now)
    for role in dock.policy.roles:
        dock.answer(role)
    dock.wires.clear()
    dock.sent.clear()
    dock.now += timedelta(days=30)
    return dock


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_a_work_system_reads_in_its_own_words_which_meters_are_no_more_and_answers_one_by_one(
    adapter: str, transaction: Transaction, tmp_path: Path
) -> None:
    dock = wired(adapter, transaction, tmp_path)

    dispose(
        {mrid("1"), mrid("2")}, by="ada", policy=dock.policy, masters_policy=dock.masters, sending=dock.sending,
        transaction=transaction,
    )  # fmt: skip

    (wire,) = dock.wires
    told = dock.port.understand(message_from_xml(etree.fromstring(wire)), source="AMIHUB").payload
    assert (told.verb, told.effective_at) == ("close", dock.now)
    assert [(one.meter, one.status) for one in told.things] == sorted((mrid(n), "Disposed") for n in "12")
    refused = ReplyError("2.4", "FATAL", "still on a pallet", "", mrid("2"), "Meter")
    outcome = outcome_of(WireReply("PARTIAL", (refused,)), verb="close")
    dock.answer("wams", outcome.state, outcome.code, outcome.reason)
    assert outcome.code == str(PARTNER_TOOK_PART)
    assert [dock.row(n)["told"]["wams"] for n in "12"] == ["CONFIRMED", "2.4"]
    assert dock.states("1", "2") == ["DISPOSED", "DISPOSED"]


def closed(dock: Dock, *numbers: str) -> Message[MasterData]:
    """Return how a work system says that meters are no more."""
    things = tuple(Meter(mrid(n), "ACME", n, "ELECTRICITY", meter(n).multiplier, status="Disposed") for n in numbers)
    name = mint("message", "wams", dock.now)
    header = Header(name, "wams", "close", "MeterConfig", name, created_at=dock.now, effective_at=dock.now)
    return Message(header, MasterData("close", "MeterConfig", dock.now, things))


def taken(dock: Dock, message: Message[MasterData]) -> None:
    with dock.transaction() as session:
        reply = take(session, message, policy=dock.masters, routes=Routes(), encode=dock.encode, now=dock.now)
    assert reply.result == "OK"


def end(dock: Dock) -> int:
    return ended(policy=dock.policy, sending=dock.sending, transaction=dock.transaction)


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_what_a_work_system_disposes_of_the_others_are_told_once(
    adapter: str, transaction: Transaction, tmp_path: Path
) -> None:
    dock = wired(adapter, transaction, tmp_path)

    wire = dock.port.encode(closed(dock, "1"), spool=tmp_path).body or b""
    taken(dock, dock.port.understand(message_from_xml(etree.fromstring(wire)), source="wams"))
    first, second = end(dock), end(dock)

    assert (first, second) == (1, 0)
    assert dock.states("1", "2") == ["DISPOSED", "RETURNED"]
    assert dock.sent == [(role, "close", (mrid("1"),)) for role in ("mdms", "hes")]


def test_a_meter_that_was_closed_before_it_came_back_is_gone_once_it_is_back(transaction: Transaction) -> None:
    dock = Dock(transaction)
    dock.take(meter("1"))
    with transaction() as session:
        shipments.move(session, {mrid("1")}, "INSTALLED", now=dock.now)
    dock.now += timedelta(days=1)
    taken(dock, closed(dock, "1"))

    early = end(dock)
    with transaction() as session:
        returned(session, {mrid("1")}, now=dock.now)

    assert (early, end(dock), dock.states("1")) == (0, 1, ["DISPOSED"])
