"""Within one pass requests come last: the usage points and meters that they name may stand in any inbox."""

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from billing_world import MACHINE, BookMdms, FolderCis, Night

from canonical.billing import BillingRequestItem
from canonical.customers import CustomerAgreement
from canonical.ids import meter_mrid
from canonical.metering import Installation, Register, UsagePoint
from canonical.periods import Period
from canonical.reading_types import register_code
from flows import billing_exchange as flow
from flows.billing_exchange import Interface
from flows.billing_exchange.policy import Policy
from store.session import Transaction

ZONE = ZoneInfo("America/Toronto")
JUNE = Period(datetime(2026, 6, 1, tzinfo=ZONE), datetime(2026, 7, 1, tzinfo=ZONE))
NOW = datetime(2026, 7, 1, 10, tzinfo=UTC)
SINCE = datetime(2025, 1, 1, tzinfo=UTC)
DAY = date(2026, 7, 1)


def test_a_request_finds_the_meter_that_another_inbox_tells_in_the_same_pass(
    transaction: Transaction, tmp_path: Path
) -> None:
    policy = Policy(interface="mass", partner="CISMASS", inboxes=("cis", "masters"), zone=ZONE.key, determinants="hub")
    interface = Interface("mass", policy, "AMIHUB", "TEST", roles=frozenset({"cis", "masters"}))
    inboxes = {"cis": FolderCis(tmp_path / "cis"), "masters": FolderCis(tmp_path / "masters")}
    asking, telling = (
        Night(interface, inbox, BookMdms(dict), transaction, tmp_path / "spool") for inbox in inboxes.values()
    )
    register = Register("T", register_code("ELECTRICITY"), "kWh", "DELIVERED", 5, 0)
    meter = meter_mrid("ACM", "0001")
    telling.reference(
        [
            UsagePoint("U1", "NMI1", ZONE.key, "ELECTRICITY", "AMI", SINCE),
            CustomerAgreement("G1", "A1", "U1", "RESIDENTIAL", "R1", "07", "", False, SINCE, None),
            Installation("U1", meter, "ACM", "0001", "ELECTRICITY", SINCE, None, Decimal(1), (register,)),
        ],
        day=DAY,
    )
    asking.requests([BillingRequestItem("R1", "CYCLE", "ELECTRICITY", JUNE, account="A1")], day=DAY)

    taken = flow.take_in(
        interface, ports=inboxes, transaction=transaction, spool=tmp_path / "spool", now=NOW, machine_now=MACHINE
    )

    assert (taken.accepted, taken.rejected, taken.reference_rows, taken.files) == (1, 0, 3, 2)
