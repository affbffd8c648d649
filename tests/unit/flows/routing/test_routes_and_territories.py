"""Who gets what: territories by name, district and creator; routes as a chain; never back, never lost."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from sqlmodel import select

from canonical.documents import Document
from canonical.errors import RejectedError, UnavailableError
from canonical.messages import Header, Message, Parcel, Reply
from canonical.metering import MeterReadings, ReadingQuestion, UsagePoint
from canonical.periods import Period
from flows import master_data_sync
from flows.master_data_sync import Policy
from flows.reference import record
from flows.routing import ByTerritory, Parts, Route, Routes, Sending, Territory, Trouble, pass_on, territories_of
from flows.routing.routes import Facts
from store import master_origins, work
from store.deliveries import Delivery
from store.session import Transaction

NOW = datetime(2026, 6, 1, tzinfo=UTC)
NORTH = Territory("north", "cis_north", "mdms_north", frozenset({"N"}), ("N-*",), frozenset({"cis_north"}))
SOUTH = Territory("south", "cis_south", "mdms_south", frozenset({"S"}), ("S-*", "*-TWICE"))
TOWNS = (NORTH, SOUTH)
CONTROLS = Route(("meter_data",), nouns=frozenset({"EndDeviceControls"}), verbs=frozenset({"create"}))


def point(mrid: str, district: str = "", name: str = "") -> UsagePoint:
    return UsagePoint(mrid, name, "UTC", "ELECTRICITY", "AMI", NOW - timedelta(days=9), district=district)


@pytest.fixture
def known(transaction: Transaction) -> Transaction:
    """A hub that knows usage points of the north, of the south, of both, and of nowhere."""
    points = [point("U1", "N"), point("U2", "S"), point("U3", "X"), point("U4", "S", "N-4"), point("U5", "X")]
    with transaction() as session:
        record(session, [*points, point("U6", "", "S-TWICE"), point("N-TWICE")], now=NOW)
        master_origins.note(session, "usage_point", "U5", "cis_north")
    return transaction


@pytest.mark.parametrize(
    ("usage_point", "home"),
    [
        ("U1", "north"),
        ("U2", "south"),
        ("U4", "north"),
        ("U5", "north"),
        ("U3", "1180 TERRITORY_UNKNOWN"),
        ("nobody", "1180 TERRITORY_UNKNOWN"),
        ("N-TWICE", "1181 TERRITORY_AMBIGUOUS"),
    ],
)
def test_a_usage_point_lies_where_its_name_else_its_district_else_its_creator_says(
    known: Transaction, usage_point: str, home: str
) -> None:
    with known() as session:
        found = territories_of(session, [usage_point], routes=Routes(territories=TOWNS), at=NOW)[usage_point]

    assert (str(found.code) if isinstance(found, Trouble) else found.name) == home


def test_routes_are_a_chain_that_ends_behind_the_last_one_that_fits() -> None:
    routes = Routes(
        (
            Route(("vault",), commodities=frozenset({"GAS"}), is_last=True),
            Route(("mdms", "cis"), sources=frozenset({"cis"}), customer_classes=frozenset({"RESIDENTIAL"})),
            Route(("oms",), districts=frozenset({"N"})),
            Route(("gis",)),
        ),
        absent=frozenset({"gis"}),
    )
    home = Facts(customer_classes=frozenset({"RESIDENTIAL"}), commodities=frozenset({"ELECTRICITY"}))
    gas = Facts(commodities=frozenset({"GAS"}), districts=frozenset({"N"}))

    assert routes.destinations("UsagePointConfig", "created", "cis", home) == ("mdms",)
    assert routes.destinations("UsagePointConfig", "created", "cis", gas) == ("vault",)
    assert routes.destinations("UsagePointConfig", "create", "wams", Facts(districts=frozenset({"N"}))) == ("oms",)


@dataclass
class World:
    """What a router would send, and a way to hand it documents."""

    transaction: Transaction
    routes: Routes = field(default_factory=lambda: Routes((CONTROLS,), TOWNS))
    sent: list[tuple[str, bytes, str]] = field(default_factory=list)

    def encode(self, role: str, message: Message[Document]) -> Parcel:
        if role == "mute":
            raise RejectedError("no words", code=work_code())
        body = message.payload.body
        self.sent.append((role, body, message.header.message_id))
        return Parcel("x", "text/xml", sha256(body).hexdigest(), len(body), body)

    def pass_on(self, *points: str, source: str = "cis_north", verb: str = "create") -> Reply:
        parts = tuple(Document("EndDeviceControls", one.encode(), (one,)) for one in points)
        whole = Document("EndDeviceControls", b"+".join(one.body for one in parts), points)
        header = Header("m-1", source, verb, "EndDeviceControls", "c-1", created_at=NOW)

        def join(chosen: Sequence[Document]) -> Document:
            names = tuple(name for one in chosen for name in one.usage_points)
            return Document("EndDeviceControls", b"+".join(one.body for one in chosen), names)

        with self.transaction() as session:
            message = Message(header, Parts(whole, parts, join))
            return pass_on(session, message, sending=self.sending(NOW), retry_in=timedelta(hours=1))

    def sending(self, now: datetime) -> Sending:
        return Sending(self.routes, self.encode, now)

    def lanes(self) -> list[tuple[str, str]]:
        with self.transaction() as session:
            rows = session.exec(select(Delivery).order_by("sequence")).all()
            return [(row.destination, row.lane) for row in rows]

    def work(self) -> list[tuple[str, str]]:
        with self.transaction() as session:
            return [(item["code"], item["key"]) for item in work.listed(session)]


def work_code() -> Any:
    from canonical.codes.message import EXPORT_IMPOSSIBLE

    return EXPORT_IMPOSSIBLE


def test_a_document_about_two_territories_is_split_and_each_part_has_an_id_of_its_own(known: Transaction) -> None:
    world = World(known)

    reply = world.pass_on("U1", "U2", "U4")

    assert reply.result == "OK"
    assert [(role, body) for role, body, _ in world.sent] == [("mdms_north", b"U1+U4"), ("mdms_south", b"U2")]
    assert len({name for _, _, name in world.sent}) == 2
    assert world.lanes() == [("mdms_north", ""), ("mdms_south", "U2")]


def test_a_stranger_s_object_waits_as_work_and_goes_once_its_territory_is_known(known: Transaction) -> None:
    world = World(known)

    reply = world.pass_on("U1", "U3")
    with known() as session:
        record(session, [point("U3", "S")], now=NOW)
    later = world.sending(NOW + timedelta(hours=2))
    before = world.work()
    master_data_sync.advance(policy=Policy(), sending=later, transaction=known)
    master_data_sync.advance(policy=Policy(), sending=later, transaction=known)

    assert (reply.result, reply.details["held"]) == ("OK", "1")
    assert before == [("1180 TERRITORY_UNKNOWN", "U3")]
    assert [(role, body) for role, body, _ in world.sent] == [("mdms_north", b"U1"), ("mdms_south", b"U3")]
    assert world.work() == []


def test_nothing_goes_back_to_where_it_comes_from(known: Transaction) -> None:
    world = World(known, Routes((Route(("mdms_north", "oms"), nouns=CONTROLS.nouns),)))

    world.pass_on("U1", source="mdms_north")

    assert [role for role, _, _ in world.sent] == ["oms"]


def test_what_no_route_names_is_not_supported_here(known: Transaction) -> None:
    with pytest.raises(RejectedError) as raised:
        World(known).pass_on("U1", verb="close")

    assert raised.value.code.name == "NOT_SUPPORTED_HERE"


def test_a_role_that_a_person_stands_for_and_one_without_words_are_work_and_hold_nothing_up(
    known: Transaction,
) -> None:
    routes = Routes((Route(("wams", "mute", "oms"), nouns=CONTROLS.nouns),), manual=frozenset({"wams"}))
    world = World(known, routes)

    reply = world.pass_on("U1")

    assert reply.result == "OK"
    assert sorted(code for code, _ in world.work()) == ["1118 EXPORT_IMPOSSIBLE", "1182 DONE_BY_HAND"]
    assert world.lanes() == [("oms", "U1")]


@dataclass
class Mdms:
    """Holds readings of every usage point, unless it is away."""

    away: bool = False
    asked: list[str] = field(default_factory=list)

    def readings(self, questions: Sequence[ReadingQuestion], *, timeout_s: float) -> Iterator[MeterReadings]:
        if self.away:
            raise UnavailableError("away", code=work_code())
        for one in questions:
            self.asked.append(one.usage_point)
            yield MeterReadings(one.usage_point, "m")


def ask(known: Transaction, ports: dict[str, Mdms], *points: str) -> list[str]:
    one = ByTerritory(ports.__getitem__, routes=Routes(territories=TOWNS), transaction=known, now=lambda: NOW)
    span = Period(NOW - timedelta(days=1), NOW)
    found = one.readings([ReadingQuestion(name, span, "billing", False) for name in points], timeout_s=1)
    return [reading.usage_point for reading in found]


def test_each_mdms_is_asked_of_its_own_and_one_that_is_away_leaves_only_its_own_out(known: Transaction) -> None:
    ports = {"mdms_north": Mdms(), "mdms_south": Mdms()}

    assert sorted(ask(known, ports, "U1", "U2", "U3", "U4")) == ["U1", "U2", "U4"]
    assert (ports["mdms_north"].asked, ports["mdms_south"].asked) == (["U1", "U4"], ["U2"])
    ports["mdms_south"].away = True
    assert ask(known, ports, "U1", "U2") == ["U1"]
    with pytest.raises(UnavailableError):
        ask(known, ports, "U2")
