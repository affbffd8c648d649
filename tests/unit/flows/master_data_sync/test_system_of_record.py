"""A field is applied where its master states it; what others say of it is kept visible, and never believed."""

import pytest
from file_changes_by_hand import ACME, give, held, meter_held, point_held
from master_data_sync_by_hand import World, link, meter, point, told

from canonical.master_data import Link
from flows.holdings import held_by_hub
from flows.master_data_sync import Policy
from flows.master_data_sync.records import DEFAULTS, Records, is_field
from store import work
from store.rows import Row
from store.session import Transaction

SYSTEMS = {"cis_north": "cis", "wams": "wams", "mdms_north": "mdms"}
RECORDS = Records({**DEFAULTS, "usage_point.route": "mdms", "installation": "wams"}, SYSTEMS)


@pytest.fixture
def world(transaction: Transaction) -> World:
    """Return a hub of a site with a CIS, a WAMS and an MDMS, where the MDMS owns routes."""
    return World(transaction, Policy(records=RECORDS, kinds={}))


def facts(world: World, kind: str, object_id: str) -> dict[str, str]:
    """Return what the hub holds of a thing."""
    with world.transaction() as session:
        found = list(held_by_hub(session, kind, objects={object_id}))  # type: ignore[arg-type]
    return dict(found[-1].facts) if found else {}


def work_of(world: World, code: str) -> list[Row]:
    """Return the open work of one code."""
    with world.transaction() as session:
        return [row for row in work.listed(session, limit=100) if row["code"].startswith(code)]


def test_a_field_of_another_master_is_not_applied_and_the_rest_is(world: World) -> None:
    reply = world.take(told(1, "create", point(route="R-of-the-CIS")))

    assert reply.result == "OK"
    assert facts(world, "usage_point", "U1")["name"] == "NMI-U1"
    assert "route" not in facts(world, "usage_point", "U1")


def test_a_difference_is_one_work_item_for_each_object_and_field_and_told_to_the_sender(world: World) -> None:
    world.take(told(1, "create", point()))
    give(world, 1, [held("usage_point", "U1", route="R1")], role="mdms_north")

    first = give(world, 2, [point_held(route="R2", district="S")])
    again = give(world, 3, [point_held(route="R3", district="S")])

    assert {one.code for one in (*first, *again)} == {"3018 FIELD_NOT_OWNED"}
    assert first[0].reason == "not its master: route"
    assert facts(world, "usage_point", "U1") | {"route": "R1", "district": "S"} == facts(world, "usage_point", "U1")
    assert [(row["key"], row["seen"]) for row in work_of(world, "3018")] == [("usage_point U1 route", 2)]


def test_what_is_said_as_it_is_held_is_a_repeat_whoever_says_it(world: World) -> None:
    world.take(told(1, "create", point()))

    (verdict,) = give(world, 1, [held("usage_point", "U1", name="NMI-U1")], role="mdms_north")

    assert (verdict.verdict, verdict.code) == ("DUPLICATE", "")
    assert work_of(world, "3018") == []


def test_a_thing_comes_to_be_by_its_master_and_the_others_wait_for_that(world: World) -> None:
    (early,) = give(world, 1, [meter_held("1", multiplier="40")], role="mdms_north")
    assert (early.verdict, facts(world, "meter", ACME["1"])) == ("ACCEPTED", {})

    give(world, 1, [meter_held("1", multiplier="1", model="M2")], role="wams")

    found = facts(world, "meter", ACME["1"])
    assert (found["multiplier"], found["model"], found["serial"]) == ("40", "M2", "1")


def test_only_its_master_ends_a_thing_or_takes_it_back(world: World) -> None:
    world.take(told(1, "create", point()))

    refused = world.take(told(2, "close", point(), at=30, source="mdms_north"))
    give(world, 1, [held("usage_point", "U1", 0, 30, name="NMI-U1")], role="mdms_north")

    assert (refused.result, refused.code[:4]) == ("FAILED", "3018")
    assert world.take(told(3, "close", point(), at=30)).result == "OK"


def test_who_is_not_the_master_of_links_is_refused(world: World) -> None:
    world.take(told(1, "create", point()))
    world.take(told(2, "create", meter("1"), source="wams"))

    assert world.take(told(3, "create", link("1"), at=5)).code[:4] == "3018"
    assert world.take(told(4, "create", link("1"), at=5, source="wams")).result == "OK"
    assert world.take(told(5, "create", Link("U1", location="L1"), source="wams")).code[:4] == "3018"


def test_others_are_not_told_what_was_not_applied(world: World) -> None:
    world.take(told(1, "create", point(route="R-of-the-CIS")))

    assert [things[0].route for _, _, things in world.sent] == [""]


def test_a_field_whose_master_the_site_has_not_may_be_stated_by_anybody() -> None:
    records = Records(DEFAULTS, {"cis_north": "cis"})

    assert records.owns("cis_north", "meter", "multiplier")
    assert records.owns("gis_north", "topology", "transformer")
    assert not records.owns("gis_north", "agreement", "tariff")


def test_a_master_may_be_named_by_its_role_and_callers_count_as_their_role() -> None:
    records = Records({"meter": "wams_south"}, {"wams_south": "wams", "wams": "wams"}, {"caller": "wams_south"})

    assert records.owns("wams_south", "meter", "serial_normal")
    assert records.owns("caller", "meter", "serial")
    assert records.withheld("wams", "meter", {"serial", "model"}) == {"serial", "model"}


@pytest.mark.parametrize(
    ("name", "known"),
    [("meter", True), ("meter.firmware", True), ("meter.valid_to", True), ("meter.color", False), ("pole", False)],
)
def test_kinds_and_their_fields_can_have_masters(name: str, known: bool) -> None:
    assert is_field(name) is known
    assert all(is_field(one) for one in DEFAULTS)
