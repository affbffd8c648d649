"""What waits for a bill waits alone, and is a person's where the bill does not come (ruling 9)."""

from datetime import timedelta
from pathlib import Path

from rollout_sequence_world import T, World

from flows import work as people
from store import reference
from store.session import Transaction


def test_a_bill_holds_the_pair_alone_and_one_that_does_not_come_is_a_persons(
    transaction: Transaction, tmp_path: Path
) -> None:
    world = World(transaction, tmp_path)
    order = world.exchange(1, held=T + timedelta(days=5))
    with world.transaction() as session:
        rows = [{"cycle": "C1", "business_date": "2026-03-03", "period_start": T - timedelta(days=30), "period_end": T}]
        reference.record(session, reference.BILL_CYCLE_DAY, rows, now=T)
        agreement = {
            "agreement": "A1", "account": "K1", "usage_point": "U1", "customer_class": "RESIDENTIAL", "tariff": "R",
            "cycle": "C1", "tou_calendar": "", "net_metering": False, "valid_from": T - timedelta(days=90),
            "valid_to": None,
        }  # fmt: skip
        reference.record(session, reference.AGREEMENT, [agreement], now=T)
    world.settle()

    assert world.steps(order)["CIS_PAIR"] == "HELD"
    assert world.order(order)["state"] == "HES_COMMISSIONED"
    assert world.offices["cis"].told == []

    world.later(days=8)
    world.settle()
    (item,) = world.open_work()
    before = list(world.offices["cis"].told)
    people.resolve(item["work_id"][:8], by="ann", reason="no bill", transaction=world.transaction, now=world.now)
    world.later(hours=1)
    world.settle()

    assert (item["code"][:4], before) == ("8011", [])
    assert [said["noun"] for said in world.offices["cis"].told] == ["MeterServiceRequests"]
