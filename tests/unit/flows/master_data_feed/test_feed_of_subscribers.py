"""Subscribers are told of changes by cursor: a burst once, never what they said themselves, until they answer."""

from dataclasses import replace
from datetime import timedelta

import pytest
from feed_by_hand import Desk
from file_changes_by_hand import ACME, give, held, hung, meter_held, point_held
from master_data_sync_by_hand import NOW, World, day

from canonical.billing import ItemVerdict
from canonical.granularity import Grain
from canonical.holdings import Holding, Withdrawn
from flows.master_data_feed import Subscriber
from flows.routing.routes import Routes
from store import master_changes, master_subscribers
from store.session import Transaction

OMS = Subscriber("oms", "oms", frozenset({"usage_point", "installation"}))
GIS_FILE = Subscriber("gis files", "gis", mode="batch", interval=timedelta(minutes=15))
LATER = NOW + timedelta(minutes=20)


@pytest.fixture
def world(transaction: Transaction) -> World:
    """Return a hub that knows nothing yet and passes nothing on."""
    return World(transaction, routes=Routes())


def desk(world: World, *subscribers: Subscriber, **more: object) -> Desk:
    """Return the desk of some subscribers who have begun."""
    found = Desk(world, subscribers, **more)  # type: ignore[arg-type]
    found.feed()
    return found


def test_a_burst_of_changes_is_one_telling_of_the_latest_state(world: World) -> None:
    this = desk(world, OMS)
    for number in range(5):
        give(world, number, [point_held(route=f"R{number}")])

    (fed,) = this.feed()

    assert (fed.objects, this.things()) == (1, [("oms", "create", "UsagePoint")])
    assert this.told[0][1].things[0].route == "R4"  # type: ignore[union-attr]
    assert this.feed()[0].objects == 0


def test_what_a_subscriber_knows_is_changed_then_ended_and_a_mistake_is_deleted(world: World) -> None:
    this = desk(world, OMS)
    give(world, 1, [point_held()])
    this.feed()
    give(world, 2, [held("usage_point", "U1", 20, route="R2")])
    this.feed()
    give(world, 3, [held("usage_point", "U1", 20, 40)])
    this.feed()
    give(world, 4, [Withdrawn("usage_point", "U1", day(101))], said=110)
    this.feed()

    assert [(told.verb, told.effective_at) for _, told in this.told][:4] == [
        ("create", day(0)),
        ("change", day(20)),
        ("change", day(0)),
        ("change", day(20)),
    ]
    assert [told.verb for _, told in this.told][-2:] == ["close", "delete"]


def test_only_kinds_and_fields_that_are_subscribed_are_told(world: World) -> None:
    this = desk(world, replace(OMS, kinds=frozenset({"usage_point"}), fields=frozenset({"district"})))
    give(world, 1, [point_held(), meter_held("1")])
    this.feed()
    give(world, 2, [held("usage_point", "U1", route="R9")])
    this.feed()
    give(world, 3, [held("usage_point", "U1", district="S")])
    this.feed()

    assert [told.things[0].district for _, told in this.told] == ["N", "S"]  # type: ignore[union-attr]


def test_nothing_goes_back_to_whom_it_comes_from(world: World) -> None:
    this = desk(world, OMS, replace(OMS, name="cis", role="cis"), routes=Routes(roles={"cis_north": "cis"}))
    give(world, 1, [point_held()])

    this.feed()

    assert [role for role, _, _ in this.things()] == ["oms"]
    assert this.states("cis") == {("usage_point", "U1"): "synchronized"}


def test_a_hung_meter_is_told_as_a_link_and_its_end(world: World) -> None:
    this = desk(world, OMS)
    give(world, 1, [point_held(), meter_held("1"), hung("1", "U1", 5, 9)])

    this.feed()

    assert this.things() == [
        ("oms", "create", "UsagePoint"),
        ("oms", "create", "Link"),
        ("oms", "close", "Link"),
    ]
    assert this.states("oms") == {("usage_point", "U1"): "awaiting", ("installation", f"U1/{ACME['1']}"): "awaiting"}


def test_every_object_is_awaited_until_its_deliveries_are_confirmed(world: World) -> None:
    this = desk(world, OMS)
    give(world, 1, [point_held()])
    this.feed()
    assert set(this.states("oms").values()) == {"awaiting"}

    this.set_deliveries("confirmed")
    (fed,) = this.feed()

    assert (fed.answered, set(this.states("oms").values())) == (1, {"synchronized"})


def test_a_refused_object_is_an_error_with_its_code_until_it_is_confirmed_after_all(world: World) -> None:
    this = desk(world, OMS)
    give(world, 1, [point_held()])
    this.feed()
    this.set_deliveries("parked", code="2011 OBJECT_AMBIGUOUS")
    this.feed()
    assert [(row["state"], row["code"]) for row in this.listed("oms")] == [("error", "2011 OBJECT_AMBIGUOUS")]

    with world.transaction() as session:
        assert master_subscribers.resend(session, "oms", "U1") == 1
    this.feed()
    this.set_deliveries("confirmed")
    this.feed()

    assert [(row["state"], row["code"], row["times"]) for row in this.listed("oms")] == [("synchronized", "", 2)]
    assert len({one["key"] for one in this.deliveries()}) == 2
    assert [told.verb for _, told in this.told] == ["create", "create"]


def test_what_a_subscriber_had_before_it_subscribed_is_changed_and_not_created(world: World) -> None:
    give(world, 1, [point_held()])
    this = desk(world, OMS)
    give(world, 2, [held("usage_point", "U1", 20, route="R2")])

    this.feed()

    assert [(told.verb, told.effective_at) for _, told in this.told] == [("change", day(20))]


def test_a_subscriber_that_is_away_only_lags_and_the_others_go_on(world: World) -> None:
    this = desk(world, OMS, replace(GIS_FILE, kinds=frozenset({"usage_point"})))
    give(world, 1, [point_held()])
    this.feed(LATER)
    give(world, 2, [point_held(route="R2")])

    this.feed(LATER)

    assert [told.verb for _, told in this.told] == ["create", "change"]
    assert set(this.states("oms").values()) == {"awaiting"}
    assert [role for role, _, _ in this.files] == ["gis"]


def test_a_role_that_is_manual_is_told_by_work_and_one_that_is_absent_not_at_all(world: World) -> None:
    routes = Routes(manual=frozenset({"oms"}), absent=frozenset({"gis"}))
    this = desk(world, OMS, GIS_FILE, routes=routes)
    give(world, 1, [point_held()])

    this.feed(LATER)

    assert (this.told, this.files) == ([], [])
    assert this.states("oms") == {("usage_point", "U1"): "by_hand"}
    assert this.listed("gis files") == []


def test_what_an_adapter_has_no_words_for_is_an_error_and_holds_nothing_up(world: World) -> None:
    this = desk(world, replace(OMS, kinds=frozenset({"usage_point", "topology"})), wordless="")
    this.wordless = "UsagePointConfig"
    give(world, 1, [point_held(), held("topology", "U1", transformer="T1")])

    this.feed()

    assert this.states("oms") == {("usage_point", "U1"): "error", ("topology", "U1"): "awaiting"}
    assert {row["code"] for row in this.listed("oms")} == {"", "1183 NOT_SAID_BY_ADAPTER"}


def test_a_file_of_changes_goes_once_an_interval_with_all_versions_of_each_object(world: World) -> None:
    this = desk(world, GIS_FILE)
    give(world, 1, [point_held(since=0, until=20), held("usage_point", "U1", 20, route="R2")])
    this.feed(NOW + timedelta(minutes=5))
    assert this.files == []

    this.feed(LATER)
    this.feed(LATER + timedelta(minutes=1))

    ((role, told, items),) = this.files
    assert (role, told.mode, told.sequence, told.watermark) == ("gis", "CHANGES", 1, LATER)
    assert [(one.valid_from, one.valid_to) for one in items if isinstance(one, Holding)] == [
        (day(0), day(20)),
        (day(20), None),
    ]
    assert this.states("gis files") == {("usage_point", "U1"): "awaiting"}


def test_an_acknowledgement_settles_each_object_of_a_file_by_itself(world: World) -> None:
    this = desk(world, GIS_FILE)
    give(world, 1, [point_held("U1"), point_held("U2"), meter_held("1"), hung("1", "U1", 1)])
    this.feed(LATER)
    name = "MX_gis_CHANGES_1.dat"
    refused = (
        ItemVerdict("UPT U2", "REJECTED", "2001 UNKNOWN", "who?", 3),
        ItemVerdict("INS U1/ACME/1", "REJECTED", "3010 ALREADY_LINKED", "no", 5),
    )

    done = this.answer("gis", name, "ACCEPTED_WITH_ERRORS", *refused)
    this.feed(LATER)

    assert done.verdict == "ACCEPTED"
    assert this.states("gis files") == {
        ("usage_point", "U1"): "synchronized",
        ("meter", ACME["1"]): "synchronized",
        ("usage_point", "U2"): "error",
        ("installation", f"U1/{ACME['1']}"): "error",
    }
    assert this.answer("gis", "MX_other.dat", "ACCEPTED").verdict == "REJECTED"


def test_a_file_that_is_refused_whole_is_an_error_of_each_of_its_objects(world: World) -> None:
    this = desk(world, GIS_FILE)
    give(world, 1, [point_held()])
    this.feed(LATER)

    this.answer("gis", "MX_gis_CHANGES_1.dat", "REJECTED")
    this.feed(LATER)

    assert set(this.states("gis files").values()) == {"error"}


def test_a_new_subscriber_may_begin_with_all_that_the_hub_holds(world: World) -> None:
    give(world, 1, [point_held("U1"), point_held("U2"), meter_held("1")])
    this = Desk(world, [replace(GIS_FILE, begins_full=True)])

    this.feed()
    give(world, 2, [point_held("U3")])
    this.feed(LATER)

    assert [(told.mode, len(items)) for _, told, items in this.files] == [("FULL", 3), ("CHANGES", 1)]


def test_a_long_log_is_told_in_bounded_steps_in_one_pass(world: World) -> None:
    this = desk(world, replace(GIS_FILE, limit=3))
    give(world, 1, [point_held(f"U{number}") for number in range(8)])

    (fed,) = this.feed(LATER)

    assert (fed.files, fed.objects) == (3, 8)
    assert [told.sequence for _, told, _ in this.files] == [1, 2, 3]


def test_what_is_told_is_cut_to_the_subscribers_grid_of_time(world: World) -> None:
    this = desk(world, replace(GIS_FILE, grain=Grain("day", "new", "UTC")))
    give(world, 1, [held("usage_point", "U1", 0.2, 0.4, name="N"), held("usage_point", "U1", 0.4, route="R2")])

    this.feed(LATER)

    ((_, _, items),) = this.files
    assert [(one.valid_from, one.valid_to) for one in items if isinstance(one, Holding)] == [(day(0), None)]


def test_rows_of_a_first_time_load_are_told_to_nobody(world: World) -> None:
    this = desk(world, OMS)
    with world.transaction() as session:
        load = master_changes.Provenance("cis", "", NOW, is_load=True)
        master_changes.note_load(session, "run-1", by=load, now=NOW)

    assert this.feed()[0].objects == 0
    with world.transaction() as session:
        found = master_subscribers.cursor(session, "oms")
        assert found is not None
        assert found["position"] == master_changes.last(session) == 1
