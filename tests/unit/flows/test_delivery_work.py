"""A delivery that waits for a person is work, once, until it moves on."""

from typing import Any

import pytest
from delivery_office import Office

from canonical.errors import RejectedError
from canonical.messages import Outcome
from flows import work
from flows.delivery import sweep_confirmations
from flows.delivery_work import follow_deliveries
from flows.settling import Decision, confirm, waive
from store.acts import Act


def follow(office: Office) -> tuple[int, int]:
    return follow_deliveries(owners={"integration": "team"}, transaction=office.transaction, now=office.now)


def test_a_refused_delivery_is_work_once_and_its_replay_resolves_it(office: Office) -> None:
    name = office.enqueue("part-1")
    office.partner.otherwise = Outcome("rejected", "7004 X", "short")
    office.relay()

    assert (follow(office), follow(office)) == ((1, 0), (0, 0))
    (item,) = work.list_work(transaction=office.transaction)
    assert (item["key"], item["queue"], item["code"]) == (name, "team", "1115 PARTNER_REFUSED")
    office.replay(name)
    assert follow(office) == (0, 1)
    assert work.list_work(transaction=office.transaction) == []


def test_an_overdue_delivery_is_work_until_it_is_confirmed(office: Office) -> None:
    office.enqueue("part-1", confirm_by=office.now)
    office.relay()
    sweep_confirmations(transaction=office.transaction, now=office.now)

    assert follow(office) == (1, 0)
    office.confirm("part-1", "confirmed")
    assert follow(office) == (0, 1)


@pytest.mark.parametrize(("decide", "state"), [(confirm, "confirmed"), (waive, "cancelled")])
def test_an_overdue_delivery_is_settled_by_a_named_person(office: Office, decide: Any, state: str) -> None:
    name = office.enqueue("part-1", confirm_by=office.now)
    office.relay()
    sweep_confirmations(transaction=office.transaction, now=office.now)
    follow(office)

    told = decide(name, Decision("ann", "by phone", office.now, {}), transaction=office.transaction)

    assert told == f"{name} {'confirmed' if state == 'confirmed' else 'waived'} by ann: by phone"
    assert office.states() == {"part-1": state}
    assert follow(office) == (0, 1)
    assert [(act.act, act.by, act.reason) for act in office.rows(Act)] == [(told.split()[1], "ann", "by phone")]


def test_a_delivery_that_is_not_overdue_may_be_confirmed_but_not_waived(office: Office) -> None:
    name = office.enqueue("part-1", confirm_by=office.at(60))
    office.relay()
    decision = Decision("ann", "by phone", office.now, {})

    with pytest.raises(RejectedError, match="NOT_REPLAYABLE"):
        waive(name, decision, transaction=office.transaction)
    confirm(name, decision, transaction=office.transaction)

    assert office.states() == {"part-1": "confirmed"}
