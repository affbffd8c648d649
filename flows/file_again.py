"""A file that came in before, handled again because a person says so: the refused file whole, or its rejected items.

The bytes are those in our spool, the entry and its id stay, each time is a new attempt, and the sender is told anew.
"""

from pathlib import Path

from canonical.billing import ItemVerdict, Verdict
from canonical.codes.message import NOT_REPLAYABLE
from canonical.errors import HubError, RejectedError
from canonical.messages import Item, Rejection
from flows import spine
from flows.file_conclusion import STATES, acknowledgement, counts_of
from flows.file_examination import Examined
from flows.file_handling import CountsRejected, TakenFile
from flows.file_intake import work_on
from flows.file_judgement import APPLY
from flows.file_pass import Pass
from flows.file_reception import Received
from store import acts, claims, deliveries, file_history, files, message_items, messages, parked, work
from store.files import APPLIED, IntakeFile
from store.session import Session


def take_again(this: Pass, entry: int, *, path: str, line: int = 0, by: str) -> TakenFile:
    """Judge a refused file again and apply it, or hand the rejected items (of one `line`, where named) in again.

    The person answers for date and sequence of a refused file; damage and bad items are judged as ever.

    Raises:
        RejectedError: no file is this entry, or there is nothing in it to handle again (NOT_REPLAYABLE).
        UnavailableError: another worker is at it.
    """
    with this.transaction() as session:
        file = file_history.of_entry(session, entry)
    if file is None:
        raise RejectedError(f"no file is entry {entry}", code=NOT_REPLAYABLE)
    taken = (
        _items(this, file, entry, line=line, by=by) if file.state in APPLIED else _whole(this, file, entry, path, by)
    )
    if taken.verdict in ("ACCEPTED", "ACCEPTED_WITH_ERRORS"):
        _settle(this, file, by)
    return taken


def _whole(this: Pass, file: IntakeFile, entry: int, path: str, by: str) -> TakenFile:
    """Work a refused file once more; whatever cuts this, the next pass over its inbox goes on."""
    with this.transaction() as session:
        parked.reopen(session, entry, by=by, now=this.now)
        file_history.reopen(session, file.file_id, path=path, person=by)
        mine = files.claim(session, file.file_id, machine_now=this.machine_now, lease_s=this.policy.lease_s)
    if mine is None:
        raise RejectedError(f"another worker is at {file.name}", code=NOT_REPLAYABLE, where=file.role)
    try:
        done = work_on(this, mine, None)
    except HubError:
        with this.transaction() as session:
            files.let_go(session, mine)
        raise
    if done is None:
        raise RejectedError(f"{file.name} is not whole", code=NOT_REPLAYABLE, where=file.role)
    with this.transaction() as session:
        files.retire(session, file.file_id, now=this.now)
    return done


def _items(this: Pass, file: IntakeFile, entry: int, *, line: int, by: str) -> TakenFile:
    """Hand the rejected items of a file to its handler again; their verdicts, counts and answer are one transaction."""
    with this.transaction() as session:
        wanted = message_items.rejected(session, entry, line=line)
    if not wanted:
        raise RejectedError(f"{file.name} has no such rejected item", code=NOT_REPLAYABLE, where=file.role)
    examined, batch = _read(this, file, wanted)
    handler, context = this.handlers[file.kind], examined.context
    with this.transaction() as session:
        row = files.locked(session, file.file_id)
        if row.replays != file.replays:
            raise RejectedError(f"another person is at {file.name}", code=NOT_REPLAYABLE, where=file.role)
        if isinstance(handler, CountsRejected):
            handler.again(session, context, rejected=len(batch))
        said = handler.handle(session, context, batch, now=this.now)
        message_items.replace(session, entry, dict(zip(wanted, said, strict=True)))
        row.replays += 1
        received = _judged(
            session, entry, Examined(row, examined.path, row.sha256, APPLY, examined.identity, examined.facts)
        )
        _conclude(this, session, row, received, entry)
        better = sum(one.verdict != "REJECTED" for one in said)
        acts.note(session, str(entry), "replayed", by=by, reason=f"{better} of {len(said)} items taken", at=this.now)
    return TakenFile(
        file.file_id, file.name, file.kind, received.verdict, "", f"{better} of {len(said)} items taken now",
        received.accepted, received.rejected, received.duplicates,
    )  # fmt: skip


def _read(this: Pass, file: IntakeFile, wanted: list[int]) -> tuple[Examined, list[Item[object] | Rejection]]:
    """Read a file of the spool once more: what it is, and the items at some positions."""
    path, positions = this.spool / file.path, set(wanted)
    if not Path(path).is_file():
        raise RejectedError(f"{file.path} is gone from the spool", code=NOT_REPLAYABLE, where=file.role)
    identity = this.port.identify(file.name)
    with path.open("rb") as stream:
        facts = this.port.examine(stream, identity=identity, where=file.name)
    with path.open("rb") as stream:
        items = enumerate(this.port.items(stream, identity=identity, where=file.name), 1)
        batch = [item for number, item in items if number in positions]
    return Examined(file, path, file.sha256, APPLY, identity, facts), batch


def _judged(session: Session, entry: int, examined: Examined) -> Received:
    """Return how a file stands by what was said of its items."""
    counts = message_items.count(session, entry)
    verdict: Verdict = "ACCEPTED_WITH_ERRORS" if counts.get("REJECTED") else "ACCEPTED"
    accepted, rejected, duplicates = (counts.get(name, 0) for name in ("ACCEPTED", "REJECTED", "DUPLICATE"))
    return Received(examined, verdict, "", "", entry, accepted, rejected, duplicates)


def _conclude(this: Pass, session: Session, row: IntakeFile, received: Received, entry: int) -> None:
    """Write how the file stands now, and tell its sender; a later repeat of the file is told the same."""
    row.state, row.verdict, row.counts = STATES[received.verdict], received.verdict, counts_of(received)
    attempt = messages.begin_attempt(session, entry, at=this.now)
    messages.end_attempt(session, attempt, "done")
    claims.answer_anew(session, entry, spine.file_reply(message_items.count(session, entry), row.file_id))
    verdicts: tuple[ItemVerdict, ...] = tuple(message_items.verdicts(session, entry))
    header, parcel = acknowledgement(this, received, verdicts, judged_at=this.now)
    row.delivery_id = deliveries.enqueue(session, header=header, parcel=parcel, destination=this.role, now=this.now)


def _settle(this: Pass, file: IntakeFile, by: str) -> None:
    """Resolve the work that the refused file was."""
    with this.transaction() as session:
        names = {row["work_id"] for row in work.open_of_key(session, f"{file.role}/{file.name}")}
        reason = f"handled again by {by}, and taken"
        work.act(session, names, "resolved", state="RESOLVED", by="hub", reason=reason, now=this.now)
