"""A system that confirms after its time is believed: the step that was doubted is so, and goes on."""

from datetime import timedelta
from pathlib import Path

from rollout_sequence_world import World

from canonical.messages import Outcome
from store import deliveries, rollout_steps
from store.overdue import overdue
from store.session import Transaction


def test_what_is_confirmed_after_its_time_is_so(transaction: Transaction, tmp_path: Path) -> None:
    world = World(transaction, tmp_path)
    order = world.exchange(1)
    world.offices["oms"].is_silent = True
    world.settle()
    world.later(hours=3)
    with transaction() as session:
        overdue(session, now=world.now)
    world.settle(2)
    doubted = world.steps(order)["OMS_METER"]
    world.now += timedelta(minutes=5)

    with transaction() as session:
        steps = {row["step"]: row for row in rollout_steps.of_orders(session, [order])[order]}
        name = deliveries.find(session, steps["OMS_METER"]["delivery_id"]).confirm_name
        deliveries.confirm(session, destination="oms", confirm_name=name, outcome=Outcome("confirmed"), now=world.now)
    world.settle(2)

    assert (doubted, world.steps(order)["OMS_METER"]) == ("UNCONFIRMED", "CONFIRMED")
