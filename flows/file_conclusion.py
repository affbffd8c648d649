"""Closing a file: its verdict, its acknowledgement and its problems, in one transaction; or holding it, with none."""

from datetime import datetime

from canonical.billing import FileAcknowledgement, ItemVerdict
from canonical.codes import ALL
from canonical.codes.transport import RESEND_REQUESTED
from canonical.documents import FileAnswer
from canonical.errors import ErrorCode
from canonical.ids import mint
from canonical.messages import Header, Message, Parcel
from flows import spine
from flows.file_examination import Examined, describe
from flows.file_handling import TakenFile
from flows.file_pass import Pass
from flows.file_reception import Received, keep, relative
from store import deliveries, files
from store.files import IntakeFile
from store.session import Session

STATES = {
    "ACCEPTED": "accepted",
    "ACCEPTED_WITH_ERRORS": "accepted_with_errors",
    "REJECTED": "rejected",
    "DUPLICATE": "duplicate",
}


def conclude(this: Pass, received: Received | None) -> TakenFile | None:
    """Record what became of a file and enqueue its acknowledgement; None while another worker is at it.

    An acknowledgement is never acknowledged.
    """
    if received is None:
        return None
    file = received.examined.file
    answer = None if received.examined.is_answer or received.says == b"" else _answer(this, received)
    with this.transaction() as session:
        row = files.held_by(session, file)
        describe(row, received.examined.identity)
        row.in_sequence = _counts_in_sequence(session, row, received)
        row.state, row.verdict = STATES[received.verdict], received.verdict
        row.code, row.reason, row.entry = received.code, received.reason, received.entry
        row.sha256, row.judged_at, row.leased_until = received.examined.sha256, row.judged_at or this.now, None
        row.counts = counts_of(received)
        if answer is not None:
            header, parcel = answer
            row.delivery_id = deliveries.enqueue(
                session, header=header, parcel=parcel, destination=this.role, now=this.now
            )
        _tell(this, session, row, received)
        session.flush()
        place = row.path
    if received.says is not None and place and not file.replays:
        # The message's own archive has the bytes; a file that a person has handled again is kept by its refusal.
        (this.spool / place).unlink(missing_ok=True)
    return TakenFile(
        file.file_id,
        file.name,
        row.kind,
        received.verdict,
        received.code,
        received.reason,
        received.accepted,
        received.rejected,
        received.duplicates,
    )


def _answer(this: Pass, received: Received) -> tuple[Header, Parcel]:
    """Return the acknowledgement as it will go out; made before the transaction that enqueues it."""
    file = received.examined.file
    with this.transaction() as session:
        judged_at = files.held_by(session, file).judged_at or file.first_seen_at
    said: tuple[ItemVerdict, ...] = ()
    if received.entry is not None:
        identity = received.examined.identity
        # All that a large file's sender needs to hear is what was not plainly accepted.
        but = "" if identity is not None and identity.kind == "request" else "ACCEPTED"
        said = spine.verdicts(received.entry, transaction=this.transaction, but=but)
    return acknowledgement(this, received, said, judged_at=judged_at)


def acknowledgement(
    this: Pass, received: Received, said: tuple[ItemVerdict, ...], *, judged_at: datetime
) -> tuple[Header, Parcel]:
    """Return what the sender of a file is told; a file that a person had handled again is answered again."""
    file, identity = received.examined.file, received.examined.identity
    again = (file.replays,) if file.replays else ()
    header = Header(
        message_id=mint("file_acknowledgement", file.role, file.name, file.arrival, *again),
        source=this.policy.receiver,
        verb="reply",
        noun="FileAcknowledgement",
        correlation_id=file.file_id,
        created_at=judged_at,
    )
    if received.says is not None:
        return header, this.port.encode(Message(header, FileAnswer(file.name, received.says)), spool=this.spool)
    payload = FileAcknowledgement(
        file_name=file.name,
        sha256=received.examined.sha256,
        verdict=received.verdict,
        code=received.code,
        reason=received.reason,
        items=said if identity is not None and identity.kind == "request" else _errors(said),
        at=judged_at,
    )
    return header, this.port.encode(Message(header, payload), spool=this.spool)


def _errors(said: tuple[ItemVerdict, ...]) -> tuple[ItemVerdict, ...]:
    """Return the verdicts that are not plain acceptance: all that a large file's sender needs to hear."""
    return tuple(verdict for verdict in said if verdict.verdict != "ACCEPTED")


def _counts_in_sequence(session: Session, row: IntakeFile, received: Received) -> bool:
    """Whether the file's number counts as taken.

    A refused file uses its number up only where it was the next one: a wild number in a damaged file must not make
    every later file look old.
    """
    if row.sequence is None:
        return False
    if received.verdict in ("ACCEPTED", "ACCEPTED_WITH_ERRORS"):
        return True
    last = files.place_in_stream(session, row).last
    return last is not None and row.sequence == last + 1


def counts_of(received: Received) -> dict[str, int]:
    """Return the counts that the ledger shows."""
    facts = received.examined.facts
    counts = {"accepted": received.accepted, "rejected": received.rejected, "duplicates": received.duplicates}
    return counts | ({f"records.{kind}": count for kind, count in facts.records.items()} if facts else {})


def _tell(this: Pass, session: Session, row: IntakeFile, received: Received) -> None:
    """Tell of a refused file or of a content that came twice; the same file again is nobody's problem."""
    code = _code(received.code)
    if received.verdict in ("ACCEPTED", "ACCEPTED_WITH_ERRORS") or code is None or code.severity == "INFO":
        return
    if received.says is not None:  # its receiver has parked it and told of it
        return
    this.tell(session, row, code, received.reason)
    if received.examined.judgement.resend:
        this.tell(session, row, RESEND_REQUESTED, f"refused with {received.code}; asked for again")


def _code(text: str) -> ErrorCode | None:
    """Return the catalogue entry that a text such as `7004 TRAILER_MISMATCH` names."""
    return ALL.get(text[:4])


def hold(this: Pass, examined: Examined) -> None:
    """Keep a file unapplied until its turn comes, a person releases it, or its waiting time ends.

    Told when it begins, and once more when the waiting time ends.
    """
    judgement = examined.judgement
    path = keep(this, examined, "files")
    with this.transaction() as session:
        row = files.held_by(session, examined.file)
        is_new = row.state != "held" or row.code != judgement.says
        describe(row, examined.identity)
        row.state, row.held_since = "held", row.held_since or this.now
        row.sha256, row.path, row.leased_until = examined.sha256, relative(this, path), None
        row.code, row.reason = judgement.says, judgement.reason
        if judgement.code is not None and (is_new or (judgement.alert and not row.alerted)):
            this.tell(session, row, judgement.code, judgement.reason, alert=judgement.alert)
        row.alerted = row.alerted or judgement.alert
        session.flush()
