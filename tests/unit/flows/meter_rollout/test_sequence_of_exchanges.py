"""The sequence of an exchange: every system is told in order, and what it holds is looked at."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from rollout_sequence_world import POLICY, T, World

from canonical.codes.rollout_steps import ORIGIN_SILENT, STEP_BY_HAND, STEP_DIFFERS, STEP_REFUSED
from canonical.ids import meter_mrid
from canonical.rollout import Origin
from flows import work as people
from flows.delivery import DeliveryPolicy
from flows.meter_rollout import sequence
from flows.meter_rollout.steps import STEPS
from store import master_statements, rollout_orders, shipments
from store.session import Transaction

OLD, NEW = meter_mrid("ACME", "O1"), meter_mrid("ACME", "N1")


@pytest.fixture
def world(transaction: Transaction, tmp_path: Path) -> World:
    return World(transaction, tmp_path)


def test_an_exchange_reaches_every_system_in_order_and_ends_closed(world: World) -> None:
    order = world.exchange(1)
    world.settle()
    world.hear(1)
    world.read(1)
    world.later(days=5)
    world.look()
    world.settle()

    assert world.history(order) == [
        "VALIDATED", "CIS_EXCHANGED", "MDM_SYNCED", "HES_COMMISSIONED", "HEARD", "VERIFIED", "CERTIFIED", "CLOSED",
    ]  # fmt: skip
    assert set(world.steps(order).values()) <= {"CONFIRMED", "SEEN"}
    assert len(world.steps(order)) == len(STEPS)
    assert world.open_work() == []


def test_removal_and_installation_reach_the_cis_as_one_with_their_readings(world: World) -> None:
    world.exchange(1)
    world.settle()

    (pair,) = world.offices["cis"].told

    assert (pair["noun"], pair["old"], pair["new"], pair["final"]) == ("MeterServiceRequests", OLD, NEW, ["4711"])


def test_the_meter_data_system_closes_and_opens_at_one_instant_and_gets_both_readings(world: World) -> None:
    world.exchange(1, removed_at=T - timedelta(minutes=20))
    world.settle()

    close, create, readings = world.offices["mdms"].told

    assert [(one["verb"], one["meter"], one["at"]) for one in (close, create)] == [
        ("close", OLD, T.isoformat()),
        ("create", NEW, T.isoformat()),
    ]
    assert [value[2] for value in readings["values"]] == ["0"] or len(readings["values"]) == 2


def test_a_system_that_is_away_holds_up_only_what_comes_behind_it(world: World) -> None:
    order = world.exchange(1)
    world.offices["oms"].is_away = True
    world.settle()
    away = world.steps(order)
    world.offices["oms"].is_away = False
    world.close_work()
    world.settle()

    assert away["OMS_METER"] == "UNCONFIRMED"
    assert away["HES_COMMISSION"] == "SEEN"
    assert world.order(order)["state"] == "HES_COMMISSIONED"


def test_a_head_end_away_for_an_hour_gets_everything_afterwards_and_nobody_else_waited(
    transaction: Transaction, tmp_path: Path
) -> None:
    world = World(transaction, tmp_path, patience=DeliveryPolicy())
    order = world.exchange(1)
    world.offices["hes"].is_away = True
    for _ in range(12):
        world.settle(2)
        world.later(minutes=5)
        world.machine_now += timedelta(minutes=5)
    others = {name: len(world.offices[name].told) for name in ("cis", "mdms", "oms")}
    world.offices["hes"].is_away = False
    world.machine_now += timedelta(minutes=15)
    world.settle()

    assert others == {"cis": 1, "mdms": 3, "oms": 1}
    assert world.order(order)["state"] == "HES_COMMISSIONED"
    assert world.open_work() == []


def test_a_refused_step_is_work_and_goes_on_when_a_person_says_that_it_is_so(world: World) -> None:
    order = world.exchange(1)
    world.offices["cis"].refuses = lambda said: said["noun"] == "MeterServiceRequests"
    world.settle()
    (item,) = world.open_work()
    behind = world.offices["mdms"].told
    world.close_work()
    world.settle()

    assert item["code"] == str(STEP_REFUSED)
    assert (item["queue"], item["usage_point"], behind) == ("rollout", "U1", world.offices["mdms"].told)
    assert world.steps(order)["MDMS_CREATE"] == "SEEN"


def test_what_a_system_confirmed_and_does_not_hold_is_work_that_names_it(world: World) -> None:
    order = world.exchange(1)
    world.offices["hes"].forgets = True
    world.settle()

    (item,) = world.open_work()

    assert item["code"] == str(STEP_DIFFERS)
    assert NEW in item["summary"]
    assert world.order(order)["state"] == "MDM_SYNCED"


def test_silence_is_asked_about_before_anything_is_sent_again(world: World) -> None:
    order = world.exchange(1)
    world.offices["mdms"].is_silent = True
    world.settle()
    world.later(hours=3)
    with world.transaction() as session:
        from store.overdue import overdue

        overdue(session, now=world.now)
    world.settle(2)

    told = [said["verb"] for said in world.offices["mdms"].told]

    assert told == ["close"]
    assert world.steps(order)["MDMS_CLOSE"] in ("UNCONFIRMED", "SEEN")


def test_a_person_stands_in_for_a_system_and_the_rest_goes_on(transaction: Transaction, tmp_path: Path) -> None:
    roles = {name: name for name in POLICY.roles if name != "oms"}
    world = World(transaction, tmp_path, replace(POLICY, roles=roles, manual=frozenset({"oms"})))
    order = world.exchange(1)
    world.settle()

    (item,) = world.open_work()
    waits = world.steps(order)["OMS_METER"]
    people.resolve(item["work_id"][:8], by="ann", reason="keyed in", transaction=world.transaction, now=world.now)
    world.settle()

    assert (item["code"], waits) == (str(STEP_BY_HAND), "MANUAL")
    assert world.steps(order)["OMS_METER"] == "CONFIRMED"


def test_nobody_leaves_the_manual_route_before_the_cis_bills_by_ami(transaction: Transaction, tmp_path: Path) -> None:
    roles = {name: name for name in POLICY.roles if name != "cis"}
    world = World(transaction, tmp_path, replace(POLICY, roles=roles, manual=frozenset({"cis"})))
    order = world.exchange(1)
    world.settle()
    world.close_work()
    world.settle()
    world.hear(1)
    world.read(1)
    world.later(days=5)
    world.look()
    world.settle()

    waits = (world.steps(order)["CIS_AMI"], world.steps(order)["ROUTE"], world.order(order)["certified_at"])
    world.close_work()
    world.settle()

    assert waits == ("MANUAL", "PENDING", None)
    assert world.steps(order)["ROUTE"] == "CONFIRMED"
    assert world.order(order)["state"] == "CLOSED"


def test_a_site_without_some_systems_still_closes(transaction: Transaction, tmp_path: Path) -> None:
    world = World(transaction, tmp_path, replace(POLICY, roles={"mdms": "mdms"}, askable=frozenset()))
    order = world.exchange(1)
    world.settle()

    assert world.order(order)["state"] == "CLOSED"
    assert {name for name, state in world.steps(order).items() if state != "NOT_NEEDED"} == {
        "MDMS_CLOSE", "MDMS_CREATE", "MDMS_READINGS",
    }  # fmt: skip


def test_the_old_meter_is_among_the_returned_ones_also_where_no_work_system_keeps_them(
    transaction: Transaction, tmp_path: Path
) -> None:
    world = World(transaction, tmp_path, replace(POLICY, roles={"mdms": "mdms"}, askable=frozenset()))
    with transaction() as session:
        before = shipments.of_meters(session, {OLD})
    order = world.exchange(1)
    world.settle()

    with transaction() as session:
        after = shipments.of_meters(session, {OLD})
    assert before == {}
    assert after[OLD]["state"] == "RETURNED"
    assert world.order(order)["state"] == "CLOSED"


def test_a_corrected_exchange_is_taken_back_everywhere_before_it_is_told_anew(world: World) -> None:
    first, second = world.exchange(1), world.exchange(2)
    world.settle()
    with world.transaction() as session:
        swapped = [
            {"order_id": first, "new_meter": meter_mrid("ACME", "N2")},
            {"order_id": second, "new_meter": NEW},
        ]
        rollout_orders.change(session, swapped)
        rows = list(rollout_orders.of_ids(session, [first, second]).values())
        sequence.again(session, rows, policy=world.policy, now=world.now)
    world.settle(20)

    assert world.offices["mdms"].meters_at("U1") == [meter_mrid("ACME", "N2")]
    assert world.offices["mdms"].meters_at("U2") == [NEW]
    verbs = [(said["verb"], said.get("meter")) for said in world.offices["mdms"].told if "meter" in said]
    assert verbs.index(("delete", NEW)) < max(n for n, one in enumerate(verbs) if one == ("create", NEW))
    assert "CORRECTING" in world.history(first)
    assert world.order(first)["state"] == "HES_COMMISSIONED"


def test_a_reversed_exchange_is_taken_back_from_everyone_who_was_told(world: World) -> None:
    order = world.exchange(1)
    world.settle()
    with world.transaction() as session:
        row = rollout_orders.of_ids(session, [order])[order]
        sequence.take_back(session, [row], policy=world.policy, now=world.now)
    world.settle(20)

    assert world.order(order)["state"] == "REVERSED"
    assert world.offices["mdms"].meters_at("U1") == [OLD]
    assert world.offices["hes"].status_of(NEW) == "Decommissioned"
    assert [said["verb"] for said in world.offices["cis"].told] == ["create", "delete"]


def test_a_step_that_another_system_begins_is_waited_for_and_then_passed_on(
    transaction: Transaction, tmp_path: Path
) -> None:
    origins: dict[str, Origin] = {"MDMS_CLOSE": "wams"}
    policy = replace(POLICY, origins=origins, sources={"wams": frozenset({"wams"})}, askable=frozenset())
    world = World(transaction, tmp_path, policy)
    order = world.exchange(1)
    world.settle()
    waits = (world.steps(order)["MDMS_CLOSE"], list(world.offices["mdms"].told))
    said = {
        "how": "told_us", "system": "wams", "message_id": "m", "delivery_id": "", "place": 0, "kind": "installation",
        "object_id": f"U1/{OLD}", "usage_point": "U1", "verb": "close", "valid_from": T, "valid_to": None, "facts": {},
        "said_at": T, "noted_at": T, "disposition": "DUPLICATE", "code": "", "reason": "",
    }  # fmt: skip
    with world.transaction() as session:
        master_statements.note(session, [said])
    world.later(hours=1)
    world.settle()

    assert waits == ("AWAITED", [])
    assert [told["verb"] for told in world.offices["mdms"].told] == ["close", "create", "created"]


def test_an_origin_that_is_silent_for_a_day_is_work(transaction: Transaction, tmp_path: Path) -> None:
    origins: dict[str, Origin] = {"CIS_PAIR": "cis"}
    world = World(transaction, tmp_path, replace(POLICY, origins=origins, sources={"cis": frozenset({"cis"})}))
    world.exchange(1)
    world.settle()
    world.later(hours=25)
    world.settle(2)

    assert [item["code"] for item in world.open_work()] == [str(ORIGIN_SILENT)]
    assert world.offices["cis"].told == []
