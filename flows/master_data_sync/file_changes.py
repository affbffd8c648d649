"""Files of changes that a system holds (`MX_..._CHANGES_...`): applied item by item, by the same road as messages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from canonical.billing import ItemVerdict
from canonical.codes.file import BAD_FIELD
from canonical.errors import RejectedError
from canonical.holdings import FIELDS, Holding, Withdrawn
from canonical.messages import Item, Rejection
from flows.file_handling import FileContext
from flows.master_data_sync import intake
from flows.master_data_sync.held import said_of
from flows.master_data_sync.intake import Taken
from flows.master_data_sync.policy import Policy
from flows.master_data_sync.statements import Judged
from flows.reference_rows import row_of
from flows.routing.deliver import Encode, Sending
from flows.routing.routes import Routes
from store import reference
from store.master_changes import Provenance
from store.session import Session


@dataclass(frozen=True, slots=True)
class ChangesHandler:
    """Takes the items of a file of changes: Holdings and what is withdrawn."""

    policy: Policy
    routes: Routes
    encode: Encode

    def begin(self, session: Session, file: FileContext) -> None:
        """Check that the file says up to when it is true.

        Raises:
            RejectedError: its watermark is no instant (BAD_FIELD).
        """
        watermark_of(file)

    def handle(
        self, session: Session, file: FileContext, batch: Sequence[Item[Any] | Rejection], *, now: datetime
    ) -> Sequence[ItemVerdict]:
        """Apply a batch, in the order in which its things depend on each other; an item is applied whole or not at all.

        What speaks of something that is not there yet waits for it, and counts as accepted.
        """
        reference.lock(session)
        taken, verdicts = Taken(), dict[int, ItemVerdict]()
        for item in sorted((one for one in batch if isinstance(one, Item)), key=_turn):
            own, verdict = self._one(session, file, item, now=now)
            taken += own
            verdicts[item.line] = verdict
        sending = Sending(self.routes, self.encode, now)
        intake.conclude(session, taken, policy=self.policy, sending=sending, how="file")
        return [
            ItemVerdict(one.key, one.verdict, one.code, one.reason, one.line)
            if isinstance(one, Rejection)
            else verdicts[one.line]
            for one in batch
        ]

    def finish(self, session: Session, file: FileContext, *, now: datetime) -> None:
        """Nothing is left to do."""

    def _one(self, session: Session, file: FileContext, item: Item[Any], *, now: datetime) -> tuple[Taken, ItemVerdict]:
        """Apply one item and return what became of it."""
        held: Holding | Withdrawn = item.payload
        said_at = watermark_of(file)
        if held.kind == "bill_cycle_day":
            return Taken(), _cycle_day(session, file, item, said_at=said_at, now=now)
        said = said_of(held, source=file.role, file_id=file.file_id, said_at=said_at, line=item.line)
        whole = session.begin_nested()
        taken = intake.judge(session, said, policy=self.policy, now=now)
        refused = next((one for one in taken.judged if one.verdict.disposition == "REJECTED"), None)
        if refused is None:
            whole.commit()
            return taken, _verdict(item, taken.judged)
        whole.rollback()
        verdict = ItemVerdict(item.key, "REJECTED", refused.verdict.code, refused.verdict.reason, item.line)
        return Taken(judged=[Judged(refused.said, refused.verdict, None)]), verdict


def watermark_of(file: FileContext) -> datetime:
    """Return the instant, UTC, up to which every change of its sender is in a file.

    Raises:
        RejectedError: it is no instant (BAD_FIELD).
    """
    text = file.facts.header.get("watermark", "")
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise RejectedError(f"watermark {text!r} is no instant", code=BAD_FIELD, where=file.name) from error
    if instant.tzinfo is None:
        raise RejectedError(f"watermark {text!r} says no offset from UTC", code=BAD_FIELD, where=file.name)
    return instant.astimezone(UTC)


def _cycle_day(
    session: Session, file: FileContext, item: Item[Any], *, said_at: datetime, now: datetime
) -> ItemVerdict:
    """Keep one date of a bill cycle."""
    if isinstance(item.payload, Withdrawn):
        reason = "a date of a bill cycle is replaced, never withdrawn"
        return ItemVerdict(item.key, "REJECTED", str(BAD_FIELD), reason, item.line)
    table, row = row_of(item.payload)
    by = Provenance(file.role, file.file_id, said_at)
    done = reference.record(session, table, [row], now=now, by=by)
    return ItemVerdict(item.key, "DUPLICATE" if done.unchanged else "ACCEPTED", line=item.line)


def _verdict(item: Item[Any], judged: Sequence[Judged]) -> ItemVerdict:
    """Return what the sender is told of an item that is not refused: the most that became of its parts."""
    dispositions = [one.verdict.disposition for one in judged]
    remark = next((one.verdict for one in judged if one.verdict.code or one.verdict.reason), None)
    code, reason = (remark.code, remark.reason) if remark is not None else ("", "")
    if set(dispositions) == {"DUPLICATE"}:
        return ItemVerdict(item.key, "DUPLICATE", code, reason or "it is so already", item.line)
    if set(dispositions) == {"SUPERSEDED"}:
        reason = reason or "a later statement is known"
    return ItemVerdict(item.key, "ACCEPTED", code, reason, item.line)


_RANKS: Mapping[str, int] = {kind: number for number, kind in enumerate(FIELDS)}


def _turn(item: Item[Holding | Withdrawn]) -> tuple[int, int, datetime, int, int]:
    """Return when an item of a batch is applied.

    What begins goes in the order in which kinds depend on each other, then what ends in the other; installations go by
    their times, those that ended before those that last.
    """
    held = item.payload
    rank = _RANKS[held.kind]
    if isinstance(held, Withdrawn):
        return 2, -rank, held.at, 0, item.line
    ended = int(held.valid_to is not None)
    if held.kind == "installation":
        return 0, rank, held.valid_from, 1 - ended, item.line
    return ended, -rank if ended else rank, held.valid_from, 0, item.line
