"""Kill -9 at every boundary of a billing night and run it again: same bytes, each part delivered once."""

import hashlib
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from billing_world import BookMdms, FolderCis, Night
from kill_harness import Boundaries, Place, survive_every_kill

from canonical.billing import BilledRow, BillingRequestItem
from canonical.customers import CustomerAgreement
from canonical.ids import meter_mrid
from canonical.metering import Installation, MeterReadings, Register, RegisterReading, UsagePoint
from canonical.periods import Period
from canonical.quality import Quality
from canonical.reading_types import register_code
from flows.billing_exchange import Interface
from flows.billing_exchange.policy import Policy
from store.session import open_engine, transactions

ZONE = ZoneInfo("America/Toronto")
DAY = date(2026, 7, 1)
JUNE = Period(datetime(2026, 6, 1, tzinfo=ZONE), datetime(2026, 7, 1, tzinfo=ZONE))
NOW = datetime(2026, 7, 1, 6, tzinfo=ZONE).astimezone(UTC)
SINCE = datetime(2025, 1, 1, tzinfo=UTC)
POINTS = ("U1", "U2")
REGISTER = register_code("ELECTRICITY")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


class BillingNight:
    """Two items in two parts: one is billed, the other has no read and is answered NO_READ at window end."""

    def prepare(self, place: Place) -> None:
        """The CIS writes its files; the MDMS has its book."""
        night = self._night(place, transactions(open_engine(place.url)))
        night.reference([thing for up in POINTS for thing in _masters(up)], day=DAY)
        items = [BillingRequestItem(f"R-{up}", "CYCLE", "ELECTRICITY", JUNE, usage_point=up) for up in POINTS]
        night.requests(items, day=DAY)

    def run(self, place: Place, boundaries: Boundaries, start: int) -> None:
        """Three passes; between them the CIS answers what it has."""
        night = self._night(place, boundaries.transaction(transactions(open_engine(place.url))))
        night.cis, night.mdms = boundaries.port(night.cis), boundaries.port(night.mdms)
        night.machine += timedelta(days=1 + start)
        clock = place.folder / "clock"
        done = int(clock.read_text()) if clock.exists() else 0
        for step, hours in enumerate((0, 11, 11.5)):
            if step < done:
                continue
            # Business time never goes back: what starts again starts in the pass that was cut.
            clock.write_text(str(step))
            if step == 2:
                self._answer(night)
            night.pass_at(NOW + timedelta(hours=hours))

    def observe(self, place: Place) -> Any:
        """Files at the CIS, what the MDMS was told, states, and how often each part was delivered."""
        from sqlalchemy import text

        engine = open_engine(place.url)
        with engine.connect() as connection:
            rows = {
                name: [list(map(str, row)) for row in connection.execute(text(query))]
                for name, query in QUERIES.items()
            }
        engine.dispose()
        inbound = place.folder / "cis" / "inbound"
        files = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(inbound.glob("BD_*"))}
        return {"files": files, **rows}

    def _night(self, place: Place, transaction: Any) -> Night:
        policy = Policy(
            interface="mass", partner="CISMASS", inboxes=("cis",), zone=ZONE.key, determinants="hub", part_size=1
        )
        interface = Interface("mass", policy, "AMIHUB", "TEST", roles=frozenset({"cis", "mdms"}))
        mdms = BookMdms(lambda: {"U1": [_read("U1")]})
        return Night(interface, FolderCis(place.folder / "cis"), mdms, transaction, place.folder / "spool")

    def _answer(self, night: Night) -> None:
        """The CIS answers each file once, and bills once, however often it is asked."""
        archive = night.cis.out.parent / "archive"
        determinants = []
        for name, part in night.parts().items():
            determinants += [d for d in part.determinants if d.quantities]
            answer = f"{name.removesuffix('.dat')}.ack"
            if not (archive / answer).exists() and not (night.cis.out / answer).exists():
                night.acknowledge(name)
        if not list(archive.glob("BX_*")) and not list(night.cis.out.glob("BX_*")):
            night.bill([_bill(d) for d in determinants], day=DAY)


SHARES = 4
"""Tests among which the boundaries are shared out, so that workers can take them side by side."""

QUERIES = {
    "items": "select request_id, state, status, answer, version, sent_version, quantity_micro from billing_item "
    "order by 1",
    "history": "select i.request_id, h.from_state, h.to_state, h.why, h.by from billing_item_history h "
    "join billing_item i on i.item_id = h.item_id order by i.request_id, h.row",
    "parts": "select name, sequence, state, items, quantity_micro from billing_part order by sequence",
    "deliveries": "select destination, key, state, sha256 from delivery order by destination, key",
    "runs": "select file_name, state, scheduled, rejected, parts from billing_run",
    "billed": "select determinant_id, version, event, quantity_micro from billed order by 1",
    "readings": "select usage_point, taken_at, value, version from register_reading order by 1, 2, 4",
    "work": "select code, key, state, seen from work_item order by 1, 2",
}


def _masters(up: str) -> list[Any]:
    register = Register("T", REGISTER, "kWh", "DELIVERED", 5, 0)
    meter = meter_mrid("ACM", f"M-{up}")
    return [
        UsagePoint(up, f"NMI-{up}", ZONE.key, "ELECTRICITY", "AMI", SINCE),
        CustomerAgreement(f"G-{up}", f"A-{up}", up, "RESIDENTIAL", "R1", "07", "", False, SINCE, None),
        Installation(up, meter, "ACM", f"M-{up}", "ELECTRICITY", SINCE, None, Decimal(1), (register,)),
    ]


def _read(up: str) -> MeterReadings:
    meter = meter_mrid("ACM", f"M-{up}")
    reads = [(JUNE.start, Decimal(100)), (JUNE.end, Decimal(350))]
    return MeterReadings(
        up, meter, tuple(RegisterReading(up, meter, REGISTER, at, v, Quality.VALIDATED, "", "mdms") for at, v in reads)
    )


def _bill(determinant: Any) -> BilledRow:
    return BilledRow(
        determinant.determinant_id, determinant.version, f"B-{determinant.request_id}", determinant.period,
        determinant.quantities[0].quantity, "BILLED", NOW + timedelta(hours=11), unit="kWh",
    )  # fmt: skip


@pytest.mark.parametrize("first", range(1, SHARES + 1))
def test_a_killed_billing_night_ends_as_one_that_nobody_disturbed(
    databases: Callable[[], str], tmp_path: Path, first: int
) -> None:
    boundaries = survive_every_kill(
        BillingNight(), databases=databases, folder=tmp_path, first=first, stride=SHARES, at_least=60
    )

    assert {"before encode", "after carry", "within readings", "before commit"} <= set(boundaries)
