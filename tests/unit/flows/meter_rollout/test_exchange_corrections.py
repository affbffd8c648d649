"""Corrections of exchanges: all members at once or nothing, nothing overwritten, readings with their meters."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from completion_world import KWH, World, assert_i1, at, done, new, old
from completion_world import T as AT

from canonical.codes.rollout_corrections import CORRECTION_FAILS, NOT_CROSSED, RESULT_UNKNOWN
from canonical.errors import RejectedError
from canonical.rollout import MeterSeen, RegisterValue
from flows.meter_rollout import correcting, corrections
from flows.meter_rollout.correcting import Person
from store import gateways, rollout_orders, rollout_results, rollout_steps
from store.session import Transaction

BEGIN = datetime(2025, 1, 1, tzinfo=UTC)


@pytest.fixture
def world(transaction: Transaction) -> World:
    return World(transaction)


def test_a_pair_of_crossed_old_meters_is_found_whichever_came_first_and_corrected(world: World) -> None:
    first = world.order(1)
    world.take(done(1, removed=MeterSeen("O2")))
    assert world.work() == {("8001", "U1")}

    world.take(done(2, removed=MeterSeen("O1")))
    assert world.work() == {("8009", "U1"), ("8009", "U2")}
    _cross(world, "U1", "U2")

    assert [world.hung(n)[-1][:2] for n in (1, 2)] == [("N2", AT), ("N1", AT)]
    assert [row["state"] for row in world.orders(1)] == ["VALIDATED"]
    assert (world.orders(1)[0]["order_id"], world.orders(1)[0]["new_meter"]) == (first, new(2))
    assert sorted(row["state"] for row in world.results(1)) == ["SUPERSEDED", "VALIDATED"]
    assert world.work() == set()


def test_a_cycle_of_three_is_corrected_together_and_not_two_of_it(world: World) -> None:
    world.take(*(done(n, removed=MeterSeen(f"O{n % 3 + 1}")) for n in (1, 2, 3)))
    assert world.work() == {("8009", f"U{n}") for n in (1, 2, 3)}

    with pytest.raises(RejectedError) as refused:
        _cross(world, "U1", "U2")
    assert refused.value.code == NOT_CROSSED
    _cross(world, "U1", "U2", "U3")

    assert [world.hung(n)[-1][0] for n in (1, 2, 3)] == ["N3", "N1", "N2"]
    assert_i1(world)


def test_crossed_new_meters_change_places_with_their_readings_and_systems_are_told_anew(world: World) -> None:
    later = AT + timedelta(hours=2)
    world.take(done(1), at(later, 2, first_readings=(RegisterValue("T", Decimal(7)),)))
    world.read(1, AT + timedelta(hours=3), "9.0", meter=new(1))
    _sent(world)

    corrected = _cross(world, "U1", "U2")

    assert world.hung(1)[-1] == ("N2", AT, None)
    assert world.hung(2) == [("O2", BEGIN, later), ("N1", later, None)]
    assert (KWH, AT + timedelta(hours=3), Decimal("9.0")) in world.readings(2)[new(1)]
    assert new(1) not in world.readings(1)
    assert (corrected.readings, len(corrected.told_again)) == (3, 2)
    assert {row["state"] for row in (*world.orders(1), *world.orders(2))} == {"CORRECTING"}
    assert any(step.startswith("UNDO") for step in _steps(world, 1))
    assert_i1(world)


def test_a_preview_shows_what_would_hang_where_and_changes_nothing(world: World) -> None:
    world.take(done(1), done(2))
    before = [world.hung(n) for n in (1, 2)], [world.results(n) for n in (1, 2)], [world.orders(n) for n in (1, 2)]

    shown = _cross(world, "U1", "U2", is_preview=True)

    assert shown.lines[0] == f"U1: ACME N1 since {AT.isoformat()} -> ACME N2 since {AT.isoformat()}"
    assert before == (
        [world.hung(n) for n in (1, 2)],
        [world.results(n) for n in (1, 2)],
        [world.orders(n) for n in (1, 2)],
    )


def test_a_correction_that_cannot_be_believed_changes_nothing_at_all(world: World) -> None:
    world.take(done(1), done(2))
    went = (RegisterValue("T", Decimal(3)),)
    world.take(at(AT + timedelta(hours=1), removed=MeterSeen("N1"), installed=MeterSeen("N3"), final_readings=went))
    before = [world.hung(n) for n in (1, 2)]

    with pytest.raises(RejectedError) as refused:
        _cross_the_first_ones(world)

    assert refused.value.code == CORRECTION_FAILS
    assert before == [world.hung(n) for n in (1, 2)]


def test_a_reversal_takes_the_exchange_back_and_marks_it(world: World) -> None:
    world.take(done())
    _sent(world)
    world.now += timedelta(hours=1)

    world.take(done(outcome="REVERSED"))

    assert world.hung() == [("O1", BEGIN, None)]
    assert [row["state"] for row in world.results()] == ["REVERSED", "VALIDATED"]
    assert world.orders()[0]["state"] == "CORRECTING"  # until every system has said so
    assert any(step.startswith("UNDO") for step in _steps(world, 1))
    assert world.work() == set()


def test_a_reversal_after_days_leaves_what_was_measured_to_a_person(world: World) -> None:
    world.take(at(AT - timedelta(days=2)))

    world.take(at(AT - timedelta(days=2), outcome="REVERSED"), effective_at=AT)

    assert (world.hung()[0][2], world.work()) == (None, {("8008", "U1")})


def test_a_reversal_of_an_exchange_that_nobody_told_waits_for_it(world: World) -> None:
    world.take(done(outcome="REVERSED"))
    assert world.result()["state"] == "WAITING"

    world.tell(done())
    world.judge(hours=4)

    assert {row["state"] for row in world.results()} == {"REVERSED", "VALIDATED"}
    assert world.hung() == [("O1", BEGIN, None)]


def test_a_meter_that_was_put_back_can_be_exchanged_again(world: World) -> None:
    world.take(done())
    world.take(done(outcome="REVERSED"))

    world.take(at(AT + timedelta(hours=2), installed=MeterSeen("N2")))

    assert world.hung()[-1] == ("N2", AT + timedelta(hours=2), None)


def test_a_wrong_premise_is_corrected_with_its_readings(world: World) -> None:
    with world.transaction() as session:
        from store import reference

        rows = reference.current(session, reference.INSTALLATION, "usage_point", {"U1", "U2"})
        reference.replace(session, reference.INSTALLATION, rows, [], now=AT)
    first = {"removed": None, "removed_at": None, "final_readings": ()}
    world.take(done(1, **first))
    world.read(1, AT + timedelta(hours=1), "4.0", meter=new(1))

    correcting.premise(
        world.result()["result_id"], "U2", policy=world.policy, transaction=world.transaction, person=_ann(world)
    )

    assert (world.hung(1), world.hung(2)) == ([], [("N1", AT, None)])
    assert len(world.readings(2)[new(1)]) == 2


def test_of_two_contradicting_completions_a_person_says_which_is_right(world: World) -> None:
    world.take(done())
    world.take(done(installed=MeterSeen("N2")))
    (right,) = [row["result_id"] for row in world.results() if row["installed_serial"] == "N2"]

    correcting.accept(right, policy=world.policy, transaction=world.transaction, person=_ann(world))

    assert {row["installed_serial"]: row["state"] for row in world.results()} == {"N1": "SUPERSEDED", "N2": "VALIDATED"}
    assert (world.hung()[-1][0], world.work()) == ("N2", set())


def test_a_finding_that_was_looked_at_passes_and_one_that_breaks_i1_never_does(world: World) -> None:
    world.take(done(final_readings=()), done(2, removed=MeterSeen("O3")))

    state = correcting.waive(world.result()["result_id"], "EX08", policy=world.policy,
                             transaction=world.transaction, person=_ann(world))  # fmt: skip
    with pytest.raises(RejectedError) as refused:
        correcting.waive(world.result(2)["result_id"], "EX01", policy=world.policy,
                         transaction=world.transaction, person=_ann(world))  # fmt: skip

    assert (state, world.hung()[-1][0], refused.value.code) == ("VALIDATED", "N1", RESULT_UNKNOWN)
    assert world.work() == {("8001", "U2")}
    with world.transaction() as session:
        assert {line["by"] for line in rollout_orders.history(session, world.orders()[0]["order_id"])} == {"hub", "ann"}


def test_two_exchanges_of_one_day_are_both_kept_in_whatever_order_they_come(world: World) -> None:
    second = at(AT + timedelta(minutes=30), removed=MeterSeen("N1"), installed=MeterSeen("N2"),
                final_readings=(RegisterValue("T", Decimal(3)),))  # fmt: skip

    world.take(second)
    assert world.work() == {("8001", "U1")}
    world.take(done())

    assert [one[0] for one in world.hung()] == ["O1", "N1", "N2"]
    assert world.work() == set()
    assert_i1(world)


def test_meters_behind_a_gateway_go_over_to_the_new_one_and_it_never_just_goes(world: World) -> None:
    with world.transaction() as session:
        spans = [
            {"slave": "gas1", "gateway": old(1), "since": BEGIN},
            {"slave": "gas2", "gateway": old(2), "since": BEGIN},
        ]
        gateways.link(session, spans, source="hes", now=BEGIN)

    world.take(done(1), done(2, installed=None, installed_at=None, first_readings=()))

    with world.transaction() as session:
        found = gateways.slaves(session, {old(1), new(1), old(2)})
    assert [(row["slave"], row["since"], row["until"]) for row in found[new(1)]] == [("gas1", AT, None)]
    assert found[old(1)][0]["until"] == AT
    assert (world.work(), world.hung(2)[0][2]) == ({("8024", "U2")}, None)


def _cross_the_first_ones(world: World) -> None:
    with world.transaction() as session:
        rows = [rollout_results.of_usage_points(session, {point})[0] for point in ("U1", "U2")]
        meant = correcting._exchanged(rows)
        corrections.apply(session, meant, policy=world.policy, by="ann", reason="x", now=world.now)


def _ann(world: World) -> Person:
    return Person("ann", "looked at the photos", world.now)


def _cross(world: World, *points: str, is_preview: bool = False) -> corrections.Corrected:
    return correcting.cross(
        points, policy=world.policy, transaction=world.transaction, person=_ann(world), is_preview=is_preview
    )


def _sent(world: World) -> None:
    """Let the systems have been told everything."""
    for number in (1, 2):
        for order in world.orders(number):
            with world.transaction() as session:
                rows = rollout_steps.of_orders(session, [order["order_id"]])[order["order_id"]]
                key = ("order_id", "step", "attempt")
                done_now = [{**{name: row[name] for name in key}, "state": "CONFIRMED", "due_at": None} for row in rows]
                rollout_steps.move(session, done_now)


def _steps(world: World, number: int) -> list[str]:
    (order,) = world.orders(number)
    with world.transaction() as session:
        return [row["step"] for row in rollout_steps.of_orders(session, [order["order_id"]])[order["order_id"]]]
