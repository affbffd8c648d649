"""Orders and routes go in files too: what their reader refuses is parked with its names, never taken for told."""

from datetime import UTC, datetime
from hashlib import sha256

import pytest

from canonical.billing import FileAcknowledgement, ItemVerdict
from canonical.messages import FileFacts, FileIdentity, Header, Item, Parcel
from flows.file_handling import FileContext
from flows.master_data_feed import AnswersHandler
from store import deliveries
from store.session import Transaction

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
NAME = "FO_AMIHUB_CREWCO_TEST_20261201_0123456789ab.dat"
FACTS = FileFacts({}, {}, {}, 1, 0)
FILE = FileContext("f-1", "crews", f"{NAME}.ack", FileIdentity("acknowledgement", "CREWCO"), FACTS, "0" * 64, NOW)


def refused(key: str, code: str, reason: str = "") -> ItemVerdict:
    return ItemVerdict(key, "REJECTED", code, reason)


@pytest.mark.parametrize(
    ("items", "state", "reason"),
    [
        ((), "confirmed", ""),
        ((ItemVerdict("ORD o-1", "ACCEPTED"),), "confirmed", ""),
        (
            (
                ItemVerdict("ORD o-1", "ACCEPTED"),
                refused("ORD o-2", "7011", "no such street"),
                refused("ORD o-3", "9", ""),
            ),
            "parked",
            "ORD o-2 7011 no such street; ORD o-3 9",
        ),
    ],
)
def test_a_file_of_orders_is_told_only_where_no_order_is_refused(
    transaction: Transaction, items: tuple[ItemVerdict, ...], state: str, reason: str
) -> None:
    parcel = Parcel(NAME, "text/plain", sha256(b"1").hexdigest(), 1, b"1", key="k-1", confirm_name=NAME)
    said = FileAcknowledgement(NAME, "0" * 64, "ACCEPTED_WITH_ERRORS" if reason else "ACCEPTED", "", "", items, NOW)
    header = Header("m-1", "hub", "create", "MeterServiceRequests")
    with transaction() as session:
        name = deliveries.enqueue(session, header=header, destination="crews", parcel=parcel, now=NOW)

    with transaction() as session:
        AnswersHandler({}).handle(session, FILE, [Item(1, NAME, said)], now=NOW)

    with transaction() as session:
        found = deliveries.find(session, name)
        assert (found.state, found.reason) == (state, reason)
