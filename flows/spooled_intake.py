"""One message too large to be held: archived as a file, read as a stream, taken in batches, answered as a whole."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from canonical.billing import ItemVerdict
from canonical.errors import MisconfiguredError, RejectedError, UnavailableError
from canonical.messages import Header, Item, Message, Reply
from flows import spine
from store import claims, message_items, messages
from store.messages import Entry
from store.session import Session, Transaction


@dataclass(frozen=True, slots=True)
class SpooledFile:
    """Where a message lies, and what its bytes are."""

    path: str
    """Relative to the spool."""

    sha256: str
    size: int


def receive_spooled(
    file: SpooledFile,
    *,
    source: str,
    header: Callable[[], Header],
    items: Callable[[], Iterator[Item[Any]]],
    handle: Callable[[Session, Message[Any]], Reply],
    transaction: Transaction,
    now: datetime,
    machine_now: Callable[[], datetime],
    on_park: Callable[[Session, RejectedError], None] = lambda _session, _error: None,
) -> Reply:
    """Take one message from the spool to its reply, in bounded memory.

    `items` yields its parts in order, each with the number of its last object as `line`, and is read twice: first to
    the end without any effect, so that a message that breaks its rules anywhere is refused whole; then each part is
    handled in a transaction of its own, which holds its number as the checkpoint. After a crash the sender's repeat
    goes on behind it. The reply adds up what `handle` said of the parts.

    Raises:
        UnavailableError: the carrier retries, and the retry goes on behind the checkpoint.
        MisconfiguredError: the hub is set up wrong; a retry after the repair goes on behind the checkpoint.
    """
    with transaction() as session:
        entry = messages.archive_file(
            session, file.path, source=source, name="", sha256=file.sha256, size=file.size, received_at=now
        )
    told, held = None, None
    try:
        told = header()
        with transaction() as session:
            lease_s = spine.FILE_LEASE_S
            claim = claims.claim(session, entry, told, machine_now=machine_now(), lease_s=lease_s)
        if claim.reply is not None:
            return claim.reply
        held = claim
        if claim.checkpoint == 0:
            _read_through(items())
        for item in items():
            if item.line > claim.checkpoint:
                _take(item, Message(told, item.payload), entry, held, handle, transaction, machine_now)
        with transaction() as session:
            reply = replace(_whole(message_items.verdicts(session, entry.number), told.correlation_id), at=now)
            claims.complete(session, held, reply)
    except RejectedError as error:
        return spine.park(transaction, entry, held, error, told, on_park, at=now)
    except (UnavailableError, MisconfiguredError) as error:
        spine.give_back(transaction, held, error)
        raise
    return reply


def _read_through(items: Iterable[Item[Any]]) -> None:
    """Read every part and keep none: what is wrong anywhere is raised before anything was done."""
    for _ in items:
        pass


def _take(
    item: Item[Any],
    part: Message[Any],
    entry: Entry,
    held: claims.Claim,
    handle: Callable[[Session, Message[Any]], Reply],
    transaction: Transaction,
    machine_now: Callable[[], datetime],
) -> None:
    """Handle one part; its effects, what was said of it, and the checkpoint are one transaction."""
    with transaction() as session:
        claims.advance(session, held, checkpoint=item.line, machine_now=machine_now(), lease_s=spine.FILE_LEASE_S)
        said = handle(session, part)
        verdict = ItemVerdict(
            item.key, "ACCEPTED" if said.result == "OK" else "REJECTED", said.code, _kept(said), item.line
        )
        message_items.add(session, entry.number, [verdict], first=message_items.last(session, entry.number) + 1)


def _kept(said: Reply) -> str:
    """Return what was said of one part as text: its counts, and its reason behind them."""
    counts = " ".join(f"{name}={text}" for name, text in sorted(said.details.items()) if text.isdigit())
    outcome = f"{said.result} {counts}".strip()
    return f"{outcome}; {said.reason}" if said.reason else outcome


def _whole(verdicts: Iterable[ItemVerdict], correlation_id: str) -> Reply:
    """Return the reply to a message whose parts were handled one by one."""
    counts: dict[str, int] = {}
    results: set[str] = set()
    code = reason = ""
    for one in verdicts:
        outcome, _, why = one.reason.partition("; ")
        result, *pairs = outcome.split(" ")
        results.add(result)
        for pair in pairs:
            name, _, number = pair.rpartition("=")
            counts[name] = counts.get(name, 0) + int(number)
        if one.code and not code:
            code, reason = one.code, why
    details: Mapping[str, str] = {name: str(number) for name, number in sorted(counts.items())}
    if results <= {"OK"}:
        return Reply("OK", correlation_id, details=details)
    return Reply("FAILED" if results == {"FAILED"} else "PARTIAL", correlation_id, code, reason, details)
