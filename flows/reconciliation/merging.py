"""Bringing a whole extract in force: partition by partition, only what differs becomes a new row."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import groupby

from flows.reconciliation import digesting
from flows.reconciliation.policy import Policy, Profile
from flows.reconciliation.views import content_of, hash_of, versions_of
from store import recon_digests, recon_holdings, recon_snapshots
from store.recon_holdings import PARTITIONS, HeldObject, StagedLine
from store.rows import Row
from store.session import Session, Transaction

AT_ONCE = 16_000
"""Objects of one system that one transaction looks at, about: memory is flat, whatever a system holds."""

Contents = Mapping[tuple[str, str], str]
"""Contents of objects by kind and id."""

Progress = Callable[[str, int, int], None]
"""Told of long work: what, how much is done, of how much."""


def merge_all(policy: Policy, *, transaction: Transaction, now: datetime, progress: Progress | None = None) -> int:
    """Bring every whole extract in force, oldest first, and return how many; one behind a newer one is dropped."""
    merged = 0
    with transaction() as session:
        waiting = recon_snapshots.unmerged(session)
    newest = {row["system"]: row["snapshot_id"] for row in waiting}
    for row in waiting:
        if newest[row["system"]] != row["snapshot_id"] and not row["merged_to"]:
            with transaction() as session:
                recon_holdings.unstage(session, row["snapshot_id"])
                recon_snapshots.put(session, row["snapshot_id"], state="past")
            continue
        merge(row, policy, transaction=transaction, now=now, progress=progress)
        merged += 1
    return merged


def merge(
    snapshot: Row, policy: Policy, *, transaction: Transaction, now: datetime, progress: Progress | None = None
) -> None:
    """Bring one whole extract in force, a few partitions at a time; it goes on where it was interrupted."""
    done, step = snapshot["merged_to"], step_of([snapshot])
    while done < PARTITIONS:
        upto = min(done + step, PARTITIONS)
        with transaction() as session:
            recon_snapshots.lock(session)
            profiles = digesting.profiles_of(session, policy, instead=snapshot)
            _merge_partitions(session, snapshot, range(done, upto), profiles, now=now)
            recon_snapshots.put(session, snapshot["snapshot_id"], merged_to=upto)
        done = upto
        if progress is not None:
            progress(f"merging {snapshot['name'] or snapshot['system']}", done, PARTITIONS)
    with transaction() as session:
        recon_snapshots.enforce(session, snapshot["snapshot_id"], snapshot["system"])


def step_of(snapshots: Iterable[Row]) -> int:
    """Return how many partitions one transaction looks at, by the lines of the largest of some extracts."""
    lines = max((lines_of(row) for row in snapshots), default=0)
    return max(1, min(128, AT_ONCE * PARTITIONS // max(lines, 1)))


def lines_of(snapshot: Row) -> int:
    """Return how many lines an extract has."""
    return sum(number for label, number in snapshot["counts"].items() if "." not in label)


def change_objects(
    session: Session,
    system: str,
    objects: Mapping[tuple[str, str], str],
    *,
    asked: Collection[tuple[str, str]],
    at: datetime,
) -> int:
    """Let a system hold other content of some objects, and return how many differ.

    `asked` are kind and id of what was looked at: what is held of it and not among `objects` is held no longer.
    """
    known = recon_holdings.hashes_of(session, system, {object_id for _, object_id in asked})
    before = {key: value for key, value in known.items() if key in asked}
    begun, ended = _differing(objects, before, is_whole=True)
    recon_holdings.change(session, system, begun=begun, ended=ended, at=at)
    names = {one.object_id for one in begun}
    names |= {object_id for (_, object_id), (row, _) in before.items() if row in ended}
    recon_digests.drop(session, system, {recon_holdings.partition_of(name) for name in names})
    return len(names)


def objects_of(lines: Sequence[StagedLine]) -> dict[tuple[str, str], str]:
    """Return the content of each object by kind and id, from lines in order of kind, id and valid time."""
    return {
        key: content_of((one.valid_from, one.valid_to, one.facts) for one in versions)
        for key, versions in groupby(lines, key=lambda line: (line.kind, line.object_id))
    }


def _merge_partitions(
    session: Session, snapshot: Row, partitions: range, profiles: Sequence[Profile], *, now: datetime
) -> None:
    """Bring some partitions of an extract in force, with their digests."""
    system, whole = snapshot["system"], not snapshot["unread"]
    staged = recon_holdings.staged(session, snapshot["snapshot_id"], partitions)
    before = recon_holdings.hashes(session, system, partitions)
    begun, ended, fresh = list[HeldObject](), set[int](), dict[int, Contents]()
    for partition in partitions:
        objects = objects_of(staged[partition])
        own_begun, own_ended = _differing(objects, before[partition], is_whole=whole)
        if own_begun or own_ended:
            fresh[partition] = objects
        begun += own_begun
        ended |= own_ended
    recon_holdings.change(session, system, begun=begun, ended=ended, at=snapshot["watermark"])
    recon_holdings.unstage(session, snapshot["snapshot_id"], partitions=partitions)
    if fresh:
        recon_digests.drop(session, system, set(fresh))
        if not whole:
            held = recon_holdings.contents(session, system, partitions)
            fresh = {partition: held[partition] for partition in fresh}
        digesting.digest(session, system, fresh, profiles, at=now)


def _differing(
    objects: Mapping[tuple[str, str], str], before: Mapping[tuple[str, str], tuple[int, str]], *, is_whole: bool
) -> tuple[list[HeldObject], set[int]]:
    """Return what begins, and the rows that end. What is lacking ends too, unless some lines could not be read."""
    begun: list[HeldObject] = []
    ended: set[int] = set()
    for (kind, object_id), content in objects.items():
        digest = hash_of(content)
        old = before.get((kind, object_id))
        if old is not None and old[1] == digest:
            continue
        if old is not None:
            ended.add(old[0])
        begun.append(HeldObject(kind, object_id, digest, content, datetime.fromisoformat(versions_of(content)[-1][0])))
    if is_whole:
        ended |= {row for key, (row, _) in before.items() if key not in objects}
    return begun, ended
