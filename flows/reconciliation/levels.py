"""Level 0: how many objects each system holds, by kind and by class, cycle and state, from the digests alone."""

from collections.abc import Mapping
from typing import Any

from flows.reconciliation.policy import Profile

Counts = dict[str, dict[str, int]]
"""Objects by label (`meter`, `agreement cycle=05`), by system."""


def count(totals: Counts, profile: Profile, system: str, kinds: Mapping[str, list[Any]]) -> None:
    """Add what one digest of one partition counts to the totals of its system."""
    own = totals.setdefault(system, {})
    for kind, (objects, _, groups) in kinds.items():
        own[kind] = own.get(kind, 0) + objects
        for label, number in groups.items():
            own[f"{kind} {label}"] = own.get(f"{kind} {label}", 0) + number


def uneven(totals: Mapping[str, Mapping[str, int]], hub: str) -> list[tuple[str, str, int, int]]:
    """Return (label, system, the hub's count, the system's) where a system counts otherwise than the hub."""
    own = totals.get(hub, {})
    return [
        (label, system, own[label], counts.get(label, 0))
        for system, counts in sorted(totals.items())
        if system != hub
        for label in sorted(own)
        if label.split(" ")[0] in counts and counts.get(label, 0) != own[label]
    ]
