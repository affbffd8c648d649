"""Retention of records about masters: what is open, named by work, or somebody's last word stays however old (I8)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, insert, select, update

from canonical.codes.master_load import LOAD_EXCEPTIONS
from canonical.errors import MisconfiguredError
from canonical.work import WorkItem
from flows import master_retention
from flows.master_retention import retain_masters
from flows.retention import RetentionPolicy
from store import recon_differences, work
from store.deliveries import Delivery
from store.master_load_held import HELD
from store.master_loads import CHUNK, LOAD
from store.master_statements import MASTER_STATEMENT
from store.master_waiting import WAITING
from store.recon_differences import ACT, DIFFERENCE
from store.recon_holdings import HOLDING
from store.recon_runs import RUN
from store.recon_snapshots import SNAPSHOT
from store.session import Transaction
from store.work import WORK_ITEM

pytestmark = pytest.mark.slow

POLICY = RetentionPolicy(history=timedelta(days=1000))


@dataclass
class Archive:
    """A hub whose records about masters grow old."""

    transaction: Transaction
    now: datetime

    def ago(self, days: float) -> datetime:
        return self.now - timedelta(days=days)

    def add(self, table: Any, **values: Any) -> None:
        with self.transaction() as session:
            session.execute(insert(table).values(**values))

    def said(self, number: int, days: float, **more: Any) -> None:
        """Let the CIS have said something of U1 so long ago."""
        row = {
            "number": number, "how": "told_us", "system": "cis", "message_id": f"m-{number}", "delivery_id": "",
            "place": 0, "kind": "usage_point", "object_id": "U1", "usage_point": "U1", "verb": "change",
            "valid_from": self.ago(days), "facts": {"route": str(number)}, "said_at": self.ago(days),
            "noted_at": self.ago(days), "disposition": "APPLIED", "code": "", "reason": "",
        }  # fmt: skip
        self.add(MASTER_STATEMENT, **{**row, **more})

    def told(self, number: int, days: float, state: str) -> None:
        """Let the MDMS have been told something of U1 so long ago."""
        at = self.ago(days)
        row = Delivery(
            delivery_id=f"d-{number}", message_id=f"t-{number}", destination="mdms", verb="change",
            noun="UsagePointConfig", name="x", content_type="x", sha256="x", size=1, key=f"k-{number}", lane="masters",
            correlation_id="", causation_id="", enqueued_at=at, due_at=at, state=state,
        )  # fmt: skip
        self.add(Delivery.__table__, **row.model_dump(exclude={"sequence"}))  # type: ignore[attr-defined]
        self.said(number, days, how="we_told", system="mdms", delivery_id=f"d-{number}", disposition="")

    def differs(self, name: str, days: float, state: str = "closed") -> None:
        """Let a difference have been found, and closed, so long ago."""
        at = self.ago(days)
        row = dict.fromkeys(("field", "owner", "expected", "found", "cause", "why", "by", "reason", "repair"), "")
        times = {"first_seen_at": at, "last_seen_at": at, "opened_at": at}
        self.add(
            DIFFERENCE, difference_id=name, partition=1, kind="usage_point", object_id=f"U-{name}", system="mdms",
            klass="FIELD_DIFF", level="L2", said={}, evidence={}, state=state, disposition="", seen=1,
            closed_at=at if state == "closed" else None, **row, **times,
        )  # fmt: skip
        with self.transaction() as session:
            recon_differences.act(session, [name], "found", by="hub", reason="", now=at)

    def extract(self, name: str, days: float, state: str = "past") -> None:
        """Let the MDMS have written an extract so long ago."""
        at = self.ago(days)
        self.add(SNAPSHOT, snapshot_id=name, system="mdms", name=f"MX_{name}", watermark=at, state=state, taken_at=at,
                 counts={}, unread=0, merged_to=1024, log_position=0)  # fmt: skip

    def held(self, name: str, since: float, until: float | None) -> None:
        """Let the MDMS have held a thing from so many days ago until so many days ago."""
        self.add(HOLDING, system="mdms", kind="usage_point", object_id=name, partition=1, hash="x", content="[]",
                 valid_from=self.ago(since), seen_at=self.ago(since),
                 replaced_at=self.ago(until) if until is not None else None)  # fmt: skip

    def load(self, run: str, days: float, state: str = "done") -> None:
        """Let a load have ended so long ago, with one item that came late and one that never did."""
        at, is_open = self.ago(days), state == "loading"
        self.add(LOAD, run_id=run, roles=["cis"], messages=[], state=state, history="all", history_months=0,
                 error_percent=Decimal(1), forgiven_items=0, forgiven_errors=0, started_at=at, started_by="ann",
                 changed_at=at, reason="", ended_at=None if is_open else at)  # fmt: skip
        self.add(CHUNK, run_id=run, file_id="f", number=1, last_line=9, items=2, errors=1, at=at)
        for state_ in ("waiting", "exception") if is_open else ("loaded", "exception"):
            self.add(HELD, run_id=run, file_id="f", role="cis", line=2, kind="meter", turn=1, object_id="M1",
                     facts={}, watermark=at, state=state_, code="", reason="")  # fmt: skip

    def open_work(self, key: str, code: str = "9999 X", summary: str = "") -> str:
        item = WorkItem(
            work_id=f"work-{key}", code=code, key=key, queue="masters", summary=summary, due_at=self.now,
            at_risk_kwh=Decimal(0), suggested="",
        )  # fmt: skip
        with self.transaction() as session:
            work.raise_work(session, [item], now=self.now)
        return item.work_id

    def retain(self, **more: Any) -> Mapping[str, int]:
        found = retain_masters(POLICY, transaction=self.transaction, now=self.now, **more)
        return {name: number for name, number in found.items() if number}

    def left(self, column: Any) -> list[Any]:
        with self.transaction() as session:
            return sorted(value for (value,) in session.execute(select(column)))

    def count(self, table: Any) -> int:
        with self.transaction() as session:
            return int(session.execute(select(func.count()).select_from(table)).scalar_one())


@pytest.fixture
def archive(transaction: Transaction, now: datetime) -> Archive:
    return Archive(transaction, now)


def test_what_was_said_goes_once_a_later_word_says_it_all_again(archive: Archive) -> None:
    archive.said(1, 1500)
    archive.said(2, 1400, facts={"route": "2", "district": "N"})
    archive.said(3, 1300, disposition="REJECTED")
    archive.said(4, 1200, facts={"zone": "UTC"})
    archive.said(5, 1100, facts={"route": "5"})
    archive.said(6, 900, facts={"route": "6", "district": "S", "zone": "UTC"})

    done = archive.retain()

    # The 2nd alone says a district that is as old; the 6th is young.
    assert done == {"statements": 2}
    assert archive.left(MASTER_STATEMENT.c.number) == [2, 4, 5, 6]
    assert archive.retain() == {}


def test_a_last_word_of_another_thing_system_or_direction_frees_nothing(archive: Archive) -> None:
    archive.said(1, 1500)
    archive.said(2, 1400, object_id="U2")
    archive.said(3, 1400, system="wams")
    archive.said(4, 1400, how="file", message_id="m-4f")
    archive.said(5, 1400, verb="close", facts={})

    assert archive.retain() == {}


def test_what_a_system_was_told_stays_as_long_as_its_delivery_is_open_or_its_last_confirmed_one(
    archive: Archive,
) -> None:
    archive.told(1, 1500, "confirmed")
    archive.told(2, 1450, "parked")
    archive.told(3, 1400, "confirmed")
    archive.told(4, 1350, "cancelled")
    archive.said(5, 1300, how="we_told", system="mdms", delivery_id="dropped by its own retention", disposition="")

    assert archive.retain() == {"statements": 3}
    assert archive.left(MASTER_STATEMENT.c.number) == [2, 3]


def test_what_waits_stays_and_an_ended_wait_goes_with_what_was_said(archive: Archive) -> None:
    for number, settled in ((1, None), (2, archive.ago(1400))):
        archive.said(number, 1500, disposition="WAITING")
        archive.add(WAITING, waiting_id=f"w-{number}", stage="apply", source="cis", message_id=f"m-{number}", place=0,
                    said={}, effective_at=archive.ago(1500), order_in_instant=0, said_at="", attempts=1,
                    state="done" if settled else "parked", due_at=archive.ago(1500), first_at=archive.ago(1500),
                    settled_at=settled, code="", reason="")  # fmt: skip
    archive.said(3, 1300)

    assert archive.retain() == {"statements": 1, "waits": 1}
    assert archive.left(WAITING.c.waiting_id) == ["w-1"]


def test_what_systems_ceased_to_hold_goes_with_the_extracts_that_nothing_names(archive: Archive) -> None:
    for name, days in (("first", 2000), ("quiet", 1900), ("changed", 1800), ("again", 1700)):
        archive.extract(name, days)
    archive.extract("now", 1, "in_force")
    archive.held("U1", 2000, 1800)
    archive.held("U2", 1700, None)
    archive.held("U3", 1700, 900)

    done = archive.retain()

    assert done == {"holdings": 1, "extracts": 2}
    assert archive.left(HOLDING.c.object_id) == ["U2", "U3"]
    assert archive.left(SNAPSHOT.c.snapshot_id) == ["again", "first", "now"]


def test_closed_differences_go_with_their_acts_and_open_ones_never(archive: Archive) -> None:
    archive.differs("old", 500)
    archive.differs("young", 300)
    archive.differs("named", 500)
    for state in ("open", "repairing", "waived"):
        archive.differs(state, 900, state)
    archive.open_work("some", summary="mdms: U-named: look")

    assert archive.retain() == {"differences": 1}
    assert archive.left(DIFFERENCE.c.difference_id) == ["named", "open", "repairing", "waived", "young"]
    assert archive.left(ACT.c.difference_id) == ["named", "open", "repairing", "waived", "young"]


def test_rounds_go_but_for_the_last_one_that_reports_show_and_one_that_goes_on(archive: Archive) -> None:
    for number, state in ((1, "done"), (2, "stopped"), (3, "done"), (4, "running")):
        ended = archive.ago(500) if state != "running" else None
        archive.add(RUN, number=number, state=state, started_at=archive.ago(501), ended_at=ended, next_partition=0,
                    totals={})  # fmt: skip

    assert archive.retain() == {"rounds": 2}
    assert archive.left(RUN.c.number) == [3, 4]


def test_of_an_ended_load_checkpoints_and_items_go_once_nobody_works_on_its_exceptions(archive: Archive) -> None:
    for run, days, state in (("r1", 500, "done"), ("r2", 500, "done"), ("r3", 600, "loading"), ("r4", 300, "done")):
        archive.load(run, days, state)
    name = archive.open_work("r2", str(LOAD_EXCEPTIONS))

    assert archive.retain() == {"load checkpoints": 1, "load items": 2}
    assert archive.left(CHUNK.c.run_id) == ["r2", "r3", "r4"]

    with archive.transaction() as session:
        session.execute(update(WORK_ITEM).where(WORK_ITEM.c.work_id == name).values(state="RESOLVED"))

    assert archive.retain() == {"load checkpoints": 1, "load items": 2}
    assert set(archive.left(HELD.c.run_id)) == {"r3", "r4"}
    assert archive.count(LOAD) == 4, "runs are what numbers of later ones, and what is believed, rest on"


def test_a_dry_run_counts_and_it_goes_in_batches(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(master_retention, "BATCH", 2)
    for number in range(5):
        archive.differs(f"d-{number}", 500)

    assert archive.retain(dry_run=True) == {"differences": 5}
    assert archive.count(DIFFERENCE) == 5
    assert archive.retain() == {"differences": 5}
    assert archive.count(DIFFERENCE) == archive.count(ACT) == 0


def test_history_is_kept_at_least_as_long_as_keys() -> None:
    with pytest.raises(MisconfiguredError, match="RETENTION_TOO_SHORT"):
        RetentionPolicy(history=timedelta(days=399))
