"""The hub's own side: what its masters hold; whole at first and after a load, else object by object from the log."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import cast

from canonical.holdings import FIELDS, Holding, Kind
from canonical.ids import mint
from flows.holdings import held_by_hub
from flows.reconciliation import merging
from flows.reconciliation.merging import Progress
from flows.reconciliation.policy import HUB, Policy
from flows.reconciliation.snapshot import note_lines, staged_line
from store import master_changes, recon_holdings, recon_snapshots
from store.rows import Row
from store.session import Session, Transaction

_BATCH = 2000
_LINES = 2000
"""Lines of the change log that one transaction follows."""


def refresh(
    policy: Policy,
    *,
    transaction: Transaction,
    now: datetime,
    whole: bool = False,
    progress: Progress | None = None,
) -> int:
    """Bring the hub's side up to date and return how many objects differ from before; all of them count after a load.

    `whole`: everything is read again, whatever the log says.
    """
    with transaction() as session:
        before = recon_snapshots.in_force(session).get(HUB)
    if before is None or whole:
        return _read_whole(policy, transaction=transaction, now=now, progress=progress)
    position, differing = before["log_position"], 0
    while True:
        with transaction() as session:
            lines = master_changes.after(session, position, limit=_LINES)
            if any(line["kind"] == "load" for line in lines):
                break
            differing += _follow(session, lines, now=now)
            position = lines[-1]["sequence"] if lines else position
            recon_snapshots.put(session, before["snapshot_id"], log_position=position, watermark=now)
        if len(lines) < _LINES:
            return differing
    return _read_whole(policy, transaction=transaction, now=now, progress=progress)


def _follow(session: Session, lines: Iterable[Row], *, now: datetime) -> int:
    """Read again what lines of the log are about, and return how many objects differ."""
    named: dict[str, set[str]] = {}
    for line in lines:
        named.setdefault(line["kind"], set()).add(line["object_id"])
    found: dict[tuple[str, str], str] = {}
    asked: set[tuple[str, str]] = set()
    for kind in FIELDS:
        if kind not in named:
            continue
        rows = sorted(staged_line(one) for one in held_by_hub(session, kind, objects=named[kind]))
        found |= merging.objects_of(rows)
        asked |= {(kind, object_id) for object_id in named[kind]}
    return merging.change_objects(session, HUB, found, asked=asked, at=now) if asked else 0


def _read_whole(policy: Policy, *, transaction: Transaction, now: datetime, progress: Progress | None = None) -> int:
    """Take a snapshot of the hub's own masters, as of any other system, and bring it in force."""
    snapshot_id = mint("recon-hub", now)
    with transaction() as session:
        position = master_changes.last(session)
        _clear(session, snapshot_id)
        recon_snapshots.begin(session, snapshot_id, system=HUB, name="", watermark=now, now=now)
    number = 0
    for kind in FIELDS:
        number += _stage_kind(snapshot_id, kind, transaction=transaction)
        if progress is not None:
            progress("reading the hub's masters", list(FIELDS).index(kind) + 1, len(FIELDS))
    with transaction() as session:
        recon_snapshots.put(session, snapshot_id, state="whole", log_position=position)
        row = cast(Row, recon_snapshots.find(session, snapshot_id))
    merging.merge(row, policy, transaction=transaction, now=now, progress=progress)
    return number


def _stage_kind(snapshot_id: str, kind: Kind, *, transaction: Transaction) -> int:
    """Stage everything that the hub holds of a kind, and return the number of versions."""
    number = 0
    with transaction() as session:
        for batch in _batches(held_by_hub(session, kind)):
            recon_holdings.stage(session, snapshot_id, [staged_line(one) for one in batch])
            note_lines(session, snapshot_id, batch)
            number += len(batch)
    return number


def _clear(session: Session, snapshot_id: str) -> None:
    """Drop what an interrupted look left behind."""
    for row in recon_snapshots.listed(session, system=HUB, states=("taking", "whole")):
        recon_holdings.unstage(session, row["snapshot_id"])
        recon_snapshots.drop(session, row["snapshot_id"])
    recon_snapshots.drop(session, snapshot_id)


def _batches(things: Iterator[Holding]) -> Iterator[list[Holding]]:
    while batch := list(islice(things, _BATCH)):
        yield batch
