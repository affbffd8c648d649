"""Handing a judged file to the spine: applied item by item, or parked whole with the reason."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from canonical.billing import ItemVerdict, Verdict
from canonical.errors import RejectedError
from canonical.messages import Header, Item, Rejection
from flows import spine
from flows.file_examination import Examined, describe
from flows.file_pass import Pass
from store import files, messages
from store.session import Session


@dataclass(frozen=True, slots=True)
class Received:
    """A file with its verdict, ready to be answered."""

    examined: Examined
    verdict: Verdict
    code: str
    reason: str
    entry: int | None = None
    """Entry number among the messages; None for a duplicate, which left no other trace than the ledger's."""

    accepted: int = 0
    rejected: int = 0
    duplicates: int = 0
    says: bytes | None = None
    """What the sender of a message is told, empty for nothing; None where the acknowledgement file says it."""


def receive(this: Pass, examined: Examined) -> Received | None:
    """Apply, park or drop a file as it was judged; None while another worker is at the very same file."""
    judgement = examined.judgement
    if judgement.act == "duplicate" and _is_message(this, examined):
        return _take_message(this, examined, examined.path)
    if judgement.act == "duplicate":
        examined.path.unlink(missing_ok=True)
        return Received(examined, "DUPLICATE", judgement.says, judgement.reason)
    path = keep(this, examined, "quarantine" if judgement.act == "refuse" else "files")
    if judgement.act == "refuse":
        return _park(this, examined, path)
    with this.transaction() as session:
        row = files.held_by(session, examined.file)
        describe(row, examined.identity)
        row.sha256, row.path = examined.sha256, relative(this, path)
        if row.state != "working":
            row.state, row.judged_at = "working", this.now
            if judgement.code is not None:
                this.tell(session, row, judgement.code, judgement.reason, alert=True)
    return _take_message(this, examined, path) if _is_message(this, examined) else _apply(this, examined, path)


def _is_message(this: Pass, examined: Examined) -> bool:
    """Whether a file is one message that can be read: it is taken by the receiver of all carriers, repeats too."""
    kind = examined.identity.kind if examined.identity is not None else ""
    return kind == "message" and this.message is not None and examined.is_open


def _take_message(this: Pass, examined: Examined, path: Path) -> Received | None:
    """Have a message taken; the receiver archives it, so the spool need not keep the file once it is answered."""
    if this.message is None:
        raise ValueError("nobody takes messages")
    taken = this.message.take(path)
    reply, judgement = taken.reply, examined.judgement
    if reply.result == "BUSY":
        return None
    with this.transaction() as session:
        entry = messages.entry_of(session, source=this.role, sha256=taken.sha256)
    if judgement.act == "duplicate":
        path.unlink(missing_ok=True)
        return Received(examined, "DUPLICATE", judgement.says, judgement.reason, entry, says=taken.answer)
    good = reply.result != "FAILED"
    verdict: Verdict = "ACCEPTED" if reply.result == "OK" else "ACCEPTED_WITH_ERRORS" if good else "REJECTED"
    return Received(examined, verdict, reply.code, reply.reason, entry, int(good), int(not good), says=taken.answer)


def _apply(this: Pass, examined: Examined, path: Path) -> Received | None:
    """Take the items in, through the handler of the file's kind."""
    context = examined.context
    handler = this.handlers[context.identity.kind]

    def items(stream: BinaryIO) -> Iterator[Item[Any] | Rejection]:
        return this.port.items(stream, identity=context.identity, where=context.name)

    def handle(session: Session, batch: Sequence[Item[Any] | Rejection]) -> Sequence[ItemVerdict]:
        return handler.handle(session, context, batch, now=this.now)

    outcome = spine.receive_file(
        path,
        header=header(this, examined),
        translate=items,
        handle_batch=handle,
        transaction=this.transaction,
        now=this.now,
        machine_now=this.machine_now,
        batch_size=this.policy.batch_size,
        spool_path=relative(this, path),
        begin=lambda session: handler.begin(session, context),
        finish=lambda session: handler.finish(session, context, now=this.now),
    )
    if outcome.reply.result == "BUSY":
        return None
    verdicts: dict[str, Verdict] = {"OK": "ACCEPTED", "PARTIAL": "ACCEPTED_WITH_ERRORS", "FAILED": "REJECTED"}
    return Received(
        examined,
        verdicts[outcome.reply.result],
        outcome.reply.code,
        outcome.reply.reason,
        outcome.entry,
        outcome.accepted,
        outcome.rejected,
        outcome.duplicates,
    )


def _park(this: Pass, examined: Examined, path: Path) -> Received:
    """Archive and park a refused file, so that it is found where everything is that was refused."""
    judgement = examined.judgement
    if judgement.code is None:
        raise ValueError("a refusal names its code")
    error = RejectedError(judgement.reason, code=judgement.code, where=examined.file.name)

    def refuse(_stream: BinaryIO) -> Iterator[Item[Any] | Rejection]:
        raise error

    outcome = spine.receive_file(
        path,
        header=header(this, examined),
        translate=refuse,
        handle_batch=lambda _session, _batch: (),
        transaction=this.transaction,
        now=this.now,
        machine_now=this.machine_now,
        spool_path=relative(this, path),
    )
    reason = judgement.reason + ("; send the whole file again under a new name" if judgement.resend else "")
    return Received(examined, "REJECTED", judgement.says, reason, outcome.entry)


def header(this: Pass, examined: Examined) -> Header:
    """Return the message header of a file: known by name and content, in order with the files of its stream."""
    file, identity = examined.file, examined.identity
    return Header(
        message_id=f"{file.name}#{examined.sha256[:12]}",
        source=this.role,
        verb="created",
        noun=identity.kind if identity else "file",
        correlation_id=file.file_id,
        lane=file.stream,
    )


def keep(this: Pass, examined: Examined, folder: str) -> Path:
    """Move a fetched file to its own place in the spool, where no later file of its name can touch it."""
    place = this.spool / folder / examined.file.file_id
    if examined.path.parent.name == examined.file.file_id:  # worked again: it has its place, in quarantine or not
        return examined.path
    place.mkdir(parents=True, exist_ok=True)
    return examined.path.replace(place / examined.path.name)


def relative(this: Pass, path: Path) -> str:
    """Return a path as the ledger keeps it, relative to the spool."""
    return str(path.relative_to(this.spool))
