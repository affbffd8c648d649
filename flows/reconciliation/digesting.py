"""Which systems are compared how, and the digests of what they hold, made when a partition changed or time went on."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from flows.reconciliation.policy import HUB, Policy, Profile, profile_of
from flows.reconciliation.views import digests_of, instant_text
from store import recon_digests, recon_holdings, recon_snapshots
from store.recon_digests import Key
from store.rows import Row
from store.session import Session

Digests = dict[Key, dict[str, Any]]


def profiles_of(session: Session, policy: Policy, *, instead: Row | None = None) -> list[Profile]:
    """Return every comparison of systems that wrote an extract; `instead` is one that is being brought in force."""
    snapshots = recon_snapshots.in_force(session)
    if instead is not None:
        snapshots[instead["system"]] = instead
    stated = {system: row["counts"] for system, row in snapshots.items()}
    pairs = [(HUB, system) for system in sorted(stated) if system != HUB]
    pairs += [pair for pair in policy.pairs if HUB not in pair]
    return [profile_of(policy, left, right, stated) for left, right in pairs if left in stated and right in stated]


def digest(
    session: Session,
    system: str,
    partition: int,
    contents: Mapping[tuple[str, str], str],
    profiles: Sequence[Profile],
    *,
    at: datetime,
) -> Digests:
    """Make and keep the digests of one partition of one system for each comparison that it is part of."""
    rows = []
    for profile in profiles:
        if system not in profile.systems:
            continue
        kinds, good_until = digests_of(contents, profile, system, instant_text(at))
        until = datetime.fromisoformat(good_until) if good_until else None
        rows.append(((profile.id, system, partition), kinds, until))
    recon_digests.keep(session, rows)
    return {key: kinds for key, kinds, _ in rows}


def digests(session: Session, partitions: Collection[int], profiles: Sequence[Profile], *, at: datetime) -> Digests:
    """Return the digests of some partitions for every comparison, making those that are missing or too old."""
    found = recon_digests.of(session, [one.id for one in profiles], partitions, at=at)
    for partition in partitions:
        for system in sorted({name for one in profiles for name in one.systems}):
            lacking = [one for one in profiles if system in one.systems and (one.id, system, partition) not in found]
            if lacking:
                contents = recon_holdings.contents(session, system, partition)
                found |= digest(session, system, partition, contents, lacking, at=at)
    return found
