"""What systems hold is compared: exactly what differs is found, named once, and laid at the right system's door."""

from datetime import timedelta

import pytest
from recon_by_hand import METERS, NOW, POLICY, World, agreement, day, hung, meter, point, supply

from canonical.granularity import Grain
from flows.reconciliation.policy import Policy, SystemPolicy
from store import recon_runs, recon_snapshots
from store.session import Transaction

pytestmark = pytest.mark.slow


@pytest.fixture
def world(transaction: Transaction) -> World:
    """A hub that holds two usage points, each with a meter and an agreement."""
    world = World(transaction)
    world.believes(point("U1"), point("U2"), meter(1, model="E2"), meter(2, model="E2"))
    world.believes(hung("U1", 1), hung("U2", 2), agreement("G1", "U1"), agreement("G2", "U2"))
    return world


def test_systems_that_hold_the_same_do_not_differ_and_nothing_but_digests_is_read(world: World) -> None:
    world.drops("mdms", [point("U1"), point("U2"), meter(1), meter(2), hung("U1", 1), hung("U2", 2)])

    ran = world.runs()

    assert ran.is_round
    assert ran.compared == ran.equal == 1024
    assert world.named() == set()


def test_fields_that_a_system_does_not_hold_are_not_compared(world: World) -> None:
    bare = [meter(number, multiplier="") for number in (1, 2)]

    world.drops("hes", bare)
    world.runs()

    assert world.named() == set()


def test_a_field_that_the_site_says_a_system_holds_is_missed_where_it_is_empty(world: World) -> None:
    fields = {"meter": ("manufacturer", "serial", "model")}
    world.policy = Policy(owners=POLICY.owners, systems={"hes": SystemPolicy(fields=fields)})

    world.drops("hes", [meter(1, model="E2"), meter(2)])
    world.runs()

    assert world.named() == {("hes", "FIELD_DIFF", METERS[2], "model")}


def test_what_is_missing_too_much_other_and_at_another_time_is_told_apart(world: World) -> None:
    held = [point("U1", route="R9"), point("U3"), meter(1), meter(2), hung("U1", 1, 5), hung("U2", 2)]

    world.drops("mdms", held)
    world.runs()

    assert world.named() == {
        ("mdms", "FIELD_DIFF", "U1", "route"),
        ("mdms", "MISSING_IN_X", "U2", ""),
        ("mdms", "EXTRA_IN_X", "U3", ""),
        ("mdms", "EFFECTIVE_DATE_DIFF", f"U1/{METERS[1]}", "valid_from"),
    }


def test_a_meter_that_was_taken_down_and_still_hangs_elsewhere_differs_in_its_end(world: World) -> None:
    world.believes(hung("U1", 1, 1, 20))

    world.drops("mdms", [hung("U1", 1), hung("U2", 2)])
    world.runs()

    (row,) = [row for row in world.rows() if row["klass"] not in ("NO_METER",)]
    assert (row["system"], row["klass"], row["field"]) == ("mdms", "EFFECTIVE_DATE_DIFF", "valid_to")
    assert (row["expected"], row["found"], row["level"]) == ("2026-01-21T00:00:00Z", "", "L3")


def test_what_has_ended_need_not_be_held_any_more(world: World) -> None:
    world.believes(hung("U1", 1, 1, 20))

    world.drops("mdms", [hung("U2", 2)])
    world.runs()

    assert {row["klass"] for row in world.rows()} == {"NO_METER"}


def test_the_hub_is_what_differs_where_the_system_of_record_says_otherwise_and_once_however_many_show_it(
    world: World,
) -> None:
    theirs = [agreement("G1", "U1", tariff="T9"), agreement("G2", "U2")]

    world.drops("cis", theirs)
    world.drops("mdms", theirs)
    world.runs()

    (row,) = world.rows()
    assert (row["system"], row["field"], row["expected"], row["found"]) == ("hub", "tariff", "T9", "T1")
    assert row["said"] == {"cis": "T9", "hub": "T1", "mdms": "T9"}
    assert row["owner"] == "cis"


def test_a_thing_that_only_the_system_of_record_holds_is_missing_in_the_hub(world: World) -> None:
    world.drops("cis", [agreement("G1", "U1"), agreement("G2", "U2"), agreement("G3", "U2")])

    world.runs()

    assert world.named() == {("hub", "MISSING_IN_X", "G3", "")}


def test_times_are_compared_by_the_coarser_granularity(world: World) -> None:
    noon = day(1.5)
    world.believes(supply("U1", 1.5), supply("U2", 1.5))
    world.policy = Policy(owners=POLICY.owners, systems={"oms": SystemPolicy(grain=Grain("day"))})

    world.drops("oms", [supply("U1", 1), supply("U2", 2)])
    world.runs()

    assert noon.hour == 12
    assert world.named() == {("oms", "EFFECTIVE_DATE_DIFF", "U2", "valid_from")}


def test_versions_that_change_only_what_the_other_does_not_hold_do_not_move_the_begin(world: World) -> None:
    world.believes(agreement("G1", "U1", 0, 10), agreement("G1", "U1", 10, net_metering="true"))

    world.drops("mdms", [agreement("G1", "U1"), agreement("G2", "U2")])
    world.runs()

    assert world.named() == set()


def test_a_cut_extract_leaves_the_last_whole_one_in_force(world: World) -> None:
    world.drops("mdms", [point("U1"), point("U2")])
    world.runs()

    world.drops("mdms", [point("U1")], at=NOW + timedelta(hours=1), cut=True)
    world.runs(now=NOW + timedelta(hours=2))

    assert world.named() == set()


def test_what_an_extract_with_unread_lines_lacks_is_not_taken_for_gone(world: World) -> None:
    world.drops("mdms", [point("U1"), point("U2")])
    world.runs()

    world.drops("mdms", [point("U1", route="R2")], at=NOW + timedelta(hours=1), unread=1)
    world.runs(now=NOW + timedelta(hours=2))

    assert world.named() == {("mdms", "FIELD_DIFF", "U1", "route")}


def test_only_the_newest_of_two_extracts_that_wait_comes_in_force(world: World) -> None:
    world.drops("mdms", [point("U1")])
    world.drops("mdms", [point("U1"), point("U2")], at=NOW + timedelta(minutes=5))

    ran = world.runs(now=NOW + timedelta(hours=1))

    assert ran.merged == 1
    assert world.named() == set()


def test_time_that_passes_changes_what_holds_without_any_extract(world: World) -> None:
    world.believes(supply("U1", 0, 70), supply("U1", 70, transformer="TX2"), supply("U2"))
    world.drops("oms", [supply("U1"), supply("U2")])

    world.runs()
    before = world.named()
    world.runs(now=day(71))

    assert before == {("oms", "EFFECTIVE_DATE_DIFF", "U1", "valid_to")}
    assert world.named() == {("oms", "FIELD_DIFF", "U1", "transformer")}


def test_a_change_of_the_hubs_masters_is_seen_by_the_next_pass_from_the_log_alone(world: World) -> None:
    world.drops("mdms", [point("U1"), point("U2")])
    world.runs()

    world.believes(point("U1", route="R7"), at=NOW - timedelta(hours=20))
    ran = world.runs(now=NOW + timedelta(hours=1))

    assert ran.refreshed == 1
    assert {row["object_id"] for row in world.rows()} == {"U1"}


def test_a_round_in_portions_finds_the_same_as_a_whole_one(world: World) -> None:
    world.drops("mdms", [point("U1", route="R9"), point("U3")])
    ticks = 0

    while not world.runs(whole=False).is_round:
        ticks += 1

    assert ticks == 1024 // 64 - 1
    assert world.named() == {
        ("mdms", "FIELD_DIFF", "U1", "route"),
        ("mdms", "MISSING_IN_X", "U2", ""),
        ("mdms", "EXTRA_IN_X", "U3", ""),
    }


def test_a_round_counts_objects_by_kind_class_and_cycle(world: World) -> None:
    world.drops("mdms", [agreement("G1", "U1", cycle="06")])
    world.runs()

    with world.transaction() as session:
        (row,) = recon_runs.listed(session)

    counts = row["totals"]["counts"]["hub:mdms"]
    assert counts["hub"] == {"agreement": 2, "agreement customer_class=RESIDENTIAL": 2, "agreement cycle=05": 2}
    assert counts["mdms"]["agreement cycle=06"] == 1


def test_two_systems_may_be_compared_with_each_other_directly(world: World) -> None:
    world.policy = Policy(owners=POLICY.owners, pairs=(("hes", "mdms"),))
    world.drops("mdms", [meter(1), meter(2)])
    world.drops("hes", [meter(1), meter(2)])

    world.runs()

    with world.transaction() as session:
        (row,) = recon_runs.listed(session)
        assert set(recon_snapshots.in_force(session)) == {"hub", "mdms", "hes"}
    assert set(row["totals"]["counts"]) == {"hub:mdms", "hub:hes", "hes:mdms"}


def test_meters_without_agreement_and_agreements_without_meter_are_named(world: World) -> None:
    world.believes(point("U3"), meter(3), hung("U3", 3), agreement("G4", "U4"), point("U4"))
    world.drops("gis", [])

    world.runs()

    named = {(row["klass"], row["object_id"]) for row in world.rows()}
    assert named == {("NO_SA", "U3"), ("NO_METER", "G4")}


def test_a_meter_at_two_usage_points_and_two_meters_at_one_are_named(world: World) -> None:
    world.believes(meter(3), hung("U1", 3), hung("U2", 1, 3), agreement("G3", "U3"), point("U3"), hung("U3", 3, 4, 5))
    world.drops("gis", [])

    world.runs()

    named = {(row["klass"], row["kind"], row["object_id"]) for row in world.rows()}
    assert named == {
        ("LINKED_TWICE", "meter", METERS[1]),
        ("LINKED_TWICE", "usage_point", "U1"),
        ("LINKED_TWICE", "usage_point", "U2"),
        ("NO_METER", "agreement", "G3"),
    }
