"""Of a message of a hundred meters each has its own answer, however many are refused."""

from shipments_by_hand import Dock, meter, mrid, serials

from canonical.codes.message import PARTNER_TOOK_PART
from canonical.refusals import MOST, Refusal, refusals_to_text
from store import work
from store.session import Transaction

PART = str(PARTNER_TOOK_PART)


def test_seventy_refusals_of_a_hundred_meters_are_all_kept(transaction: Transaction) -> None:
    dock, names = Dock(transaction), serials(100)
    dock.take(*map(meter, names))
    said = [Refusal("Meter", mrid(one), f"2.{n}", "no licence left") for n, one in enumerate(names[:70])]

    dock.answer("hes", "rejected", PART, refusals_to_text(said))

    assert [dock.row(one)["told"]["hes"] for one in names] == [f"2.{n}" for n in range(70)] + ["CONFIRMED"] * 30
    with transaction() as session:
        (item,) = work.open_of_code(session, "8095 METER_NOT_TAKEN")
    assert item["summary"].startswith("hes did not take 70 of 100 meters: ")
    assert item["summary"].endswith("; and 50 more")


def test_several_errors_of_one_meter_are_one_refusal(transaction: Transaction) -> None:
    dock = Dock(transaction)
    dock.take(meter("1"), meter("2"))
    said = [Refusal("Meter", mrid("1"), f"2.{n}", "wrong") for n in range(25)]

    dock.answer("hes", "rejected", PART, refusals_to_text(said))

    assert (dock.row("1")["told"]["hes"], dock.row("2")["told"]["hes"]) == ("2.0", "CONFIRMED")


def test_a_refusal_that_names_no_meter_of_the_message_leaves_the_others_unknown(transaction: Transaction) -> None:
    dock = Dock(transaction)
    dock.take(meter("1"), meter("2"))

    dock.answer("hes", "rejected", PART, refusals_to_text([Refusal("Meter", mrid("1"), "2.4"), Refusal("", "", "5.3")]))

    assert (dock.row("1")["told"]["hes"], dock.row("2")["told"]["hes"]) == ("2.4", PART)


def test_more_refusals_than_there_is_room_for_leave_the_others_unknown(transaction: Transaction) -> None:
    dock = Dock(transaction)
    dock.take(meter("1"), meter("2"))
    said = [Refusal("Meter", mrid("1"), "2.4")] * (MOST + 1)

    dock.answer("hes", "rejected", PART, refusals_to_text(said))

    assert dock.row("2")["told"]["hes"] == PART
