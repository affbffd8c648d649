"""A file is one message: its items in batches, its line the checkpoint, its verdicts kept."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import pytest
from sqlmodel import Session, select

from canonical.billing import ItemVerdict
from canonical.codes import message as codes
from canonical.errors import RejectedError, UnavailableError
from canonical.messages import Header, Item, Rejection
from flows.spine import Batch, FileOutcome, batches, receive_file, verdicts
from store import acts
from store.acts import Act
from store.messages import StoredMessage
from store.session import Transaction

HEADER = Header("request-1", "cis", "created", "request", correlation_id="run-1")


def lines(stream: BinaryIO) -> Iterator[Item[str] | Rejection]:
    """Yield each line as an item; `bad` is a rejection, `broken` ends the file."""
    for number, line in enumerate(stream, 1):
        words = line.decode().strip()
        if words == "broken":
            raise RejectedError("the file ends here", code=codes.NOT_IN_STORE, where=f"line {number}")
        if words == "bad":
            yield Rejection(number, "7011 BAD_FIELD", "not a number")
        else:
            yield Item(number, words, words)


class Intake:
    """Notes an effect for each item; is away when it is told to be."""

    def __init__(self, path: Path, transaction: Transaction, now: datetime) -> None:
        self.path, self.transaction, self.now = path, transaction, now
        self.away_at = ""
        self.speechless = False
        self.steps: list[str] = []

    def handle_batch(self, session: Session, batch: Batch) -> Sequence[ItemVerdict]:
        self.steps.append(f"{len(batch)} items")
        said: list[ItemVerdict] = []
        for item in batch:
            if isinstance(item, Rejection):
                said.append(ItemVerdict("", "REJECTED", item.code, item.reason, item.line))
                continue
            acts.note(session, item.key, "taken", by="intake", reason="", at=self.now)
            if item.key == self.away_at:
                raise UnavailableError("away", code=codes.CLAIM_LOST)
            said.append(ItemVerdict(item.key, "ACCEPTED", line=item.line))
        return [] if self.speechless else said

    def take(self, text: str) -> FileOutcome:
        self.path.write_text(text)
        return receive_file(
            self.path,
            header=HEADER,
            translate=lines,
            handle_batch=self.handle_batch,
            transaction=self.transaction,
            now=self.now,
            batch_size=2,
            spool_path="in/request.txt",
            begin=lambda _session: self.steps.append("begin"),
            finish=lambda _session: self.steps.append("finish"),
        )

    def taken(self) -> list[str]:
        with self.transaction() as session:
            return [act.subject for act in session.exec(select(Act).order_by(Act.number)).all()]  # type: ignore[arg-type]


@pytest.fixture
def intake(tmp_path: Path, transaction: Transaction, now: datetime) -> Intake:
    return Intake(tmp_path / "request.txt", transaction, now)


def test_every_item_gets_its_verdict_and_one_bad_line_is_rejected_alone(intake: Intake) -> None:
    outcome = intake.take("a\nb\nbad\nd\ne\n")

    assert (outcome.accepted, outcome.rejected, outcome.duplicates) == (4, 1, 0)
    assert (outcome.reply.result, outcome.reply.details) == ("PARTIAL", {"ACCEPTED": "4", "REJECTED": "1"})
    assert intake.steps == ["begin", "2 items", "2 items", "1 items", "finish"]
    assert verdicts(outcome.entry, transaction=intake.transaction) == (
        ItemVerdict("a", "ACCEPTED", line=1),
        ItemVerdict("b", "ACCEPTED", line=2),
        ItemVerdict("", "REJECTED", "7011 BAD_FIELD", "not a number", 3),
        ItemVerdict("d", "ACCEPTED", line=4),
        ItemVerdict("e", "ACCEPTED", line=5),
    )


def test_a_file_goes_on_behind_its_checkpoint(intake: Intake) -> None:
    intake.away_at = "d"
    with pytest.raises(UnavailableError):
        intake.take("a\nb\nc\nd\ne\n")
    assert intake.taken() == ["a", "b"]

    intake.away_at = ""
    outcome = intake.take("a\nb\nc\nd\ne\n")

    assert intake.taken() == ["a", "b", "c", "d", "e"]
    assert outcome.accepted == 5
    assert intake.steps == ["begin", "2 items", "2 items", "2 items", "1 items", "finish"]


def test_a_repeated_file_gets_the_first_outcome_and_causes_nothing(intake: Intake) -> None:
    first = intake.take("a\nb\nbad\n")
    second = intake.take("a\nb\nbad\n")

    assert (second.entry, second.reply, second.rejected) == (first.entry, first.reply, 1)
    assert (first.repeat, second.repeat) == (False, True)
    assert intake.taken() == ["a", "b"]


def test_a_file_that_must_be_refused_is_parked_with_its_place_in_the_spool(intake: Intake) -> None:
    outcome = intake.take("a\nb\nc\nbroken\n")

    assert outcome.reply.code == "1008 NOT_IN_STORE"
    with intake.transaction() as session:
        entry = session.exec(select(StoredMessage)).one()
    assert (entry.state, entry.path, entry.place) == ("parked", "in/request.txt", "line 4")


def test_an_empty_file_is_done_with_no_items(intake: Intake) -> None:
    outcome = intake.take("")

    assert (outcome.reply.result, outcome.accepted) == ("OK", 0)
    assert intake.steps == ["begin", "finish"]


def test_an_item_without_a_verdict_stops_the_file(intake: Intake) -> None:
    intake.speechless = True

    with pytest.raises(ValueError, match="2 items got 0 verdicts"):
        intake.take("a\nb\n")


def test_items_of_one_line_are_never_parted() -> None:
    items = [Item(line, str(n), n) for n, line in enumerate((1, 2, 2, 2, 3, 3))]

    assert [[item.key for item in batch] for batch in batches(items, after=0, size=2)] == [list("0123"), list("45")]
    assert [[item.key for item in batch] for batch in batches(items, after=2, size=2)] == [list("45")]


def test_lines_that_go_back_are_an_error_because_nothing_could_say_what_is_done() -> None:
    items = [Item(2, "a", ""), Item(1, "b", "")]

    with pytest.raises(ValueError, match="line 1 comes after line 2"):
        list(batches(items, after=0, size=2))
