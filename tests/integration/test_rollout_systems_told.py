"""A work system, a head-end and a CIS that keep books: separate programs, told over TLS and over a broker's queues."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from cim_systems import CimSystem, cim_system
from queues_by_hand import Seen, consuming, opened, settings, until

from adapters.registry import load
from canonical.codes.message import PARTNER_TOOK_PART
from canonical.commissioning import Commissioning
from canonical.completions import completions_from
from canonical.ids import meter_mrid, mint
from canonical.master_data import MasterData, Meter, MeterExchange
from canonical.messages import Header, Message, Outcome, Several
from canonical.metering import Register
from canonical.refusals import refused_operations
from canonical.rollout import FieldOrder, ShippedMeter
from iec61968.bindings import unwrap
from iec61968.message_codec import message_from_xml
from servers.rabbitmq import RabbitServer
from simulators.certificates import make_certificates
from simulators.demo_site import free_ports

AT = datetime(2026, 11, 20, 15, 5, tzinfo=UTC)
KWH = "0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.72.0"
POINT = mint("usage-point", "rollout", 1)
REGISTER = Register("T0", KWH, "kWh", "DELIVERED", 6, 1)


def shipped(serial: str, **different: Any) -> ShippedMeter:
    own = ShippedMeter(
        "Borealis", serial, "ELECTRICITY", "B200", "7.2", "CFG-15", Decimal(1), (REGISTER,), "LOT-1", "PASS",
        module=f"CM-{serial}", module_kind="RF_MESH", key_reference=f"vault:{serial}",
    )  # fmt: skip
    return replace(own, **different)


def order(number: int, **different: Any) -> FieldOrder:
    own = FieldOrder(
        f"EO-{number}", "W1", "create", POINT, "NMI-1", "ELECTRICITY", date(2026, 11, 23), AT, AT + timedelta(hours=4),
        meter_mrid("Acme", "OLD-1"), "Acme", "OLD-1", "B200", route="R-1",
    )  # fmt: skip
    return replace(own, **different)


def commissioning(serial: str, act: Any = "COMMISSION") -> Commissioning:
    return Commissioning(act, meter_mrid("Borealis", serial), "Borealis", serial, POINT, AT)


def told(port: Any, spool: Path, payload: Any, verb: str = "create", noun: str = "MeterConfig") -> Outcome:
    """Encode a message and carry it; its ids follow from what it says."""
    identity = mint("told", repr(payload), verb)
    message = Message(Header(identity, "AMIHUB", verb, noun, identity, created_at=AT, effective_at=AT), payload)
    (outcome,) = port.carry([port.encode(message, spool=spool)], spool=spool, timeout_s=20)
    return outcome  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def systems(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, CimSystem]]:
    folder = tmp_path_factory.mktemp("rollout")
    make_certificates(folder / "keys", ("CIS", "HES", "WAMS"))
    kinds: Any = (("cim_cis", "CIS"), ("rollout_hes", "HES"), ("rollout_wams", "WAMS"))
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(cim_system(kind, name, folder, port=port))
            for (kind, name), port in zip(kinds, free_ports(3), strict=True)
        }


def book(system: CimSystem, table: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = system.control(f"books/{table}")
    return found


@pytest.mark.slow
def test_a_work_system_keeps_orders_and_refuses_to_change_one_that_it_never_had(
    systems: dict[str, CimSystem], tmp_path: Path
) -> None:
    system = systems["WAMS"]
    port = load("wams_cim", system.settings())

    outcomes = [
        told(port, tmp_path, (order(1), order(2))),
        told(port, tmp_path, order(1, verb="change", attempt=2), "change"),
        told(port, tmp_path, order(2, verb="cancel"), "cancel"),
        told(port, tmp_path, order(9, verb="change"), "change"),
    ]

    assert [one.state for one in outcomes] == ["confirmed", "confirmed", "confirmed", "rejected"]
    assert "2.15" in outcomes[3].reason
    rows = {row["order_id"]: (row["state"], row["attempt"], row["told"]) for row in book(system, "work")}
    assert rows == {"EO-1": ("OPEN", 2, 2), "EO-2": ("CANCELLED", 1, 2)}
    assert {(row["old_meter"], row["model"], row["day"]) for row in book(system, "work")} == {
        ("Acme OLD-1", "B200", "2026-11-23")
    }


@pytest.mark.slow
@pytest.mark.parametrize("commission_as", ["status", "linkage"])
def test_a_head_end_commissions_what_it_knows_and_has_keys_for(
    commission_as: str, systems: dict[str, CimSystem], tmp_path: Path
) -> None:
    system = systems["HES"]
    port = load("hes_cim", system.settings(commission_as=commission_as))
    good, keyless = f"G-{commission_as}", f"K-{commission_as}"
    assert told(port, tmp_path, (shipped(good), shipped(keyless, key_reference=""))).state == "confirmed"

    outcomes = [
        told(port, tmp_path, commissioning(one), "change") for one in (good, keyless, f"nobody-{commission_as}")
    ]
    states = {row["meter"]: row["state"] for row in book(system, "device")}
    ended = told(port, tmp_path, commissioning(good, "DECOMMISSION"), "change")

    assert [one.state for one in outcomes] == ["confirmed", "rejected", "rejected"]
    assert "5.3" in outcomes[1].reason
    assert "2.4" in outcomes[2].reason
    assert (states[f"Borealis {good}"], states[f"Borealis {keyless}"]) == ("COMMISSIONED", "STOCK")
    assert ended.state == "confirmed"
    assert {row["meter"]: row["state"] for row in book(system, "device")}[f"Borealis {good}"] == "OUT"


@pytest.mark.slow
def test_a_head_end_takes_several_in_one_message_and_names_the_operations_that_it_refuses(
    systems: dict[str, CimSystem], tmp_path: Path
) -> None:
    system = systems["HES"]
    port = load("hes_cim", system.settings(operations_per_message=3))
    told(port, tmp_path, (shipped("S-1"), shipped("S-2", key_reference="")))

    each = [Message(Header(f"s-{n}", "hub", "change", "MeterConfig"), commissioning(n)) for n in ("S-1", "S-2", "S-3")]
    outcome = told(port, tmp_path, Several(tuple(each)), "change")

    assert (outcome.state, outcome.code) == ("rejected", str(PARTNER_TOOK_PART))
    assert {number: why[:3] for number, why in refused_operations(outcome.reason).items()} == {2: "5.3", 3: "2.4"}
    states = {row["meter"]: row["state"] for row in book(system, "device")}
    assert (states["Borealis S-1"], states["Borealis S-2"]) == ("COMMISSIONED", "STOCK")


@pytest.mark.slow
def test_a_head_end_says_what_it_holds_and_leaves_out_what_it_has_not(
    systems: dict[str, CimSystem], tmp_path: Path
) -> None:
    port = load("hes_cim", systems["HES"].settings())
    told(port, tmp_path, (shipped("H-1"),))
    ids = [meter_mrid("Borealis", "H-1"), meter_mrid("Borealis", "nobody")]

    (before,) = port.held("MeterConfig", ids, as_of=AT, timeout_s=20)
    told(port, tmp_path, commissioning("H-1"), "change")
    (after,) = port.held("MeterConfig", ids, as_of=AT + timedelta(minutes=1), timeout_s=20)

    assert [(one.serial, one.status) for one in before.things] == [("H-1", "In stock")]
    assert [(one.serial, one.status) for one in after.things] == [("H-1", "Active")]


@pytest.mark.slow
def test_a_cis_that_takes_sets_gets_both_halves_of_an_exchange_in_one_message(
    systems: dict[str, CimSystem], tmp_path: Path
) -> None:
    system = systems["CIS"]
    port = load("cis_cim", system.settings(exchange_as="operation_set"))
    old, new = (Meter(meter_mrid("Acme", one), "Acme", one, "ELECTRICITY", Decimal(1)) for one in ("O-1", "N-1"))
    exchange = MeterExchange(POINT, old, new, AT, AT + timedelta(minutes=20))

    outcome = told(port, tmp_path, MasterData("create", "MeterServiceRequests", AT, (exchange,)))
    rows = [(row["removed"], row["installed"]) for row in book(system, "exchange")]
    undone = told(port, tmp_path, MasterData("delete", "MeterServiceRequests", AT, (exchange,)), "delete")

    assert (outcome.state, undone.state) == ("confirmed", "confirmed")
    assert rows == [("Acme O-1", ""), ("", "Acme N-1")]
    assert book(system, "exchange") == []


@pytest.mark.servers
@pytest.mark.slow
def test_a_work_system_behind_a_broker_takes_orders_answers_and_tells_what_its_crews_did(
    rabbitmq_server: RabbitServer, tmp_path: Path
) -> None:
    messaging = settings(tmp_path, rabbitmq_server.url)
    name = messaging.topology.sets[0].partner
    make_certificates(tmp_path / "keys", ("WAMS",))
    port = load("wams_amqp", {"queue": name, "messaging": messaging, "confirms": "reply"})
    (free,) = free_ports(1)
    seen = Seen()
    with (
        opened(messaging),
        cim_system("rollout_wams", "WAMS", tmp_path, port=free, queue=name, broker=rabbitmq_server.url) as system,
        consuming(messaging, seen, f"in.{name}"),
    ):
        outcome = told(port, tmp_path, order(1))
        until(lambda: len(seen.done) == 1)
        works = [
            {"usage_point": POINT, "order": "EO-1", "state": "unable", "reason": "dog", "at": "2026-11-20T15:05:00Z"}
        ]
        system.control("completions", {"works": works})
        until(lambda: len(seen.done) == 2)
        rows = book(system, "work")

    answer, completion = (one.letter for one in seen.done)
    assert outcome.state == "sent"
    assert b"<Result>OK</Result>" in answer.body
    told_by = port.understand(message_from_xml(unwrap(completion.body).message), source=name)
    assert [(one.order, one.outcome, one.source_reason) for one in completions_from(told_by)] == [
        ("EO-1", "UNABLE", "dog")
    ]
    assert [(row["order_id"], row["state"]) for row in rows] == [("EO-1", "UNABLE")]
