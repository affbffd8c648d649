"""Shipments come into stock once, become masters, and are told to each system; each meter has its own answer."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shipments_by_hand import SHIPPED, Dock, lot, meter, mrid, serials

from canonical.errors import RejectedError
from flows.shipments import dispose, release, returned
from store import reference, shipments, work
from store.reference_masters import METER
from store.session import Transaction, open_engine, transactions

NewDatabase = Callable[[], str]


@pytest.fixture
def dock(transaction: Transaction) -> Dock:
    return Dock(transaction)


def test_meters_of_a_good_lot_are_in_stock_known_as_masters_and_told_a_hundred_at_a_time(dock: Dock) -> None:
    meters = [meter(one) for one in serials(250)]

    verdicts = dock.take(lot(), *meters, batch=400)

    assert {one.verdict for one in verdicts} == {"ACCEPTED"}
    assert [len(names) for role, _, names in dock.sent if role == "hes"] == [100, 100, 50]
    assert {role for role, _, _ in dock.sent} == {"wams", "mdms", "hes"}
    assert dock.row("00007")["told"] == {"wams": "PENDING", "mdms": "PENDING", "hes": "PENDING"}
    with dock.transaction() as session:
        (master,) = reference.current(session, METER, "meter", {mrid("00007")})
    assert (master["status"], master["valid_from"], master["model"]) == ("In stock", SHIPPED, "SM-3")


def test_a_file_resent_changes_nothing_and_tells_nobody(dock: Dock) -> None:
    dock.take(lot(), meter("1"))
    before = list(dock.sent)

    verdicts = dock.take(lot(), meter("1"), meter("2"), number=1)

    assert [one.verdict for one in verdicts] == ["ACCEPTED", "DUPLICATE", "ACCEPTED"]
    assert [names for _, _, names in dock.sent[len(before) :]] == [(mrid("2"),)] * 3


def test_a_failed_lot_blocks_its_meters_until_a_person_releases_it(dock: Dock) -> None:
    dock.take(lot("L1", "FAIL"), meter("1"), meter("2", test_result="FAIL"), meter("3", key_reference=""))
    blocked = dock.states("1", "2", "3")
    told = list(dock.sent)

    freed = release(
        "L1", by="ada", reason="retested", policy=dock.policy, sending=dock.sending, transaction=dock.transaction
    )

    assert (blocked, told) == (["BLOCKED 8091 LOT_FAILED"] * 3, [])
    assert freed == 1
    assert dock.states("1", "2", "3") == ["STOCK", "BLOCKED 8097 METER_FAILED", "BLOCKED 8020 KEYS_MISSING"]
    assert [names for _, _, names in dock.sent] == [(mrid("1"),)] * 3
    with dock.transaction() as session:
        codes = {row["code"] for row in work.open_of_key(session, "ACME/L1")}
    assert codes == {"8020 KEYS_MISSING"}


def test_a_released_lot_stays_released_for_later_shipments_and_a_passed_test_releases_it_too(dock: Dock) -> None:
    dock.take(lot("L1", "FAIL"), lot("L2", "FAIL"), meter("1"), meter("2", "L2"))
    release("L1", by="ada", reason="fine", policy=dock.policy, sending=dock.sending, transaction=dock.transaction)

    dock.take(lot("L1", "FAIL"), lot("L2", "PASS"), meter("3"), number=2)

    assert dock.states("1", "2", "3") == ["STOCK"] * 3


def test_keys_that_come_later_free_the_meter_and_then_it_is_told(dock: Dock) -> None:
    bare = meter("1", key_reference="")
    dock.take(bare, meter("2", key_reference="", module=""))
    first = dock.states("1", "2")

    dock.take(replace(bare, wrapped_key="QUJD" * 8, wrapped_by="kek-1"), number=2)

    assert first == ["BLOCKED 8020 KEYS_MISSING", "STOCK"]
    assert dock.states("1") == ["STOCK"]
    assert dock.row("1")["key_reference"] == "kek-1"
    assert "QUJD" not in repr(dock.row("1"))
    with dock.transaction() as session:
        assert shipments.wrapped_keys(session, {mrid("1")})[mrid("1")]["wrapped"] == "QUJD" * 8
        assert work.open_of_key(session, "ACME/L1") == []


def test_a_meter_that_failed_its_own_test_is_work_until_it_is_disposed_of(dock: Dock) -> None:
    dock.take(meter("1", test_result="FAIL"))
    with dock.transaction() as session:
        before = [row["code"] for row in work.open_of_key(session, mrid("1"))]

    dispose(
        {mrid("1")}, by="ada", policy=dock.policy, masters_policy=dock.masters, sending=dock.sending,
        transaction=dock.transaction,
    )  # fmt: skip

    assert before == ["8097 METER_FAILED"]
    with dock.transaction() as session:
        assert work.open_of_key(session, mrid("1")) == []


def test_each_meter_has_the_answer_of_each_system(dock: Dock) -> None:
    dock.take(meter("1"), meter("2"))

    dock.answer("wams")
    dock.answer("hes", "rejected", "1120 PARTNER_TOOK_PART", f"Meter {mrid('2')} 4099 no licence left")
    dock.answer("mdms", "rejected", "1115 PARTNER_REFUSED", "closed for the weekend")

    assert dock.row("1")["told"]["wams"] == "CONFIRMED"
    assert dock.row("2")["told"]["mdms"] == "1115 PARTNER_REFUSED"
    with dock.transaction() as session:
        assert len(work.open_of_code(session, "8095 METER_NOT_TAKEN")) == 2


def test_a_refusal_that_is_replayed_and_taken_ends_its_work(dock: Dock) -> None:
    dock.take(meter("1"))
    dock.answer("mdms", "rejected", "1115 PARTNER_REFUSED", "closed for the weekend")

    dock.answer("mdms")

    assert dock.row("1")["told"]["mdms"] == "CONFIRMED"
    with dock.transaction() as session:
        assert work.open_of_code(session, "8095 METER_NOT_TAKEN") == []


def test_what_was_hung_stays_as_it_was_shipped(dock: Dock) -> None:
    dock.take(meter("1"))
    with dock.transaction() as session:
        shipments.move(session, {mrid("1")}, "INSTALLED", now=dock.now)

    same, other = dock.take(meter("1"), number=1)[0], dock.take(meter("1", model="SM-9"), number=2)[0]

    assert (same.verdict, other.verdict, other.code) == ("DUPLICATE", "REJECTED", "8094 SHIPPED_OTHERWISE")
    assert dock.row("1")["model"] == "SM-3"


def test_an_old_meter_comes_back_and_is_disposed_of_which_everybody_is_told(dock: Dock) -> None:
    dock.take(meter("1"))
    with dock.transaction() as session:
        shipments.move(session, {mrid("1")}, "INSTALLED", now=dock.now)
    with dock.transaction() as session:
        back = returned(session, {mrid("1"), "nobody knows"}, now=dock.now)
    dock.sent.clear()
    dock.now += timedelta(days=30)

    gone = dispose(
        {mrid("1")}, by="ada", policy=dock.policy, masters_policy=dock.masters, sending=dock.sending,
        transaction=dock.transaction,
    )  # fmt: skip

    assert (back, gone, dock.states("1")) == (1, 1, ["DISPOSED"])
    assert dock.sent == [(role, "close", (mrid("1"),)) for role in ("wams", "mdms", "hes")]
    with dock.transaction() as session:
        (master,) = reference.current(session, METER, "meter", {mrid("1")})
    assert master["valid_to"] == dock.now


def test_only_what_came_back_or_is_blocked_can_be_disposed_of(dock: Dock) -> None:
    dock.take(meter("1"))

    with pytest.raises(RejectedError, match="STOCK_STATE"):
        dispose(
            {mrid("1")}, by="ada", policy=dock.policy, masters_policy=dock.masters, sending=dock.sending,
            transaction=dock.transaction,
        )  # fmt: skip


def test_a_meter_of_before_the_rollout_that_comes_back_gets_a_row(dock: Dock) -> None:
    dock.take(meter("1"))
    with dock.transaction() as session:
        session.connection().exec_driver_sql("DELETE FROM shipped_meter")
        number = returned(session, {mrid("1")}, now=dock.now)

    assert (number, dock.states("1")) == (1, ["RETURNED"])


def test_a_lot_that_nobody_shipped_cannot_be_released(dock: Dock) -> None:
    with pytest.raises(RejectedError, match="LOT_UNKNOWN"):
        release("L9", by="ada", reason="", policy=dock.policy, sending=dock.sending, transaction=dock.transaction)


def test_where_a_system_is_lacking_a_person_enters_the_meters(transaction: Transaction) -> None:
    dock = Dock(transaction)
    dock.policy = replace(dock.policy, roles=("wams",), by_hand=("hes",))

    dock.take(meter("1"), meter("2"))

    assert dock.row("1")["told"] == {"wams": "PENDING", "hes": "MANUAL"}
    with transaction() as session:
        (item,) = work.open_of_code(session, "1182 DONE_BY_HAND")
    assert "2 meters" in item["summary"]


ACTS = st.lists(st.tuples(st.sampled_from("abc"), st.booleans(), st.booleans()), min_size=1, max_size=6)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=ACTS)
def test_whatever_comes_again_each_meter_is_told_once_and_ends_as_its_last_shipment_says(
    sqlite_databases: NewDatabase, acts: list[tuple[str, bool, bool]]
) -> None:
    engine = open_engine(sqlite_databases())
    dock = Dock(transactions(engine))

    for number, (serial, has_keys, twice) in enumerate(acts, 1):
        one = meter(serial, key_reference="vault:a/1" if has_keys else "")
        for _ in range(2 if twice else 1):
            dock.take(one, number=number)

    last = {serial: has_keys for serial, has_keys, _ in acts}
    for serial, has_keys in last.items():
        assert dock.states(serial) == ["STOCK" if has_keys else "BLOCKED 8020 KEYS_MISSING"]
    ever = {mrid(serial) for serial, has_keys, _ in acts if has_keys}
    told = Counter((role, name) for role, _, names in dock.sent for name in names)
    assert told == Counter({(role, name): 1 for role in ("wams", "mdms", "hes") for name in ever})
    engine.dispose()
