"""What belongs to an exchange has ids that begin as its order's, so that it lies together however many there are."""

from pathlib import Path

from rollout_sequence_world import World

from canonical.ids import mint
from store import rollout_orders, rollout_steps
from store.session import Transaction


def test_an_order_begins_as_its_usage_point() -> None:
    point = mint("usage_point", 7)

    assert rollout_orders.order_id_of("w1", point)[:8] == point[:8]
    assert rollout_orders.order_id_of("w1", point) != rollout_orders.order_id_of("w2", point)


def test_what_is_told_of_an_exchange_begins_as_its_order(transaction: Transaction, tmp_path: Path) -> None:
    world = World(transaction, tmp_path)
    orders = [world.exchange(number) for number in (1, 2)]
    world.settle()

    with transaction() as session:
        found = rollout_steps.of_orders(session, orders)
    told = {order: [row["delivery_id"] for row in rows if row["delivery_id"]] for order, rows in found.items()}

    assert all(len(own) > 5 and len(set(own)) == len(own) for own in told.values())
    assert all(one[:8] == order[:8] for order, own in told.items() for one in own)
