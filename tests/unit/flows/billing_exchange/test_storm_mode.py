"""Storm mode is a person's act: who, when and why are kept, mistakes are refused, and a question is asked once."""

from datetime import UTC, datetime, timedelta

import pytest

from canonical.codes.billing import STORM_NOT_POSSIBLE
from canonical.errors import RejectedError
from canonical.metering import UsagePoint
from flows import work as people
from flows.billing_exchange import Interface, is_due, storms, verdict
from flows.billing_exchange.policy import Policy
from flows.reference import record
from store import billing_storms
from store.session import Transaction

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
ADA = {"by": "Ada", "reason": "ice on the lines"}
INTERFACE = Interface("mass", Policy(interface="mass"), "AMIHUB", "TEST", owners={"billing": "bill-desk"})


@pytest.fixture
def hub(transaction: Transaction) -> Transaction:
    since = NOW - timedelta(days=400)
    points = [
        UsagePoint(f"U{n}", f"N{n}", "UTC", "ELECTRICITY", "AMI", since, district=district)
        for n, district in enumerate(("NORTH", "SOUTH"))
    ]
    with transaction() as session:
        record(session, points, now=since)
    return transaction


def stormy(hub: Transaction) -> frozenset[str]:
    with hub() as session:
        return billing_storms.without_estimates(session)


def test_a_storm_begins_is_overridden_and_ends_and_every_act_is_kept(hub: Transaction) -> None:
    storms.switch_on("NORTH", **ADA, transaction=hub, now=NOW)
    assert stormy(hub) == {"NORTH"}

    storms.override("NORTH", by="Bo", reason="day six", transaction=hub, now=NOW + timedelta(days=6))
    assert stormy(hub) == frozenset()

    storms.switch_off("NORTH", by="Cy", reason="over", transaction=hub, now=NOW + timedelta(days=7))
    (told,) = storms.list_storms(transaction=hub)
    assert (told["district"], told["since"], told["ended_at"]) == ("NORTH", NOW, NOW + timedelta(days=7))
    assert [(act["act"], act["by"], act["reason"]) for act in told["acts"]] == [
        ("storm_on", "Ada", "ice on the lines"), ("storm_override", "Bo", "day six"), ("storm_off", "Cy", "over"),
    ]  # fmt: skip


def test_a_district_that_no_usage_point_lies_in_is_refused(hub: Transaction) -> None:
    with pytest.raises(RejectedError, match="NORTTH") as refused:
        storms.switch_on("NORTTH", **ADA, transaction=hub, now=NOW)

    assert refused.value.code is STORM_NOT_POSSIBLE


def test_a_storm_that_is_on_cannot_begin_again_and_one_that_is_not_cannot_end(hub: Transaction) -> None:
    storms.switch_on("NORTH", **ADA, transaction=hub, now=NOW)

    with pytest.raises(RejectedError, match="since 2026-07-01 12:00Z by Ada"):
        storms.switch_on("NORTH", **ADA, transaction=hub, now=NOW)
    for act in (storms.switch_off, storms.override):
        with pytest.raises(RejectedError, match="SOUTH is not in storm mode"):
            act("SOUTH", **ADA, transaction=hub, now=NOW)


def test_the_question_is_due_after_the_days_of_the_policy_and_asked_once_even_when_waived(hub: Transaction) -> None:
    storms.switch_on("NORTH", **ADA, transaction=hub, now=NOW)
    early, ripe = NOW + timedelta(days=5, seconds=-1), NOW + timedelta(days=5)

    assert not is_due(INTERFACE, transaction=hub, now=early)
    assert is_due(INTERFACE, transaction=hub, now=ripe)

    verdict(INTERFACE, transaction=hub, now=ripe)
    (asked,) = people.list_work(transaction=hub)
    assert (asked["code"], asked["key"], asked["queue"]) == ("6037 STORM_DECISION", "NORTH", "bill-desk")
    people.waive(asked["work_id"], **ADA, transaction=hub, now=ripe)
    verdict(INTERFACE, transaction=hub, now=ripe + timedelta(days=1))
    assert people.list_work(transaction=hub) == []
    assert not is_due(INTERFACE, transaction=hub, now=ripe + timedelta(days=1))


def test_a_second_storm_of_a_district_asks_anew(hub: Transaction) -> None:
    for start in (NOW, NOW + timedelta(days=20)):
        storms.switch_on("NORTH", **ADA, transaction=hub, now=start)
        verdict(INTERFACE, transaction=hub, now=start + timedelta(days=6))
        assert [row["key"] for row in people.list_work(transaction=hub)] == ["NORTH"]
        storms.switch_off("NORTH", **ADA, transaction=hub, now=start + timedelta(days=7))
        assert people.list_work(transaction=hub) == []
