"""Work about a part that cannot be delivered is opened once, and closes itself when the part is delivered."""

from pathlib import Path

from billing_story import Story

from flows import work as people
from store.session import Transaction

FOLDER = Path(__file__).parent / "part_cannot_be_delivered_then_is"


def test_a_part_that_stays_stuck_over_three_passes_is_one_work_item_that_ends_with_the_delivery(
    transaction: Transaction, tmp_path: Path
) -> None:
    Story(FOLDER, transaction, tmp_path).play()

    (item,) = [row for row in people.list_work(transaction=transaction, state="RESOLVED") if row["code"][:4] == "6060"]
    acts = people.show(item["work_id"], transaction=transaction).acts
    assert [(act["act"], act["by"]) for act in acts] == [("opened", "hub"), ("resolved", "hub")]
    assert item["seen"] == 1
