"""`amihub explain` shows every link of the chain, and the sum can be done again on paper."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from billing_world import BookMdms, FolderCis, Night

from canonical.billing import BilledRow, BillingRequestItem
from canonical.customers import CustomerAgreement
from canonical.errors import RejectedError
from canonical.ids import meter_mrid
from canonical.metering import Installation, MeterReadings, Register, RegisterReading, UsagePoint
from canonical.periods import Period
from canonical.quality import Quality
from canonical.reading_types import register_code
from flows.billing_exchange import Interface
from flows.billing_exchange.explain import explain
from flows.billing_exchange.policy import Policy
from services.explain_text import explained_lines, explained_to_json
from store.session import Transaction

ZONE = ZoneInfo("America/Toronto")
JUNE = Period(datetime(2026, 6, 1, tzinfo=ZONE), datetime(2026, 7, 1, tzinfo=ZONE))
NOW = datetime(2026, 7, 1, 10, tzinfo=UTC)
SINCE = datetime(2025, 1, 1, tzinfo=UTC)
METER, CODE = meter_mrid("ACM", "0001"), register_code("ELECTRICITY")


@pytest.fixture
def billed(transaction: Transaction, tmp_path: Path) -> Transaction:
    policy = Policy(interface="mass", partner="CISMASS", inboxes=("cis",), zone=ZONE.key, determinants="hub")
    reads = tuple(
        RegisterReading("U1", METER, CODE, at, Decimal(value), Quality.VALIDATED, "", "mdms")
        for at, value in ((JUNE.start, 100), (JUNE.end, 350))
    )
    mdms = BookMdms(lambda: {"U1": [MeterReadings("U1", METER, reads)]})
    interface = Interface("mass", policy, "AMIHUB", "TEST", roles=frozenset({"cis", "mdms"}))
    night = Night(interface, FolderCis(tmp_path / "cis"), mdms, transaction, tmp_path / "spool")
    register = Register("T", CODE, "kWh", "DELIVERED", 5, 0)
    masters = [
        UsagePoint("U1", "NMI1", ZONE.key, "ELECTRICITY", "AMI", SINCE),
        CustomerAgreement("G1", "A1", "U1", "RESIDENTIAL", "R1", "07", "", False, SINCE, None),
        Installation("U1", METER, "ACM", "0001", "ELECTRICITY", SINCE, None, Decimal(40), (register,)),
    ]
    night.reference(masters, day=date(2026, 7, 1))
    night.requests([BillingRequestItem("R1", "CYCLE", "ELECTRICITY", JUNE, account="A1")], day=date(2026, 7, 1))
    night.pass_at(NOW)
    (name, part), *_ = night.parts().items()
    night.acknowledge(name)
    row = BilledRow(part.determinants[0].determinant_id, 1, "B1", JUNE, Decimal(10_000), "BILLED", NOW, unit="kWh")
    night.bill([row], day=date(2026, 7, 1))
    night.pass_at(NOW)
    return transaction


def test_the_chain_is_found_by_every_name_of_the_thing(billed: Transaction) -> None:
    for word in ("R1", "A1", "G1", "U1", "NMI1", "0001", "ACM/0001"):
        assert [one.item["request_id"] for one in explain(word, transaction=billed)] == ["R1"], word


def test_the_text_shows_each_link_and_the_sum(billed: Transaction) -> None:
    text = "\n".join(explained_lines(explain("A1", transaction=billed)))

    assert "asked in BR_CISMASS_AMIHUB_TEST_ON_07_20260701_000001_r0.dat, line 2, as account A1" in text
    assert "2026-06-01 04:00:00Z = 100 (VALIDATED), v1, from mdms" in text
    assert "350 - 100 = 250; x 40 = 10000 kWh" in text
    assert "KWH_TOTAL = 10000 kWh" in text
    assert "SENT v1 in BD_AMIHUB_CISMASS_TEST_ON_07_20260701_000001_p01F_r0.dat, line 2: part ACKED ACCEPTED" in text
    assert "BILLED bill B1 v1: 10000, agrees; BX_CISMASS_AMIHUB_TEST_BILLED_20260701_000001_r0.dat:2" in text
    assert "ACKED -> BILLED by cis: bill B1" in text


def test_the_line_named_is_the_line_of_the_file(billed: Transaction, tmp_path: Path) -> None:
    (one,) = explain("R1", transaction=billed)
    (line,) = one.lines

    wire = (tmp_path / "cis" / "inbound" / line["name"]).read_text().splitlines()
    assert wire[line["line"] - 1].startswith(f"SVC|{line['determinant_id']}|1|")


def test_the_chain_is_json_too(billed: Transaction) -> None:
    (row,) = json.loads(explained_to_json(explain("R1", transaction=billed)))

    assert row["billed"][0]["quantity_micro"] == 10_000_000_000
    assert row["versions"][0]["trail"]


def test_what_nobody_knows_is_said_so(billed: Transaction) -> None:
    with pytest.raises(RejectedError, match="EXPLAIN_NOT_FOUND"):
        explain("nobody", transaction=billed)
