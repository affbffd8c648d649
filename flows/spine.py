"""The one way in: archive, translate, recognize a repeat, handle, record."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import file_digest
from pathlib import Path
from typing import Any, BinaryIO

from canonical.billing import ItemVerdict
from canonical.errors import MisconfiguredError, RejectedError, UnavailableError
from canonical.messages import Header, Item, Message, Rejection, Reply
from canonical.replies import ManyRejectedError
from store import claims, message_items, messages
from store.session import Session, Transaction

FILE_LEASE_S = 900.0
"""Seconds of machine time for one batch of a file; a worker that dies is replaced after it."""

Batch = Sequence[Item[Any] | Rejection]


def receive(
    raw: bytes,
    *,
    source: str,
    translate: Callable[[bytes], Message[Any]],
    handle: Callable[[Session, Message[Any]], Reply],
    transaction: Transaction,
    now: datetime,
    machine_now: datetime | None = None,
    on_park: Callable[[Session, RejectedError], None] = lambda _session, _error: None,
) -> Reply:
    """Take one inbound message from wire to reply, in three transactions.

    Archive, translate, recognize a repeat, handle, record: in this order, so that whatever arrived can be looked at
    and replayed even when it could not be read. A repeat gets the reply of the first time and causes nothing; while
    another worker is at it, the reply is BUSY. `now` is business time; `machine_now` counts the lease and is the same
    where it is not given. `on_park` runs in the transaction that parks what was rejected.

    Raises:
        UnavailableError: a system behind the flow is away; the carrier retries, and the retry finds this entry.
        MisconfiguredError: the hub is set up wrong; a retry after the repair finds this entry.
    """
    with transaction() as session:
        entry = messages.archive(session, raw, source=source, received_at=now)
    header, held = None, None
    try:
        message = translate(raw)
        header = message.header
        with transaction() as session:
            claim = claims.claim(session, entry, header, machine_now=machine_now or now)
        if claim.reply is not None:
            return claim.reply
        held = claim
        with transaction() as session:
            reply = replace(handle(session, message), at=now)
            claims.complete(session, held, reply)
    except RejectedError as error:
        return park(transaction, entry, held, error, header, on_park, at=now)
    except (UnavailableError, MisconfiguredError) as error:
        give_back(transaction, held, error)
        raise
    return reply


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """What became of a file; the three counts add up to its items."""

    entry: int
    """Entry number of the file; `verdicts` tells of its items."""

    reply: Reply
    """OK, PARTIAL (some items rejected), FAILED (refused whole) or BUSY."""

    repeat: bool
    """Whether the file had been done before, and nothing happened now."""

    accepted: int = 0
    rejected: int = 0
    duplicates: int = 0


def receive_file(
    path: Path,
    *,
    header: Header,
    translate: Callable[[BinaryIO], Iterator[Item[Any] | Rejection]],
    handle_batch: Callable[[Session, Batch], Sequence[ItemVerdict]],
    transaction: Transaction,
    now: datetime,
    machine_now: datetime | None = None,
    batch_size: int = 500,
    spool_path: str = "",
    begin: Callable[[Session], None] = lambda _session: None,
    finish: Callable[[Session], None] = lambda _session: None,
) -> FileOutcome:
    """Take one file from spool to verdicts: one message, its items in batches, each batch in one transaction.

    The line of a batch's last item is written in the transaction that holds the batch's effects: after a crash the
    file goes on behind it, no batch applied twice or lost. `begin` runs with the first claim, `finish` with the
    reply; `handle_batch` returns one verdict for each item, in order. `spool_path` is what the archive keeps as the
    file's place; `path` where it is not given. A rejection that `translate` or `handle_batch` raises parks the file;
    batches before it stay.

    Raises:
        UnavailableError: the carrier retries, and the retry goes on behind the checkpoint.
        MisconfiguredError: the hub is set up wrong; a retry after the repair goes on behind the checkpoint.
    """
    clock, held = machine_now or now, None
    entry = _archive_file(path, spool_path or str(path), header, transaction, now)
    try:
        with transaction() as session:
            claim = claims.claim(session, entry, header, machine_now=clock, lease_s=FILE_LEASE_S)
            if claim.is_first:
                begin(session)
        if claim.reply is not None:
            return _outcome(transaction, entry, claim.reply, repeat=claim.reply.result != "BUSY")
        held = claim
        with path.open("rb") as stream:
            for batch in batches(translate(stream), after=held.checkpoint, size=batch_size):
                with transaction() as session:
                    # First: who took the file over waits here for this batch, or this worker learns that it lost it.
                    claims.advance(session, held, checkpoint=batch[-1].line, machine_now=clock, lease_s=FILE_LEASE_S)
                    _keep(session, entry, batch, handle_batch(session, batch))
        with transaction() as session:
            finish(session)
            reply = file_reply(message_items.count(session, entry.number), header.correlation_id)
            claims.complete(session, held, reply)
    except RejectedError as error:
        reply = park(transaction, entry, held, error, header)
    except (UnavailableError, MisconfiguredError) as error:
        give_back(transaction, held, error)
        raise
    return _outcome(transaction, entry, reply, repeat=False)


def verdicts(entry: int, *, transaction: Transaction, but: str = "") -> tuple[ItemVerdict, ...]:
    """Return what was said of each item of a file, in the file's order; without those whose verdict is `but`.

    A file may have a million items: whoever does not need what was accepted leaves it in the database.
    """
    with transaction() as session:
        return tuple(message_items.verdicts(session, entry, but=but))


def batches(
    items: Iterable[Item[Any] | Rejection], *, after: int, size: int
) -> Iterator[Sequence[Item[Any] | Rejection]]:
    """Yield items behind line `after` in batches of about `size`; items of one line are never parted.

    Raises:
        ValueError: the lines do not ascend, so that no line could say how far the file is done.
    """
    batch: list[Item[Any] | Rejection] = []
    line = 0
    for item in items:
        if item.line < line:
            raise ValueError(f"line {item.line} comes after line {line}")
        if len(batch) >= size and item.line > line:
            yield batch
            batch = []
        line = item.line
        if line > after:
            batch.append(item)
    if batch:
        yield batch


def refusal(error: RejectedError, correlation_id: str) -> Reply:
    """Return what the sender of a rejected message is told: code, place and reason."""
    reason = f"{error.where}: {error.reason}" if error.where else error.reason
    details = error.details if isinstance(error, ManyRejectedError) else {}
    return Reply("FAILED", correlation_id, str(error.code), reason, details)


def _archive_file(
    path: Path, spool_path: str, header: Header, transaction: Transaction, now: datetime
) -> messages.Entry:
    """Return the entry of a file in the spool."""
    with path.open("rb") as stream:
        sha256 = file_digest(stream, "sha256").hexdigest()
    with transaction() as session:
        return messages.archive_file(
            session,
            spool_path,
            source=header.source,
            name=header.message_id,
            sha256=sha256,
            size=path.stat().st_size,
            received_at=now,
        )


def _keep(session: Session, entry: messages.Entry, batch: Batch, said: Sequence[ItemVerdict]) -> None:
    """Keep the verdicts of a batch.

    Raises:
        ValueError: an item got no verdict, or more than one.
    """
    if len(said) != len(batch):
        raise ValueError(f"{len(batch)} items got {len(said)} verdicts")
    message_items.add(session, entry.number, said, first=message_items.last(session, entry.number) + 1)


def file_reply(counts: Mapping[str, int], correlation_id: str) -> Reply:
    """Return the reply to a file whose items were judged one by one."""
    details = {verdict: str(number) for verdict, number in sorted(counts.items())}
    return Reply("PARTIAL" if counts.get("REJECTED") else "OK", correlation_id, details=details)


def _outcome(transaction: Transaction, entry: messages.Entry, reply: Reply, *, repeat: bool) -> FileOutcome:
    """Return what became of a file, with the counts of its items so far."""
    with transaction() as session:
        counts = message_items.count(session, entry.number)
    return FileOutcome(
        entry.number,
        reply,
        repeat,
        accepted=counts.get("ACCEPTED", 0),
        rejected=counts.get("REJECTED", 0),
        duplicates=counts.get("DUPLICATE", 0),
    )


def park(
    transaction: Transaction,
    entry: messages.Entry,
    held: claims.Claim | None,
    error: RejectedError,
    header: Header | None,
    on_park: Callable[[Session, RejectedError], None] = lambda _session, _error: None,
    at: datetime | None = None,
) -> Reply:
    """Park what was rejected, in a transaction of its own, and return what its sender is told."""
    reply = replace(refusal(error, header.correlation_id if header else ""), at=at)
    with transaction() as session:
        claims.park(session, entry, error, reply=reply, header=header, held=held)
        on_park(session, error)
    return reply


def give_back(
    transaction: Transaction, held: claims.Claim | None, error: UnavailableError | MisconfiguredError
) -> None:
    """Give the claim back, so that the carrier's retry is handled at once."""
    if held is not None:
        with transaction() as session:
            claims.release(session, held, error)
