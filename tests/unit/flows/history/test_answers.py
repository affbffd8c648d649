"""Who believed what: held, held not to be there, unknown, told and not confirmed, in dispute."""

from dataclasses import replace
from decimal import Decimal

import pytest
from belief_world import SYSTEMS, BeliefWorld, agreement, day, link, meter, point, texts

from canonical.codes.identity import AMBIGUOUS_SUBJECT, UNKNOWN_USAGE_POINT
from canonical.errors import RejectedError
from canonical.granularity import DayBelongsTo, Grain
from canonical.holdings import Holding
from canonical.ids import meter_mrid
from canonical.master_data import Address, Customer, CustomerAccount, Link, ServiceLocation
from flows import history as flow
from flows import reference
from flows.history import THERE
from flows.history.replay import beliefs_of
from store.master_changes import Provenance
from store.session import Transaction

pytestmark = pytest.mark.slow

ONE = meter_mrid("ACME", "1")


@pytest.fixture
def world(transaction: Transaction) -> BeliefWorld:
    """Return a hub that knows a usage point with a meter."""
    found = BeliefWorld(transaction)
    for thing in (point(), meter("1"), link("1")):
        found.tell("cis", "create", thing, heard=day(1))
    return found


def test_one_that_was_never_told_and_never_said_anything_is_unknown(world: BeliefWorld) -> None:
    (answers,) = world.ask(day(2), day(2), kind="usage_point").values()

    assert {system: one.status for system, one in answers.items()} == {
        "hub": "holds", "cis": "holds", "mdms": "unknown", "wams": "unknown", "hes": "unknown",
    }  # fmt: skip


def test_what_was_told_and_not_confirmed_is_pending_and_no_belief(world: BeliefWorld) -> None:
    before = world.ask(day(2), day(2), kind="meter")["ACME-1"]["mdms"]
    world.answer("mdms", at=day(3))

    then = world.ask(day(2), day(2.5), kind="meter")["ACME-1"]["mdms"]
    after = world.ask(day(2), day(3), kind="meter")["ACME-1"]["mdms"]

    assert (before.status, before.pending[0].state) == ("unknown", "pending")
    assert (then.status, len(then.pending)) == ("unknown", 1)
    assert (after.status, after.pending, texts(after)["serial"]) == ("holds", (), "1")


def test_what_was_refused_is_said_with_its_code_and_believed_by_nobody(world: BeliefWorld) -> None:
    world.answer("mdms", at=day(3), state="rejected", code="7004 TOO_SHORT")

    one = world.ask(day(2), day(4), kind="meter")["ACME-1"]["mdms"]

    assert one.status == "unknown"
    assert [(each.state, each.code) for each in one.pending] == [("parked", "7004 TOO_SHORT")]


def test_what_waited_says_how_its_wait_ended(world: BeliefWorld) -> None:
    waits = world.tell("cis", "create", link("2", "U2"), heard=day(2))
    world.tell("cis", "create", point("U2"), heard=day(3))
    before = _states(world, waits)
    world.tell("cis", "create", meter("2"), heard=day(4))

    assert (before, _states(world, waits)) == (["WAITING"], ["APPLIED"])


def _states(world: BeliefWorld, message_id: str) -> list[str]:
    told = world.history("U2").statements
    return [one.state for one in told if one.message_id == message_id and one.system == "cis"]


def test_systems_that_hold_different_values_are_in_dispute_over_that_field(world: BeliefWorld) -> None:
    world.tell("mdms", "create", meter("1", multiplier=Decimal(40)), heard=day(4), at=day(1))
    world.answer("cis", at=day(5), state="rejected")

    answers = world.ask(day(2), day(6), kind="meter")["ACME-1"]

    assert {system: sorted(one.disputed) for system, one in answers.items() if one.disputed} == {
        "hub": ["multiplier"], "cis": ["multiplier"], "mdms": ["multiplier"],
    }  # fmt: skip
    assert [texts(answers[name])["multiplier"] for name in ("hub", "cis", "mdms")] == ["40", "1", "40"]


def test_a_sender_is_believed_since_it_said_so_and_the_hub_since_it_heard(world: BeliefWorld) -> None:
    world.tell("wams", "close", link("1"), at=day(2), said=day(3), heard=day(5))

    answers = world.ask(day(4), day(4), kind="installation")["U1/ACME-1"]

    assert (answers["wams"].status, answers["hub"].status) == ("holds_not", "holds")
    assert THERE in answers["wams"].disputed & answers["hub"].disputed


def answers_by_the_second(found: flow.History, at: float) -> list[str]:
    """Return what the HES disputes where nobody says how finely it keeps time."""
    asked = flow.answers(replace(found, grains={}), flow.Question(day(at), day(26)))
    return next(sorted(one.disputed) for one in asked if (one.system, one.kind) == ("hes", "meter"))


@pytest.mark.parametrize(("side", "cis_day"), [("new", 10), ("old", 11)])
def test_a_system_that_keeps_days_is_in_no_dispute_on_the_day_of_a_change(
    world: BeliefWorld, side: DayBelongsTo, cis_day: int
) -> None:
    for at, status in ((0, "Active"), (10.5, "Removed"), (20, "Gone")):
        told = meter(status=status, registers=(), valid_from=day(at))
        world.tell("cis", "change", told, stated=("status",), at=day(at), heard=day(21))
    facts = {"serial": "1", "manufacturer": "acme "}
    removed = Holding("meter", ONE, day(cis_day), day(20), {**facts, "status": "Removed"})
    before = Holding("meter", ONE, day(0), day(cis_day), {**facts, "status": "Active"})
    world.extract("hes", [before, removed], at=day(25))
    found = replace(world.history(), grains={"hes": Grain("day", side)})

    def disputes(at: float) -> dict[str, list[str]]:
        asked = flow.answers(found, flow.Question(day(at), day(26)))
        return {
            one.system: sorted(one.disputed) for one in asked if one.kind == "meter" and one.system in ("hes", "hub")
        }

    assert disputes(5) == disputes(10.25) == disputes(10.75) == disputes(15) == {"hub": [], "hes": []}
    assert disputes(22) == {"hub": [THERE], "hes": [THERE]}
    assert answers_by_the_second(found, 10.25 if side == "new" else 10.75) == ["status"]


def test_an_extract_says_everything_of_its_kinds(world: BeliefWorld) -> None:
    facts = {"manufacturer": "ACME", "serial": "9", "commodity": "ELECTRICITY", "multiplier": "1"}
    world.extract("hes", [Holding("meter", meter_mrid("ACME", "9"), day(0), None, facts)], at=day(6))

    before = world.ask(day(2), day(5), kind="meter")["ACME-1"]["hes"]
    after = world.ask(day(2), day(7), kind="meter")["ACME-1"]["hes"]
    hung = world.ask(day(2), day(7), kind="installation")["U1/ACME-1"]["hes"]

    assert (before.status, after.status, hung.status) == ("unknown", "holds_not", "unknown")
    assert THERE in after.disputed


def test_a_thing_that_only_an_extract_knows_is_found_and_gone_when_the_next_lacks_it(world: BeliefWorld) -> None:
    hung = Holding("installation", f"U1/{meter_mrid('ACME', '7')}", day(0), None, {"usage_point": "U1"})
    other = Holding("installation", f"U2/{ONE}", day(0), None, {"usage_point": "U2"})
    world.extract("hes", [hung, other], at=day(6))
    world.extract("hes", [other], at=day(8))

    seen = world.ask(day(2), day(7), kind="installation")["U1/ACME-7"]["hes"]
    gone = world.ask(day(2), day(9), kind="installation")["U1/ACME-7"]["hes"]

    assert (seen.status, seen.beliefs[0].by, gone.status) == ("holds", _number(world, "hes", 0), "holds_not")
    assert all(not one.object_id.startswith("U2") for one in world.history().statements)


def _number(world: BeliefWorld, system: str, place: int) -> int:
    return [one.number for one in world.history().statements if one.system == system][place]


def test_rows_of_a_reference_file_are_told_by_whom_the_change_log_names(transaction: Transaction) -> None:
    world = BeliefWorld(transaction)
    by = Provenance("cis-web", "file-1", day(4))
    with transaction() as session:
        reference.record(session, [point(route="R7")], now=day(5), by=by)

    (told, hub) = (one for one in world.history().statements)
    answers = world.ask(day(1), day(4), kind="usage_point")["U1"]

    assert (told.system, told.how, told.source, told.message_id) == ("cis", "file", "cis-web", "file-1")
    assert (hub.system, hub.how, hub.source, hub.known_at) == ("hub", "file", "cis-web", day(5))
    assert (answers["cis"].status, answers["hub"].status) == ("holds", "holds_not")


@pytest.mark.parametrize("word", ["U1", "NMI-U1", ONE, "1", "ACME/1", "acme/1", "G1", "A1"])
def test_a_usage_point_is_found_by_whatever_belongs_to_it(world: BeliefWorld, word: str) -> None:
    world.tell("cis", "create", agreement(), heard=day(2))

    assert world.history(word).usage_point == "U1"


def test_what_belongs_to_several_is_the_one_of_the_instant_or_refused(world: BeliefWorld) -> None:
    world.tell("cis", "create", point("U2"), heard=day(2))
    world.tell("cis", "close", link("1"), at=day(10), heard=day(11))
    world.tell("cis", "create", link("1", "U2"), at=day(20), heard=day(21))

    assert world.history(ONE, at=day(5)).usage_point == "U1"
    assert world.history(ONE).usage_point == "U2"
    with pytest.raises(RejectedError) as refused:
        world.history(ONE, at=day(15))
    assert refused.value.code == AMBIGUOUS_SUBJECT


def test_what_nobody_told_of_is_refused(world: BeliefWorld) -> None:
    with pytest.raises(RejectedError) as refused:
        world.history("U9")

    assert refused.value.code == UNKNOWN_USAGE_POINT


def test_accounts_customers_and_premises_belong_to_it_whenever_they_did(world: BeliefWorld) -> None:
    world.tell("cis", "create", agreement(), heard=day(2))
    world.tell("cis", "create", CustomerAccount("A1", "C1", valid_from=day(0)), heard=day(2))
    world.tell("cis", "create", Customer("C1", "residential", "Jane Doe", "555", valid_from=day(0)), heard=day(2))
    world.tell("cis", "create", ServiceLocation("L1", Address("Elm", "5"), valid_from=day(0)), heard=day(2))
    world.tell("cis", "create", Link("U1", location="L1"), heard=day(2))
    world.tell(
        "cis", "change", agreement(account="A2", valid_from=day(9)), heard=day(9), stated=("account",), at=day(9)
    )

    things = world.history().things

    assert {("account", "A1"), ("account", "A2"), ("customer", "C1"), ("location", "L1")} <= set(things)
    assert [kind for kind, _ in things] == sorted([kind for kind, _ in things], key=list(_order()).index)


def _order() -> tuple[str, ...]:
    return ("customer", "account", "location", "usage_point", "meter", "installation", "agreement", "topology")


def test_personal_data_is_held_back_so_that_differences_still_show(world: BeliefWorld) -> None:
    world.tell("cis", "create", agreement(), heard=day(2))
    world.tell("cis", "create", CustomerAccount("A1", "C1", valid_from=day(0)), heard=day(2))
    world.tell("cis", "create", Customer("C1", "residential", "Jane Doe", "555", valid_from=day(0)), heard=day(2))
    other = Customer("C1", "", "Jane Roe", valid_from=day(3))
    world.tell("cis", "change", other, heard=day(3), at=day(3), stated=("name",))
    world.extract("hes", [Holding("customer", "C1", day(0), None, {"name": "Jane Roe"})], at=day(4))

    shown = flow.without_personal(world.history())

    said = repr((shown.statements, shown.beliefs))
    assert "Jane" not in said
    assert "555" not in said
    assert {one.texts["name"] for one in shown.beliefs if one.kind == "customer" and one.texts} == {
        "withheld 1", "withheld 2",
    }  # fmt: skip
    assert "residential" in said


def test_a_history_does_not_depend_on_the_order_in_which_its_books_are_read(world: BeliefWorld) -> None:
    world.answer("mdms", at=day(3))
    first = world.history()

    again = beliefs_of(reversed(first.statements))

    assert again == first.beliefs
    assert first.systems == ("hub", *SYSTEMS)
