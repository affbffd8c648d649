"""What a site decides of shipments: who is told of new meters, and who works on what is wrong with them."""

from dataclasses import dataclass

from flows.meter_rollout.policy import Policy, System

TOLD: tuple[System, ...] = ("wams", "mdms", "hes")
"""Systems that hold a meter before it is hung: asset, configuration, keys (domain 2.2)."""

MOST_IN_MESSAGE = 100
"""Meters of one message: what one refusal holds up."""


@dataclass(frozen=True, slots=True)
class ShipmentPolicy:
    """How one site takes shipments."""

    roles: tuple[str, ...] = ()
    """Roles that are told of meters, each once."""

    by_hand: tuple[str, ...] = ()
    """Systems that the site lacks, in whose place a person enters the meters."""

    queue: str = "rollout"
    """Owner of the work that shipments make."""


def policy_of(rollout: Policy) -> ShipmentPolicy:
    """Return how shipments are taken where the rollout is worked so."""
    roles = dict.fromkeys(rollout.roles[one] for one in TOLD if one in rollout.roles and one not in rollout.absent)
    by_hand = tuple(one for one in TOLD if one in rollout.manual and one not in rollout.roles)
    return ShipmentPolicy(tuple(roles), by_hand, rollout.queue)
