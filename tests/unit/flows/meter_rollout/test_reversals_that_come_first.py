"""A reversal that comes before the exchange which it takes back: it waits for it, and leaves no work behind."""

import pytest
from completion_world import World, assert_i1, done

from canonical.rollout import MeterSeen
from store.session import Transaction

REVERSAL = done(outcome="REVERSED")


@pytest.fixture
def world(transaction: Transaction) -> World:
    return World(transaction)


@pytest.mark.parametrize("hours", [1, 30])
def test_what_was_said_of_a_reversal_that_came_first_is_over_when_its_exchange_comes(world: World, hours: int) -> None:
    world.order(1)
    world.tell(REVERSAL)
    for _ in range(hours):
        world.judge(hours=1)
    assert world.work() == {("8014", "U1")}
    assert world.result()["state"] == ("WAITING" if hours < 24 else "HELD")

    world.take(done())

    assert {(row["outcome"], row["state"]) for row in world.results()} == {
        ("DONE", "REVERSED"),
        ("REVERSED", "VALIDATED"),
    }
    assert [one[0] for one in world.hung()] == ["O1"]
    assert world.work() == set()
    assert_i1(world)


def test_a_reversal_takes_back_an_exchange_that_nobody_believed_and_its_work_with_it(world: World) -> None:
    world.take(REVERSAL)
    world.judge(hours=30)
    world.take(done(final_readings=()))

    assert {row["state"] for row in world.results()} == {"REVERSED", "VALIDATED"}
    assert world.work() == set()


def test_a_reversal_of_another_meter_goes_on_waiting(world: World) -> None:
    world.take(done(outcome="REVERSED", installed=MeterSeen("N2")))
    world.take(done())

    assert {(row["outcome"], row["state"]) for row in world.results()} == {
        ("DONE", "VALIDATED"),
        ("REVERSED", "WAITING"),
    }
    assert world.work() == {("8014", "U1")}


def test_a_telling_that_contradicts_a_reversed_one_stays_before_a_person(world: World) -> None:
    world.tell(done())
    world.tell(done(final_readings=()))

    world.take(REVERSAL)

    assert sorted(row["state"] for row in world.results()) == ["HELD", "REVERSED", "VALIDATED"]
    assert world.work() == {("8014", "U1")}


def test_a_reversal_of_a_contradicting_telling_leaves_the_one_that_is_believed_as_it_is(world: World) -> None:
    world.order(1)
    world.take(done())
    world.take(done(installed=MeterSeen("N2")))
    assert world.work() == {("8014", "U1")}

    world.take(done(outcome="REVERSED", installed=MeterSeen("N2")))

    assert sorted((row["outcome"], row["state"]) for row in world.results()) == [
        ("DONE", "REVERSED"),
        ("DONE", "VALIDATED"),
        ("REVERSED", "VALIDATED"),
    ]
    assert ([one[0] for one in world.hung()], world.orders()[0]["state"]) == (["O1", "N1"], "VALIDATED")
    assert world.work() == set()
