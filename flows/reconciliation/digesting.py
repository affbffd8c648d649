"""Which systems are compared how, and the digests of what they hold, made when a partition changed or time went on."""

from collections.abc import Mapping, Sequence
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
    contents: Mapping[int, Mapping[tuple[str, str], str]],
    profiles: Sequence[Profile],
    *,
    at: datetime,
) -> Digests:
    """Make and keep the digests of what one system holds, by partition, for each comparison that it is part of."""
    rows = []
    for profile in profiles:
        if system not in profile.systems:
            continue
        for partition, held in contents.items():
            kinds, good_until = digests_of(held, profile, system, instant_text(at))
            until = datetime.fromisoformat(good_until) if good_until else None
            rows.append(((profile.id, system, partition), kinds, until))
    recon_digests.keep(session, rows)
    return {key: kinds for key, kinds, _ in rows}


def digests(session: Session, partitions: range, profiles: Sequence[Profile], *, at: datetime) -> Digests:
    """Return the digests of some partitions for every comparison, making those that are missing or too old."""
    found = recon_digests.of(session, [one.id for one in profiles], partitions, at=at)
    for system in sorted({name for one in profiles for name in one.systems}):
        for profile in profiles:
            if system not in profile.systems:
                continue
            lacking = [one for one in partitions if (profile.id, system, one) not in found]
            if lacking:
                held = recon_holdings.contents(session, system, range(lacking[0], lacking[-1] + 1))
                found |= digest(session, system, {one: held[one] for one in lacking}, [profile], at=at)
    return found
