"""A whole extract of one system's masters, taken in as what it holds; a cut one leaves the last whole one in force."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from canonical.billing import ItemVerdict
from canonical.codes.file import BAD_FIELD
from canonical.codes.message import NOT_REPLAYABLE
from canonical.codes.reconciliation import SNAPSHOT_OLDER
from canonical.errors import RejectedError
from canonical.holdings import Holding
from canonical.messages import Item, Rejection
from flows.file_handling import FileContext
from flows.reconciliation.views import instant_text
from store import recon_holdings, recon_snapshots
from store.recon_holdings import StagedLine
from store.session import Session


@dataclass(frozen=True, slots=True)
class SnapshotHandler:
    """Takes FULL files of masters as what their sender holds; `merging` brings them in force afterwards."""

    def begin(self, session: Session, file: FileContext) -> None:
        """Open a snapshot.

        Raises:
            RejectedError: it is older than the system's last one (SNAPSHOT_OLDER), or its watermark is no instant.
        """
        watermark = min(_watermark(file), file.received_at)  # a sender's clock that runs ahead is not believed
        last = recon_snapshots.newest(session, file.role)
        if last is not None and watermark < last["watermark"]:
            reason = f"the extract of {watermark.isoformat()} is older than that of {last['watermark'].isoformat()}"
            raise RejectedError(reason, code=SNAPSHOT_OLDER, where=file.name)
        recon_snapshots.begin(
            session, file.file_id, system=file.role, name=file.name, watermark=watermark, now=file.received_at
        )

    def handle(
        self, session: Session, file: FileContext, batch: Sequence[Item[Any] | Rejection], *, now: datetime
    ) -> Sequence[ItemVerdict]:
        """Keep the lines of a batch until the extract is whole."""
        holdings = [one.payload for one in batch if isinstance(one, Item)]
        recon_holdings.stage(session, file.file_id, [staged_line(one) for one in holdings])
        unread = sum(isinstance(one, Rejection) and one.verdict == "REJECTED" for one in batch)
        note_lines(session, file.file_id, holdings, unread=unread)
        return [
            ItemVerdict(one.key, one.verdict, one.code, one.reason, one.line)
            if isinstance(one, Rejection)
            else ItemVerdict(one.key, "ACCEPTED", line=one.line)
            for one in batch
        ]

    def finish(self, session: Session, file: FileContext, *, now: datetime) -> None:
        """Say that the extract is whole: the next pass merges it; one that was overtaken meanwhile is dropped."""
        last = recon_snapshots.newest(session, file.role)
        if last is not None and last["watermark"] > min(_watermark(file), file.received_at):
            recon_holdings.unstage(session, file.file_id)
            recon_snapshots.put(session, file.file_id, state="past")
            return
        recon_snapshots.put(session, file.file_id, state="whole")

    def again(self, session: Session, file: FileContext, *, rejected: int) -> None:
        """Forget so many unread lines: they are handed in again.

        Raises:
            RejectedError: the extract is in force already (NOT_REPLAYABLE); the system's next one says it all.
        """
        row = recon_snapshots.find(session, file.file_id)
        if row is None or row["state"] not in ("taking", "whole") or row["merged_to"]:
            raise RejectedError("the extract is in force: the next one says it all", code=NOT_REPLAYABLE)
        recon_snapshots.put(session, file.file_id, unread=row["unread"] - rejected)


def staged_line(holding: Holding) -> StagedLine:
    """Return one version as it is kept; a field that is stated empty is as one that is not stated."""
    facts = {name: value for name, value in holding.facts.items() if value}
    end = instant_text(holding.valid_to) if holding.valid_to is not None else ""
    said = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return StagedLine(holding.kind, holding.object_id, instant_text(holding.valid_from), end, said)


def note_lines(session: Session, snapshot_id: str, holdings: Iterable[Holding], *, unread: int = 0) -> None:
    """Count lines by kind, and how often each field was stated."""
    row = recon_snapshots.find(session, snapshot_id)
    counts: dict[str, int] = dict(row["counts"]) if row is not None else {}
    for holding in holdings:
        kind = holding.kind
        counts[kind] = counts.get(kind, 0) + 1
        for name, value in holding.facts.items():
            if value:
                label = f"{kind}.{name}"
                counts[label] = counts.get(label, 0) + 1
    before = row["unread"] if row is not None else 0
    recon_snapshots.put(session, snapshot_id, counts=counts, unread=before + unread)


def _watermark(file: FileContext) -> datetime:
    """Return the instant up to which the sender's changes are in the file.

    Raises:
        RejectedError: its header states none that can be read (BAD_FIELD).
    """
    said = file.facts.header.get("watermark", "")
    try:
        found = datetime.fromisoformat(said)
    except ValueError as error:
        raise RejectedError(f"watermark {said!r} is no instant", code=BAD_FIELD, where=file.name) from error
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
