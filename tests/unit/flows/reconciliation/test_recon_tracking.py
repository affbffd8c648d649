"""A difference has one life: found, repaired or waived or agreed, closed, and open again when it comes back."""

from datetime import timedelta

import pytest
from recon_by_hand import NOW, OWNERS, World, agreement, point

from canonical.codes.reconciliation import DIFFERENCE_NOT_FOUND, SNAPSHOT_OLDER
from canonical.errors import RejectedError
from flows.reconciliation import person
from flows.reconciliation.person import Wanted
from flows.reconciliation.policy import Policy
from flows.reconciliation.report import report
from flows.reconciliation.snapshot import SnapshotHandler
from store import recon_holdings, work
from store.session import Transaction

pytestmark = pytest.mark.slow

LATER = NOW + timedelta(hours=1)


@pytest.fixture
def world(transaction: Transaction) -> World:
    """A hub that holds two usage points, of which the MDMS holds one on another route."""
    world = World(transaction)
    world.believes(point("U1"), point("U2"))
    world.drops("mdms", [point("U1", route="R9"), point("U2")])
    world.runs()
    return world


def test_a_difference_that_is_gone_closes_by_itself_and_comes_back_as_the_same_one(world: World) -> None:
    (first,) = world.rows()

    world.drops("mdms", [point("U1"), point("U2")], at=LATER)
    world.runs(now=LATER)
    (closed,) = world.rows("closed")
    world.drops("mdms", [point("U1", route="R9"), point("U2")], at=LATER + timedelta(hours=1))
    world.runs(now=LATER + timedelta(hours=1))

    (again,) = world.rows()
    assert (closed["disposition"], closed["closed_at"]) == ("agreed", LATER)
    assert again["difference_id"] == first["difference_id"] == closed["difference_id"]
    assert (again["state"], again["disposition"], again["closed_at"]) == ("open", "", None)
    assert again["first_seen_at"] == first["first_seen_at"]
    assert again["opened_at"] > first["opened_at"]
    _, acts = person.show(first["difference_id"], transaction=world.transaction)
    assert [act["act"] for act in acts] == ["found", "closed", "again"]


def test_the_same_difference_seen_again_is_counted_and_not_doubled(world: World) -> None:
    world.runs(now=LATER)

    (row,) = world.rows()
    assert (row["seen"], row["opened_at"], row["last_seen_at"]) == (2, NOW, LATER)


def test_what_a_person_waives_stands_until_other_values_are_found(world: World) -> None:
    person.waive(Wanted(system="mdms"), by="ann", reason="old", transaction=world.transaction, now=NOW)
    world.runs(now=LATER)
    (waived,) = world.rows()

    world.drops("mdms", [point("U1", route="R10"), point("U2")], at=LATER)
    world.runs(now=LATER)

    (row,) = world.rows()
    assert (waived["klass"], waived["state"], waived["by"], waived["reason"]) == (
        "KNOWN_WAIVED",
        "waived",
        "ann",
        "old",
    )
    assert (row["klass"], row["state"], row["found"]) == ("FIELD_DIFF", "open", "R10")


def test_nothing_is_waived_that_nobody_named(world: World) -> None:
    with pytest.raises(RejectedError) as refused:
        person.waive(Wanted(), by="ann", reason="old", transaction=world.transaction, now=NOW)

    assert refused.value.code == DIFFERENCE_NOT_FOUND


def test_many_differences_of_one_cause_are_one_item_of_work_with_their_number(world: World) -> None:
    world.believes(*(point(f"V{n}") for n in range(30)))
    world.drops("mdms", [point("U1"), *(point(f"V{n}", route="R9") for n in range(30)), point("U2")], at=LATER)
    world.runs(now=LATER)

    with world.transaction() as session:
        items = work.open_of_code(session, "9012 HELD_OTHERWISE")

    (item,) = items
    assert item["summary"].startswith("30 x usage_point.route in mdms: FIELD_DIFF")


def test_work_ends_by_itself_when_nothing_of_it_is_open(world: World) -> None:
    world.drops("mdms", [point("U1"), point("U2")], at=LATER)
    world.runs(now=LATER)

    with world.transaction() as session:
        assert work.open_of_code(session, "9012 HELD_OTHERWISE") == []


def test_an_extract_that_is_older_than_the_last_is_refused(world: World) -> None:
    with pytest.raises(RejectedError) as refused:
        world.drops("mdms", [point("U1")], at=NOW - timedelta(days=1))

    assert refused.value.code == SNAPSHOT_OLDER


def test_a_system_that_writes_no_extract_for_too_long_is_work(world: World) -> None:
    world.runs(now=NOW + timedelta(hours=40))

    with world.transaction() as session:
        (item,) = work.open_of_code(session, "9002 SNAPSHOT_AGED")
    assert item["key"] == "mdms"


def test_what_systems_said_before_stays_as_history_and_only_what_differs_is_new(world: World) -> None:
    world.drops("mdms", [point("U1"), point("U2")], at=LATER)
    world.runs(now=LATER)

    with world.transaction() as session:
        rows = [row for row in recon_holdings.versions(session, {"U1", "U2"}) if row["system"] == "mdms"]

    spans = {(row["object_id"], row["seen_at"], row["replaced_at"]) for row in rows}
    assert spans == {("U1", NOW, LATER), ("U1", LATER, None), ("U2", NOW, None)}


def test_a_report_says_counts_and_what_to_do_next(world: World) -> None:
    world.policy = Policy(owners=OWNERS)
    world.drops("cis", [agreement("G1", "U1")], at=LATER)
    world.runs(now=LATER)

    told = report(world.policy, Wanted(), transaction=world.transaction, now=LATER + timedelta(days=8))

    groups = {(one.system, one.what, one.klass): (one.objects, one.age, one.next_step) for one in told.groups}
    assert groups[("mdms", "usage_point.route", "FIELD_DIFF")] == (
        1, "7 to 30 days", "the hub has no words for it there: ask the owner of mdms, or waive it",
    )  # fmt: skip
    assert groups[("hub", "agreement", "MISSING_IN_X")] == (1, "7 to 30 days", "repair by a person")
    assert ("agreement", "cis", 0, 1) not in told.uneven
    assert set(told.systems) == {"cis", "hub", "mdms"}


def test_an_extract_that_is_overtaken_while_it_is_taken_in_never_comes_in_force(world: World) -> None:
    handler = SnapshotHandler()
    slow = world.drops("mdms", [point("U1", route="R5")], at=LATER, cut=True)
    world.drops("mdms", [point("U1"), point("U2")], at=LATER + timedelta(minutes=5))
    world.runs(now=LATER + timedelta(minutes=6))

    with world.transaction() as session:
        handler.finish(session, slow, now=LATER + timedelta(minutes=7))
    ran = world.runs(now=LATER + timedelta(minutes=8))

    assert (ran.merged, world.named()) == (0, set())
