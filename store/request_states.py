"""The life of a request (domain 1.1): its states, and which may follow which. Nothing else can be written.

RECEIVED -> VALIDATED -> CREATED -> SCHEDULED -> PENDING -> ONGOING -> SUCCESSFUL | PARTIAL_SUCCESS | FAILED
ONGOING <-> WAITING (for the other side's answer), ONGOING <-> PAUSED (for what it depends on)
CREATED -> REJECTED; everything between CREATED and PAUSED -> CANCELLED; FAILED | PARTIAL_SUCCESS -> SCHEDULED (retry)
"""

from collections.abc import Collection, Mapping
from itertools import pairwise
from typing import Literal

from canonical.codes.exchange import ILLEGAL_TRANSITION
from canonical.errors import RejectedError

State = Literal[
    "RECEIVED", "VALIDATED", "CREATED", "SCHEDULED", "PENDING", "ONGOING", "WAITING", "PAUSED",
    "SUCCESSFUL", "PARTIAL_SUCCESS", "FAILED", "REJECTED", "CANCELLED",
]  # fmt: skip
FINAL: tuple[State, ...] = ("SUCCESSFUL", "PARTIAL_SUCCESS", "FAILED", "REJECTED", "CANCELLED")
OPEN: tuple[State, ...] = ("CREATED", "SCHEDULED", "PENDING", "PAUSED", "WAITING")
"""States in which a request can still be withdrawn; one that is ONGOING is being carried out at this moment."""

NEXT: Mapping[State, tuple[State, ...]] = {
    "RECEIVED": ("VALIDATED",),
    "VALIDATED": ("CREATED",),
    "CREATED": ("SCHEDULED", "REJECTED", "CANCELLED"),
    "SCHEDULED": ("PENDING", "CANCELLED"),
    "PENDING": ("ONGOING", "CANCELLED"),
    "ONGOING": ("WAITING", "PAUSED", "CANCELLED", "SUCCESSFUL", "PARTIAL_SUCCESS", "FAILED"),
    "WAITING": ("ONGOING", "CANCELLED"),
    "PAUSED": ("ONGOING", "CANCELLED"),
    "FAILED": ("SCHEDULED",),
    "PARTIAL_SUCCESS": ("SCHEDULED",),
    "SUCCESSFUL": (),
    "REJECTED": (),
    "CANCELLED": (),
}
"""What may follow each state."""

STARTED: tuple[State, ...] = ("RECEIVED", "VALIDATED", "CREATED", "SCHEDULED")
"""How a request that was checked comes to wait for its turn."""

TO_ONGOING: Mapping[State, tuple[State, ...]] = {
    "SCHEDULED": ("SCHEDULED", "PENDING", "ONGOING"),
    "PENDING": ("PENDING", "ONGOING"),
    "PAUSED": ("PAUSED", "ONGOING"),
    "WAITING": ("WAITING", "ONGOING"),
    "ONGOING": ("ONGOING",),
}
"""How a request comes to be carried out, from each state in which it may wait."""


def walk(*states: State) -> State:
    """Return the last of states that follow one another, if every step is allowed.

    Raises:
        RejectedError: one is not (ILLEGAL_TRANSITION).
    """
    for old, new in pairwise(states):
        if new not in NEXT[old]:
            raise RejectedError(f"a request does not go from {old} to {new}", code=ILLEGAL_TRANSITION)
    return states[-1]


def outcome_of(children: Collection[State]) -> State:
    """Return how a request ends whose children ended so: all well, some, none (domain 1.1)."""
    if children and all(state == "SUCCESSFUL" for state in children):
        return "SUCCESSFUL"
    good = {"SUCCESSFUL", "PARTIAL_SUCCESS"}
    return "PARTIAL_SUCCESS" if good & set(children) else "FAILED"
