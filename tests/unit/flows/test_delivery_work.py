"""A delivery that waits for a person is work, once, until it moves on."""

from delivery_office import Office

from canonical.messages import Outcome
from flows import work
from flows.delivery import sweep_confirmations
from flows.delivery_work import follow_deliveries


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
