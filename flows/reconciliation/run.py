"""One pass of reconciliation: bring extracts in force, compare some partitions, and at the end of a round sum up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from flows.reconciliation import classify, digesting, held_now, levels, merging, orient, tracking, work_items
from flows.reconciliation.books import open_books
from flows.reconciliation.compare import unlike, unlike_kinds
from flows.reconciliation.digesting import Digests
from flows.reconciliation.links import WHOLE, broken_links
from flows.reconciliation.merging import Progress
from flows.reconciliation.policy import HUB, Policy, Profile
from flows.reconciliation.tracking import Tracked
from store import master_loads, recon_differences, recon_digests, recon_holdings, recon_runs, recon_snapshots
from store.recon_holdings import PARTITIONS
from store.session import Session, Transaction


@dataclass(frozen=True, slots=True)
class Ran:
    """What one pass did."""

    run: int = 0
    """Number of the round that it belongs to; 0 when there was nothing to compare."""

    merged: int = 0
    """Extracts that came in force."""

    refreshed: int = 0
    """Objects of the hub's own masters that were read anew and differ from before."""

    compared: int = 0
    """Partitions."""

    equal: int = 0
    """Partitions of which all digests agree."""

    found: int = 0
    opened: int = 0
    closed: int = 0
    is_round: bool = False
    """Whether the round is complete."""

    is_loading: bool = False
    """Whether nothing was done because a first-time load is open: the hub's own side is not whole."""


def run(
    policy: Policy, *, transaction: Transaction, now: datetime, whole: bool = False, progress: Progress | None = None
) -> Ran:
    """Compare the next portion, or with `whole` everything from the first partition on; a killed pass goes on later."""
    with transaction() as session:
        if master_loads.is_open(session):
            return Ran(is_loading=True)
    merged = merging.merge_all(policy, transaction=transaction, now=now, progress=progress)
    refreshed = held_now.refresh(policy, transaction=transaction, now=now, progress=progress)
    with transaction() as session:
        if not digesting.profiles_of(session, policy):
            return Ran(merged=merged, refreshed=refreshed)
        begun = recon_runs.running(session)
        if begun is None or (whole and begun["next_partition"]):
            if begun is not None:
                recon_runs.put(session, begun["number"], state="stopped", ended_at=now)
            begun = recon_runs.begin(session, now=now)
        step = merging.step_of(recon_snapshots.in_force(session).values())
    ran = Ran(run=begun["number"], merged=merged, refreshed=refreshed)
    position = begun["next_partition"]
    end = PARTITIONS if whole else min(PARTITIONS, position + policy.portion)
    while position < end:
        upto = min(position + step, end)
        with transaction() as session:
            ran = _compare(session, policy, range(position, upto), ran, now=now)
        position = upto
        if progress is not None:
            progress("comparing", position, PARTITIONS)
    if position == PARTITIONS:
        with transaction() as session:
            ran = _conclude(session, policy, ran, now=now)
    return ran


@dataclass(frozen=True, slots=True)
class _Scene:
    """What one transaction compares with."""

    policy: Policy
    profiles: Sequence[Profile]
    digests: Digests
    watermarks: Mapping[str, datetime]
    now: datetime


def _compare(session: Session, policy: Policy, partitions: range, ran: Ran, *, now: datetime) -> Ran:
    """Compare some partitions, in one transaction with what is found."""
    recon_snapshots.lock(session)
    profiles = digesting.profiles_of(session, policy)
    watermarks = {system: row["watermark"] for system, row in recon_snapshots.in_force(session).items()}
    digests = digesting.digests(session, partitions, profiles, at=now)
    scene = _Scene(policy, profiles, digests, watermarks, now)
    alive = recon_differences.partitions_alive(session, first=partitions[0], last=partitions[-1])
    total, equal = Tracked(), 0
    for partition in partitions:
        is_equal = not any(unlike_kinds(profile, partition, digests) for profile in profiles)
        equal += is_equal
        if not is_equal or partition in alive:
            total += _partition(session, partition, scene)
    done = {
        "compared": len(partitions), "equal": equal, "found": total.found, "opened": total.opened,
        "closed": total.closed,
    }  # fmt: skip
    _note(session, ran.run, done, scene, partitions)
    return replace(ran, **{name: getattr(ran, name) + more for name, more in done.items()})


def _partition(session: Session, partition: int, scene: _Scene) -> Tracked:
    """Find, judge and track what differs in one partition."""
    policy, now = scene.policy, scene.now
    found = list(unlike(session, partition, scene.profiles, scene.digests, at=now))
    held = recon_holdings.of_objects(session, {one.object_id for one in found})
    named = orient.differences(found, held, policy, at=now)
    known = open_books(session, named.values(), scene.watermarks)
    judged = [classify.judge(one, known, policy, now=now) for one in named.values()]
    live = recon_differences.live_in(session, partition)
    return tracking.track(session, partition, judged, live=live, watermarks=scene.watermarks, now=now)


def _note(session: Session, run: int, done: Mapping[str, int], scene: _Scene, partitions: Sequence[int]) -> None:
    """Keep how far the round is, and what was counted."""
    begun = recon_runs.running(session)
    totals: dict[str, Any] = dict(begun["totals"]) if begun is not None else {}
    counts = totals.setdefault("counts", {})
    for profile in scene.profiles:
        pair = counts.setdefault(f"{profile.left}:{profile.right}", {})
        for system in profile.systems:
            for partition in partitions:
                levels.count(pair, profile, system, scene.digests[(profile.id, system, partition)])
    for name, more in done.items():
        totals[name] = totals.get(name, 0) + more
    recon_runs.put(session, run, totals=totals, next_partition=partitions[-1] + 1)


def _conclude(session: Session, policy: Policy, ran: Ran, *, now: datetime) -> Ran:
    """End a round: look at links as a whole, name wrong translations, bring work up to date."""
    broken = list(broken_links(session, at=now))
    live = recon_differences.live_in(session, WHOLE)
    tracked = tracking.track(session, WHOLE, broken, live=live, watermarks={}, now=now)
    _translations(session, policy)
    recon_digests.drop_other(session, [one.id for one in digesting.profiles_of(session, policy)])
    work_items.raise_work(session, policy, now=now)
    recon_runs.put(session, ran.run, state="done", ended_at=now)
    return replace(
        ran, is_round=True, found=ran.found + tracked.found, opened=ran.opened + tracked.opened,
        closed=ran.closed + tracked.closed,
    )  # fmt: skip


def _translations(session: Session, policy: Policy) -> None:
    """Name what is no slip of single objects: a value that a system always holds as another one."""
    for group in recon_differences.translations(session, least=policy.mapping_from):
        if group["system"] == HUB:
            continue
        named = {name: str(group[name]) for name in ("system", "kind", "field", "expected", "found")}
        if recon_holdings.is_held_as(session, named["system"], named["kind"], named["field"], named["expected"]):
            continue
        why = f"{group['objects']} objects of {group['expected']!r} are all held as {group['found']!r}"
        recon_differences.translate(session, named, why=why)
