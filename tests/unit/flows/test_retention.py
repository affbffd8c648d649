"""Retention drops payloads first and keys much later; what is open, or what open work names, never (I8)."""

from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from delivery_office import Office
from sqlalchemy import func, select

from canonical.codes import message as codes
from canonical.errors import MisconfiguredError, RejectedError
from canonical.messages import Header, Message, Reply
from canonical.work import WorkItem
from flows import retention
from flows.retention import Dropped, RetentionPolicy, retain
from flows.spine import receive
from services.spool import days_of, remover
from store import claims, deliveries, message_items, messages, parked, work
from store.session import Session, Transaction

POLICY = RetentionPolicy()


class Shelf(Office):
    """A hub whose messages and deliveries grow old."""

    def take(self, message_id: str, days_ago: int, *, refused: bool = False) -> None:
        def handle(_session: Session, _message: Message[Any]) -> Reply:
            if refused:
                raise RejectedError("no", code=codes.NOT_IN_STORE)
            return Reply("OK")

        receive(
            message_id.encode(),
            source="mdms",
            translate=lambda raw: Message(Header(message_id, "mdms", "created", "MeterReadings"), raw),
            handle=handle,
            transaction=self.transaction,
            now=self.now - timedelta(days=days_ago),
        )

    def send(self, name: str, days_ago: int, *, confirmed: bool = True) -> None:
        today, self.now = self.now, self.now - timedelta(days=days_ago)
        self.enqueue(name, confirm_by=self.now + timedelta(hours=2))
        self.relay()
        if confirmed:
            self.confirm(name, "confirmed")
        self.now = today

    def retain(self, **more: Any) -> Dropped:
        return retain(POLICY, transaction=self.transaction, remove=remover(self.spool), now=self.now, **more)

    def open_work(self, key: str, summary: str = "") -> None:
        item = WorkItem(
            work_id=f"work-{key}", code="6048 X", key=key, queue="billing", summary=summary, due_at=self.now,
            at_risk_kwh=Decimal(0), suggested="",
        )  # fmt: skip
        with self.transaction() as session:
            work.raise_work(session, [item], now=self.now)

    def count(self, table: Any) -> int:
        with self.transaction() as session:
            return int(session.execute(select(func.count()).select_from(table)).scalar_one())

    def counts(self) -> tuple[int, int, int, int]:
        tables = (messages.StoredMessage, messages.MessageBody, deliveries.Delivery, deliveries.DeliveryPayload)
        return tuple(self.count(table) for table in tables)  # type: ignore[return-value]


@pytest.fixture
def shelf(transaction: Transaction, now: datetime, tmp_path: Path) -> Shelf:
    return Shelf(transaction, now, tmp_path)


def test_payloads_go_before_keys_and_what_is_young_stays(shelf: Shelf) -> None:
    for days in (1, 89, 91, 399, 401):
        shelf.take(f"m{days}", days)
        shelf.send(f"p{days}", days)

    done = shelf.retain()

    assert done == Dropped(3, 3, 1, 1, 0)
    assert shelf.counts() == (4, 2, 4, 2)
    assert shelf.retain() == Dropped(0, 0, 0, 0, 0)


def test_a_repeat_is_recognized_as_long_as_the_key_is_kept(shelf: Shelf) -> None:
    shelf.take("m1", 399)
    shelf.retain()

    shelf.take("m1", 0)

    with shelf.transaction() as session:
        assert messages.body(session, 1) is None
    assert shelf.count(messages.MessageAttempt) == 2
    assert shelf.count(claims.MessageClaim) == 1


def test_a_dry_run_counts_the_same_and_drops_nothing(shelf: Shelf) -> None:
    shelf.take("m1", 500)
    shelf.send("p1", 500)
    before = shelf.counts()

    told = shelf.retain(dry_run=True)

    assert shelf.counts() == before
    assert told == shelf.retain() == Dropped(1, 1, 1, 1, 0)


def test_what_is_open_stays_however_old(shelf: Shelf) -> None:
    shelf.take("refused", 900, refused=True)
    shelf.send("unheard", 900, confirmed=False)
    shelf.send("of the work", 900)
    shelf.take("told-of", 900)
    shelf.take("11", 900)
    shelf.open_work("of the work")
    shelf.open_work("meter-7", summary="mdms: told-of: no master names meter-7")
    shelf.open_work("2", summary="about another entry")

    done = shelf.retain()

    assert (done.messages, done.deliveries, done.open) == (1, 0, 4)
    assert {row.name for row in shelf.rows(deliveries.Delivery)} == {"unheard", "of the work"}
    with shelf.transaction() as session:
        assert [one.kind for one in parked.waiting(session)] == ["message"]


def test_work_that_is_closed_frees_what_it_was_about(shelf: Shelf) -> None:
    shelf.send("part-1", 900)
    shelf.open_work("part-1")
    held = shelf.retain()
    with shelf.transaction() as session:
        work.act(session, ["work-part-1"], "resolved", state="RESOLVED", by="hub", reason="", now=shelf.now)

    assert (held.deliveries, shelf.retain().deliveries) == (0, 1)
    with shelf.transaction() as session:
        assert work.acts(session, "work-part-1"), "who did what is kept"


def test_a_file_leaves_the_spool_with_its_control_file_and_its_row_says_so(shelf: Shelf) -> None:
    place = shelf.spool / "files" / "id-1"
    place.mkdir(parents=True)
    for name in ("A.dat", "A.ctl"):
        (place / name).write_text("x")
    with shelf.transaction() as session:
        old = shelf.now - timedelta(days=100)
        facts = {"source": "cis", "name": "A.dat#12", "sha256": "ab", "size": 1, "received_at": old}
        entry = messages.archive_file(session, "files/id-1/A.dat", **facts)
        messages.mark(session, entry, "done")

    shelf.retain()

    assert not place.exists()
    (row,) = shelf.rows(messages.StoredMessage)
    assert row.path == "removed:files/id-1/A.dat"
    assert shelf.retain().message_payloads == 0


def test_it_goes_in_batches(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    for number in range(5):
        shelf.take(f"m{number}", 500)

    assert shelf.retain().messages == 5
    assert shelf.count(message_items.MessageItem) == shelf.count(messages.StoredMessage) == 0


@pytest.mark.parametrize(("keys", "payloads"), [("399d", "90d"), ("400d", "401d"), ("400d", "0d"), ("400", "90d")])
def test_keys_outlive_a_year_and_their_payloads(keys: str, payloads: str) -> None:
    with pytest.raises(MisconfiguredError, match="RETENTION_TOO_SHORT"):
        RetentionPolicy(days_of(keys), days_of(payloads))
