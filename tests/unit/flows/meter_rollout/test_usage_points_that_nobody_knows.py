"""An exchange at a usage point that no master told of waits, is never believed, and is judged when it is told of."""

from datetime import timedelta

import pytest
from completion_world import World, done, old

from canonical.codes.rollout_corrections import CORRECTION_FAILS
from canonical.errors import RejectedError
from canonical.rollout import MeterSeen
from flows.meter_rollout import correcting
from flows.meter_rollout.correcting import Person
from store.session import Transaction

LOST = done(7, usage_point="", usage_point_name="NMI7", installed=MeterSeen("N1"))


@pytest.fixture
def world(transaction: Transaction) -> World:
    return World(transaction)


@pytest.mark.parametrize("hours", [1, 25])
def test_it_is_judged_as_soon_as_its_master_tells_of_it(world: World, hours: int) -> None:
    world.take(LOST)
    world.judge(hours=hours)
    assert _state(world, "NMI7") == ("WAITING" if hours == 1 else "HELD")

    _tell_of_it(world)
    world.judge(minutes=1)

    assert (world.result(7)["state"], world.hung(7)[-1][0], world.work()) == ("VALIDATED", "N1", set())


def test_no_person_can_have_it_believed_before(world: World) -> None:
    world.take(LOST)
    world.judge(hours=25)
    (name,) = _ids(world, "NMI7")

    state = correcting.waive(name, "EX05", policy=world.policy, transaction=world.transaction, person=_ann(world))

    assert state == "HELD"
    assert world.work() == {("8005", "NMI7")}


def test_a_completion_is_not_moved_to_a_usage_point_that_is_not_there(world: World) -> None:
    world.take(done(1))
    (name,) = _ids(world, "U1")

    with pytest.raises(RejectedError) as refused:
        correcting.premise(name, "U99", policy=world.policy, transaction=world.transaction, person=_ann(world))

    assert refused.value.code is CORRECTION_FAILS
    assert [one[0] for one in world.hung(1)] == ["O1", "N1"]


def _tell_of_it(world: World) -> None:
    world.now += timedelta(minutes=1)
    world.usage_point(7)
    world.meter("OLDCO", "O7")
    world.hang(old(7), "U7")


def _ann(world: World) -> Person:
    return Person("ann", "she was there", world.now)


def _ids(world: World, point: str) -> list[str]:
    from store import rollout_results

    with world.transaction() as session:
        return [row["result_id"] for row in rollout_results.of_usage_points(session, {point})]


def _state(world: World, point: str) -> str:
    from store import rollout_results

    with world.transaction() as session:
        (row,) = rollout_results.of_usage_points(session, {point})
    return str(row["state"])
