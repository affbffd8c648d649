"""Back-dated changes over billed periods are proposed for correction; those that reach too far wait for a person."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from file_changes_by_hand import give, hung, meter_held, point_held
from master_data_sync_by_hand import NOW, World, day, link, meter, point, told

from canonical.errors import RejectedError
from flows.master_data_sync import Policy, approval
from flows.master_data_sync.approval import Act
from flows.routing.deliver import Sending
from store import billing_items, work
from store.billing import BillingItemRow
from store.rows import Row
from store.session import Transaction

GUARDED = Policy(max_backdate=timedelta(days=60))
ANN = Act("Ann", "seen on site")


@pytest.fixture
def world(transaction: Transaction) -> World:
    """Return a hub with a meter that has hung since the first day of the year, known on its hundredth."""
    found = World(transaction, GUARDED)
    for number, thing in enumerate((point("U1"), point("U2"), meter("1"), meter("2"))):
        found.take(told(number, "create", thing), now=day(100))
    found.take(told(9, "create", link("1")), now=day(100))
    return found


def billed(world: World, since: float, until: float, *, state: str = "BILLED", usage_point: str = "U1") -> None:
    """Let a period have been billed, or be in another state."""
    row = BillingItemRow(
        item_id=f"i-{since}-{usage_point}", interface="mass", run_id="r", line=1, request_id=f"RQ-{since:g}",
        reason="", commodity="ELECTRICITY", usage_point=usage_point, agreement="G1", account="A1", cycle="07",
        period_start=day(since), period_end=day(until), replaces="", asked_as="U1", fingerprint="", state=state,
        step="", determinant_id="d", supersedes_id="", version=1, sent_version=1, status="ACTUAL", unit="kWh",
    )  # fmt: skip
    with world.transaction() as session:
        billing_items.add(session, [row.model_dump()], now=day(until))


def open_work(world: World, code: str) -> list[Row]:
    """Return the open work of one code."""
    with world.transaction() as session:
        return [row for row in work.listed(session, limit=100) if row["code"].startswith(code)]


def step(world: World, since: float) -> str:
    """Return what an item does next."""
    with world.transaction() as session:
        (row,) = billing_items.by_ids(session, {f"i-{since}-U1"})
    return str(row["step"])


def sending(world: World, now: datetime) -> Sending:
    return Sending(world.routes, world.encode, now)


def test_a_change_over_a_billed_period_is_applied_and_its_correction_proposed_never_made(world: World) -> None:
    billed(world, 60, 90)
    billed(world, 90, 120)

    reply = world.take(told(20, "close", link("1"), at=100), now=day(130))

    assert reply.result == "OK"
    (proposal,) = open_work(world, "3019")
    assert (proposal["queue"], proposal["usage_point"]) == ("billing", "U1")
    assert "RQ-90 2026-04-01..2026-05-01 BILLED" in proposal["summary"]
    assert "RQ-60" not in proposal["summary"]
    assert step(world, 90) == ""


def test_a_person_has_the_periods_calculated_again(world: World) -> None:
    billed(world, 90, 120)
    world.take(told(20, "close", link("1"), at=100), now=day(130))
    (proposal,) = open_work(world, "3019")

    looked = approval.correct(proposal["work_id"], ANN, sending=sending(world, day(131)), transaction=world.transaction)

    assert (looked, step(world, 90), open_work(world, "3019")) == (1, "recheck", [])
    with pytest.raises(RejectedError, match="no open proposal"):
        approval.correct(proposal["work_id"], ANN, sending=sending(world, NOW), transaction=world.transaction)


def test_figures_that_have_not_left_the_hub_are_calculated_again_at_once(world: World) -> None:
    billed(world, 90, 120, state="READY")

    world.take(told(20, "close", link("1"), at=100), now=day(130))

    assert (step(world, 90), open_work(world, "3019")) == ("recheck", [])


def test_what_no_bill_rests_on_proposes_nothing(world: World) -> None:
    billed(world, 90, 120)

    world.take(told(20, "change", point(route="R9", valid_from=day(95)), stated=(frozenset({"route"}),)), now=day(130))
    world.take(told(21, "close", link("1"), at=125), now=day(130))

    assert open_work(world, "3019") == []


def test_a_change_beyond_the_guard_rail_of_what_was_billed_waits_for_approval(world: World) -> None:
    billed(world, 30, 60)
    reply = world.take(told(20, "close", link("1"), at=40), now=day(130))

    assert (reply.result, reply.details["waiting"]) == ("OK", "1")
    assert world.hung("U1")["U1"][0].removed_at is None
    assert len(open_work(world, "3020")) == 1

    (asked,) = approval.asked(transaction=world.transaction)
    verdict = approval.approve(
        asked["waiting_id"][:8], ANN, policy=GUARDED, sending=sending(world, day(131)), transaction=world.transaction
    )

    assert verdict.disposition == "APPLIED"
    assert world.hung("U1")["U1"][0].removed_at == day(40)
    assert (open_work(world, "3020"), len(open_work(world, "3019")), world.waiting()) == ([], 1, 0)


def test_a_change_beyond_the_guard_rail_of_what_is_long_known_waits_though_nothing_is_billed(world: World) -> None:
    world.take(told(20, "close", link("1"), at=40), now=day(300))

    assert len(approval.asked(transaction=world.transaction)) == 1


def test_things_that_are_told_for_the_first_time_reach_back_as_far_as_they_like(world: World) -> None:
    give(world, 1, [point_held("U9"), meter_held("3"), hung("3", "U9", 1)], now=day(300))

    assert approval.asked(transaction=world.transaction) == []
    assert len(world.hung("U9")["U9"]) == 1


def test_what_a_person_refuses_is_never_applied(world: World) -> None:
    billed(world, 30, 60)
    world.take(told(20, "close", link("1"), at=40), now=day(130))
    (asked,) = approval.asked(transaction=world.transaction)

    approval.refuse(asked["waiting_id"], ANN, sending=sending(world, day(131)), transaction=world.transaction)

    assert world.hung("U1")["U1"][0].removed_at is None
    assert (approval.asked(transaction=world.transaction), open_work(world, "3020")) == ([], [])
    with pytest.raises(RejectedError, match="0 changes"):
        approval.refuse("nothing", ANN, sending=sending(world, NOW), transaction=world.transaction)


def test_a_site_without_guard_rail_applies_everything(world: World) -> None:
    world.policy = replace(GUARDED, max_backdate=None)
    billed(world, 30, 60)

    world.take(told(20, "close", link("1"), at=40), now=day(130))

    assert world.hung("U1")["U1"][0].removed_at == day(40)


@pytest.mark.parametrize("verb", ["close", "delete"])
def test_a_usage_point_with_a_hanging_meter_does_not_end_silently(world: World, verb: str) -> None:
    refused = world.take(told(20, verb, point("U1"), at=120), now=day(130))  # type: ignore[arg-type]
    world.take(told(21, "close", link("1"), at=110), now=day(130))
    world.take(told(22, "delete", link("1"), at=105), now=day(130))

    assert (refused.result, refused.code[:4]) == ("FAILED", "3017")
    assert world.take(told(23, verb, point("U1"), at=120), now=day(130)).result == "OK"  # type: ignore[arg-type]
