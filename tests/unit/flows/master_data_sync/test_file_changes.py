"""Files of changes say the same as messages: effective-dated, superseding, back-dated, waiting, item by item."""

from collections.abc import Sequence

import pytest
from file_changes_by_hand import ACME, file_of, give, held, hung, meter_held, point_held
from master_data_sync_by_hand import NOW, World, day, point, told

from canonical.billing import ItemVerdict
from canonical.errors import RejectedError
from canonical.holdings import Kind, Withdrawn
from flows.holdings import held_by_hub
from flows.master_data_sync.file_changes import ChangesHandler, watermark_of
from store import master_changes
from store.session import Transaction


@pytest.fixture
def world(transaction: Transaction) -> World:
    """Return a hub that knows nothing yet."""
    return World(transaction)


def said(verdicts: Sequence[ItemVerdict]) -> list[tuple[str, str]]:
    """Return verdict and code number of each item."""
    return [(one.verdict, one.code[:4]) for one in verdicts]


def spans(world: World, kind: Kind, object_id: str, *fields: str) -> list[tuple[object, ...]]:
    """Return from when to when the hub holds which fields of a thing."""
    with world.transaction() as session:
        found = list(held_by_hub(session, kind, objects={object_id}))
    return [(one.valid_from, one.valid_to, *(one.facts.get(name, "") for name in fields)) for one in found]


def test_a_file_brings_everything_in_any_order_and_again_changes_nothing(world: World) -> None:
    items = [
        held("topology", "U1", transformer="T1", feeder="F1"),
        hung("1", "U1", 0, 10),
        hung("2", "U1", 10),
        held("agreement", "G1", account="A1", usage_point="U1", cycle="07", net_metering="true"),
        meter_held("2"),
        held("account", "A1", customer="C1"),
        held("customer", "C1", kind="residential"),
        held("location", "L1", street="Main", number="5"),
        point_held("U1", location="L1"),
        meter_held("1"),
        held(
            "bill_cycle_day",
            "07/2026-02-01",
            0,
            31,
            period_start="2026-01-01T05:00:00Z",
            period_end="2026-02-01T05:00:00Z",
        ),
    ]

    first = give(world, 1, items)
    again = give(world, 2, items)

    assert said(first) == [("ACCEPTED", "")] * len(items)
    assert said(again) == [("DUPLICATE", "")] * len(items)
    assert next((stay.meter, stay.active.end) for stay in world.hung("U1")["U1"]) == (ACME["1"], day(10))
    assert spans(world, "usage_point", "U1", "location") == [(day(0), None, "L1")]
    assert spans(world, "topology", "U1", "transformer") == [(day(0), None, "T1")]
    assert spans(world, "agreement", "G1", "cycle", "net_metering") == [(day(0), None, "07", "true")]


def test_what_a_file_does_not_state_goes_on_from_version_to_version(world: World) -> None:
    world.take(told(0, "create", point(route="R1")))

    give(world, 1, [held("usage_point", "U1", 0, 20, district="N1"), held("usage_point", "U1", 20, district="N2")])

    assert spans(world, "usage_point", "U1", "district", "route") == [
        (day(0), day(20), "N1", "R1"),
        (day(20), None, "N2", "R1"),
    ]


@pytest.mark.parametrize("batch", [1, 500])
@pytest.mark.parametrize("turned", [False, True])
def test_versions_of_a_thing_may_come_in_any_order_and_in_any_batch(world: World, batch: int, turned: bool) -> None:
    world.take(told(0, "create", point(route="R1")))
    versions = [held("usage_point", "U1", 0, 20, district="N1"), held("usage_point", "U1", 20, 40, district="N2")]

    give(world, 1, versions[::-1] if turned else versions, batch=batch)

    assert spans(world, "usage_point", "U1", "district", "route") == [
        (day(0), day(20), "N1", "R1"),
        (day(20), day(40), "N2", "R1"),
    ]


def test_a_later_file_supersedes_and_an_earlier_one_that_comes_late_does_not(world: World) -> None:
    give(world, 5, [point_held(district="N5")])

    assert said(give(world, 6, [held("usage_point", "U1", district="N6")])) == [("ACCEPTED", "")]
    late = give(world, 4, [held("usage_point", "U1", district="N4")])

    assert late[0].reason == "a later statement is known"
    assert spans(world, "usage_point", "U1", "district") == [(day(0), None, "N6")]


def test_an_end_is_superseded_too_and_an_open_span_that_is_said_later_opens_the_thing_again(world: World) -> None:
    give(world, 1, [point_held()])
    give(world, 3, [held("usage_point", "U1", 0, 30)])
    give(world, 2, [held("usage_point", "U1", 0, 90)])
    assert spans(world, "usage_point", "U1") == [(day(0), day(30))]

    give(world, 4, [held("usage_point", "U1", 0)])

    assert spans(world, "usage_point", "U1") == [(day(0), None)]


def test_a_back_dated_change_reaches_every_later_version_that_does_not_say_otherwise(world: World) -> None:
    give(world, 1, [point_held(since=0, until=50, route="R1"), held("usage_point", "U1", 50, district="S")])

    give(world, 2, [held("usage_point", "U1", 20, 50, route="R2")])

    assert spans(world, "usage_point", "U1", "route", "district") == [
        (day(0), day(20), "R1", "N"),
        (day(20), day(50), "R2", "N"),
        (day(50), None, "R2", "S"),
    ]


def test_what_is_not_there_yet_is_waited_for_and_accepted(world: World) -> None:
    verdicts = give(world, 1, [hung("1", "U1", 5), held("topology", "U1", transformer="T1")])

    assert said(verdicts) == [("ACCEPTED", "")] * 2
    assert "nobody has told of" in verdicts[0].reason
    give(world, 2, [point_held(), meter_held("1")])
    assert [stay.meter for stay in world.hung("U1")["U1"]] == [ACME["1"]]
    assert spans(world, "topology", "U1", "transformer") == [(day(0), None, "T1")]


def test_a_refused_item_leaves_nothing_of_it_behind_and_the_others_are_applied(world: World) -> None:
    give(world, 1, [point_held(), point_held("U2"), meter_held("1"), hung("1", "U1", 0, 10)])

    verdicts = give(world, 2, [hung("1", "U1", 0, 20), hung("1", "U2", 20)])

    assert said(verdicts) == [("REJECTED", "3011"), ("ACCEPTED", "")]
    assert [stay.active.end for stay in world.hung("U1")["U1"]] == [day(10)]


def test_meters_that_change_places_may_stand_in_any_order_and_batch(world: World) -> None:
    give(world, 1, [point_held("U1"), point_held("U2"), meter_held("1"), meter_held("2"),
                    hung("1", "U1", 0), hung("2", "U2", 0)])  # fmt: skip

    swapped = [hung("1", "U2", 30), hung("2", "U1", 30), hung("1", "U1", 0, 30), hung("2", "U2", 0, 30)]
    verdicts = give(world, 2, swapped, batch=1)

    assert {one.verdict for one in verdicts} == {"ACCEPTED"}
    assert {name: [stay.meter for stay in found] for name, found in world.hung("U1", "U2").items()} == {
        "U1": [ACME["1"], ACME["2"]],
        "U2": [ACME["2"], ACME["1"]],
    }


def test_what_is_withdrawn_never_was_and_withdrawn_again_is_a_repeat(world: World) -> None:
    give(world, 1, [point_held(), meter_held("1"), hung("1", "U1", 0, 10), held("topology", "U1", transformer="T")])
    mistakes = [Withdrawn("topology", "U1", day(101)), Withdrawn("installation", f"U1/{ACME['1']}", day(101))]

    first, again = give(world, 2, mistakes), give(world, 3, mistakes)

    assert (said(first), said(again)) == ([("ACCEPTED", "")] * 2, [("DUPLICATE", "")] * 2)
    assert spans(world, "topology", "U1") == []
    assert world.hung("U1").get("U1", ()) == ()


def test_the_change_log_names_role_and_file(world: World) -> None:
    give(world, 1, [point_held()])

    with world.transaction() as session:
        (line,) = master_changes.newest(session)
    assert (line["source"], line["message_id"], line["kind"]) == ("cis_north", "file-cis_north-1#2", "usage_point")


def test_what_a_file_changed_is_told_on_by_the_routes(world: World) -> None:
    give(world, 1, [point_held()])

    assert [(role, verb) for role, verb, _ in world.sent] == [("mdms_north", "create")]


@pytest.mark.parametrize("watermark", ["", "yesterday", "2026-01-01T00:00:00"])
def test_a_file_that_does_not_say_up_to_when_it_is_true_is_refused(world: World, watermark: str) -> None:
    file = file_of(1)
    file.facts.header["watermark"] = watermark  # type: ignore[index]

    with pytest.raises(RejectedError, match="watermark"), world.transaction() as session:
        ChangesHandler(world.policy, world.routes, world.encode).begin(session, file)
    assert watermark_of(file_of(1)).tzinfo is not None
    assert NOW.tzinfo is not None
