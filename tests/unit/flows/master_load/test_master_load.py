"""First-time load: what is in the files is in the masters once, and every item has an end."""

from datetime import datetime, timedelta
from itertools import chain

import pytest
from load_office import (
    BEGIN,
    NOW,
    WATERMARK,
    Office,
    account,
    agreement,
    ceiling,
    customer,
    holding,
    household,
    installation,
    meter,
    topology,
    usage_point,
)

from canonical.codes.linkage import ALREADY_LINKED
from canonical.codes.master_load import LOAD_EXCEPTIONS, LOAD_OPEN, LOAD_PAUSED, PARENT_MISSING
from canonical.errors import RejectedError, UnavailableError
from canonical.granularity import Grain
from canonical.master_data import Customer as CustomerThing
from canonical.messages import Item, Rejection
from flows import master_load
from flows.master_load import LoadPolicy
from store.session import Transaction
from store.work import listed


@pytest.fixture
def office(transaction: Transaction) -> Office:
    return Office(transaction)


def test_whatever_the_files_hold_is_in_the_masters_and_every_item_is_counted(office: Office) -> None:
    office.start("cis")
    said = office.take("cis", chain.from_iterable(household(n) for n in range(10)), chunk=7)
    state = office.advance()

    held = office.held()
    assert state == "done"
    assert {one.verdict for one in said} == {"ACCEPTED"}
    assert {name: len(rows) for name, rows in held.items()} == dict.fromkeys(held, 10)
    assert office.counts() == {kind: {"APPLIED": 10} for kind in office.counts()}


def test_one_chunk_or_many_and_whatever_their_size_end_alike(office: Office) -> None:
    office.start("cis")
    office.take("cis", [one for n in range(4) for one in household(n)], chunk=1)
    office.advance()
    by_ones = office.held()
    office.start("cis")
    office.take("cis", [one for n in range(4) for one in household(n)])
    office.advance()

    assert office.held() == by_ones
    assert office.counts() == {kind: {"DUPLICATE": 4} for kind in office.counts()}


def test_what_comes_before_its_parents_waits_and_is_loaded_at_the_end(office: Office) -> None:
    office.start("mdms", "cis")
    said = office.take("mdms", [installation("U1", "1"), topology("U1", "TR")])
    waiting = office.counts()
    office.take("cis", [meter("1"), usage_point("U1")])
    office.advance()

    assert [one.verdict for one in said] == ["ACCEPTED", "ACCEPTED"]
    assert waiting == {"installation": {"WAITING": 1}, "topology": {"WAITING": 1}}
    assert office.counts()["installation"] == {"APPLIED": 1}
    assert len(office.held()["installation"]) == len(office.held()["topology"]) == 1


def test_what_never_gets_its_parents_is_an_exception_with_its_code_and_work_for_a_person(
    transaction: Transaction,
) -> None:
    office = Office(transaction, ceiling(100))
    office.start("cis")
    office.take("cis", [account("A1", "nobody"), agreement("G1", "A1", "U1"), usage_point("U1")])
    office.advance()

    report = master_load.report("", transaction=transaction)
    assert office.counts() == {
        "account": {"EXCEPTION": 1}, "agreement": {"EXCEPTION": 1}, "usage_point": {"APPLIED": 1},
    }  # fmt: skip
    assert {one["code"] for one in report.exceptions} == {str(PARENT_MISSING)}
    with transaction() as session:
        assert [row["code"] for row in listed(session)] == [str(LOAD_EXCEPTIONS)]


def test_a_history_told_in_lines_is_one_life_with_its_versions(office: Office) -> None:
    moved = datetime.fromisoformat("2026-05-01T00:00:00+00:00")
    office.start("cis")
    office.take("cis", [usage_point("U1", BEGIN, moved, route="1"), usage_point("U1", moved, route="2")], chunk=1)
    office.advance()

    found = office.held()["usage_point"]
    assert [(row["route"], row["valid_to"]) for row in found] == [("1", None), ("2", None)]


def test_two_systems_state_each_its_own_fields_of_one_thing(office: Office) -> None:
    wams = holding("meter", meter("1").object_id, manufacturer="ACME", serial="1", model="AX", status="Active")
    hes = holding("meter", meter("1").object_id, firmware="7.2")
    office.start("wams", "hes")
    office.take("wams", [wams])
    office.take("hes", [hes])
    office.advance()

    (found,) = office.held()["meter"]
    assert (found["model"], found["status"], found["firmware"]) == ("AX", "Active", "7.2")


def test_two_meters_at_one_usage_point_are_never_loaded(transaction: Transaction) -> None:
    office = Office(transaction, ceiling(100))
    office.start("cis")
    held = [usage_point("U1"), meter("1"), meter("2"), installation("U1", "1")]
    said = office.take("cis", [*held, installation("U1", "2", BEGIN + timedelta(days=1))])
    office.advance()

    assert (said[-1].verdict, said[-1].code) == ("REJECTED", str(ALREADY_LINKED))
    assert [row["serial"] for row in office.held()["installation"]] == ["1"]


def test_an_installation_is_parted_where_its_meter_was_configured_anew_also_when_that_is_told_later(
    office: Office,
) -> None:
    changed = BEGIN + timedelta(days=200)
    office.start("mdms", "wams")
    office.take("mdms", [usage_point("U1"), meter("1"), installation("U1", "1")])
    office.take("wams", [meter("1", BEGIN, changed), meter("1", changed, multiplier="40")])
    office.advance()

    found = office.held()["installation"]
    assert [(row["multiplier"], row["split"]) for row in found] == [("1", None), ("40", True)]


def test_a_system_that_keeps_days_tells_of_the_same_installation_as_one_that_keeps_seconds(
    transaction: Transaction,
) -> None:
    office = Office(transaction, grains={"cis": Grain("day")})
    hung = BEGIN + timedelta(hours=10, minutes=32)
    office.start("mdms", "cis")
    office.take("mdms", [usage_point("U1"), meter("1"), installation("U1", "1", hung)])
    (said,) = office.take("cis", [installation("U1", "1", BEGIN)])
    office.advance()

    assert said.verdict == "DUPLICATE"
    assert len(office.held()["installation"]) == 1


@pytest.mark.parametrize(
    ("history", "left"),
    [("full", ["0", "1", "2"]), ("since last bill read", ["1", "2"]), ("current", ["2"])],
)
def test_what_was_over_before_the_depth_of_history_is_counted_and_left_out(
    transaction: Transaction, history: str, left: list[str]
) -> None:
    office = Office(transaction, LoadPolicy(history=history, history_months=13, history_days=30))  # type: ignore[arg-type]
    first, second = WATERMARK - timedelta(days=500), WATERMARK - timedelta(days=100)
    office.start("cis")
    office.take(
        "cis",
        [
            usage_point("U1", BEGIN - timedelta(days=900), first, route="0"),
            usage_point("U1", first, second, route="1"),
            usage_point("U1", second, route="2"),
        ],
    )
    office.advance()

    assert [row["route"] for row in office.held()["usage_point"]] == left
    assert sum(office.counts()["usage_point"].values()) == 3


def test_too_many_errors_pause_the_run_and_a_person_lets_it_go_on(transaction: Transaction) -> None:
    office = Office(transaction, ceiling(10))
    office.start("cis")
    bad = [Rejection(line, "7011 BAD_FIELD", "no date") for line in range(2, 4)]
    file, good = office.file("cis", 5), [customer(f"C{n}") for n in range(3)]
    with transaction() as session:
        office.handler.begin(session, file)
    with transaction() as session:
        office.handler.handle(session, file, bad, now=NOW)
    rest = [Item(line, one.object_id, one) for line, one in enumerate(good, 4)]
    with pytest.raises(UnavailableError) as paused, transaction() as session:
        office.handler.handle(session, file, rest, now=NOW)
    assert paused.value.code == LOAD_PAUSED
    assert office.advance() == "paused"

    master_load.resume("", person="ann", reason="known", error_percent=None, transaction=transaction, now=NOW)
    with transaction() as session:
        office.handler.handle(session, file, rest, now=NOW)
        office.handler.finish(session, file, now=NOW)
    assert office.advance() == "done"
    assert office.counts() == {"": {"REJECTED": 2}, "customer": {"APPLIED": 3}}


def test_there_is_one_load_at_a_time(office: Office) -> None:
    office.start("cis")

    with pytest.raises(RejectedError) as refused:
        office.start("mdms")

    assert refused.value.code == LOAD_OPEN


def test_an_aborted_run_takes_nothing_more_and_every_item_has_an_end(office: Office) -> None:
    office.start("mdms", "cis")
    office.take("mdms", [topology("U1", "TR"), customer("C1")])
    master_load.abort("", person="ann", reason="wrong files", transaction=office.transaction, now=NOW)

    assert office.advance() == "aborted"
    assert office.counts() == {"topology": {"CANCELLED": 1}, "customer": {"APPLIED": 1}}


@pytest.mark.parametrize(("said", "left"), [(WATERMARK - timedelta(hours=1), 1), (WATERMARK + timedelta(hours=1), 0)])
def test_what_was_taken_back_before_the_watermark_is_in_the_file_because_it_stands(
    office: Office, said: datetime, left: int
) -> None:
    office.start("cis")
    office.hear(said, "delete", CustomerThing("C1", "residential"))
    office.take("cis", [customer("C1")])
    office.advance()

    assert len(office.held()["customer"]) == left


def test_messages_of_a_role_may_be_the_load_itself_and_nobody_is_told(office: Office) -> None:
    office.start(messages=["cis"])
    office.hear(NOW, "create", CustomerThing("C1", "residential"))
    waiting = office.advance()
    master_load.finish("", person="ann", transaction=office.transaction, now=NOW)

    assert (waiting, office.advance()) == ("loading", "done")
    assert len(office.held()["customer"]) == 1
    assert office.counts() == {"message Customer": {"APPLIED": 1}}
