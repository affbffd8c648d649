"""What a site decides of shipments: who is told of new meters, and who works on what is wrong with them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

MOST_IN_MESSAGE = 100
"""Meters of one message: what one refusal holds up."""


@dataclass(frozen=True, slots=True)
class ShipmentPolicy:
    """How one site takes shipments."""

    roles: tuple[str, ...] = ()
    """Roles that are told of meters, each once."""

    by_hand: tuple[str, ...] = ()
    """Systems that the site lacks, in whose place a person enters the meters."""

    callers: Mapping[str, Collection[str]] = field(default_factory=dict)
    """Names under which each role calls the hub, beside its own."""

    queue: str = "rollout"
    """Owner of the work that shipments make."""
