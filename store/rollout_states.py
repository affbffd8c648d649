"""The lives of a wave and of an exchange order (domain 2.2): what may follow each state. Nothing else can be written.

Wave:  DRAFT -> PLANNED -> FROZEN -> RELEASED -> RUNNING <-> PAUSED -> COMPLETED -> CLOSED; before COMPLETED -> ABORTED
Order: PLANNED -> ELIGIBLE | EXCLUDED; ELIGIBLE -> RELEASED -> DISPATCHED -> DONE_IN_FIELD | UNABLE
       DONE_IN_FIELD -> VALIDATED | REJECTED; VALIDATED -> CIS_EXCHANGED -> ... -> CERTIFIED -> CLOSED
"""

from collections.abc import Collection, Mapping
from typing import get_args

from canonical.codes.rollout_waves import ROLLOUT_STATE
from canonical.errors import RejectedError
from canonical.rollout import OrderState, WaveState

NEXT_OF_WAVE: Mapping[WaveState, tuple[WaveState, ...]] = {
    "DRAFT": ("PLANNED", "ABORTED"),
    "PLANNED": ("DRAFT", "FROZEN", "ABORTED"),
    "FROZEN": ("RELEASED", "PAUSED", "ABORTED"),
    "RELEASED": ("RUNNING", "PAUSED", "COMPLETED", "ABORTED"),
    "RUNNING": ("PAUSED", "COMPLETED", "ABORTED"),
    "PAUSED": ("FROZEN", "RELEASED", "RUNNING", "ABORTED"),
    "COMPLETED": ("RUNNING", "CLOSED"),
    "CLOSED": (),
    "ABORTED": (),
}
"""What may follow each state of a wave. A wave that is planned again is a DRAFT until its plan is whole; a paused one
goes back to what it was; a completed one runs again when an exchange of it is corrected."""

PLANS: tuple[OrderState, ...] = ("PLANNED", "ELIGIBLE", "EXCLUDED", "CANCELLED")
"""Nothing of it is in the field."""

FIELD: tuple[OrderState, ...] = ("RELEASED", "DISPATCHED", "UNABLE")
"""A crew has it, or it waits for another visit."""

JUDGED: tuple[OrderState, ...] = ("DONE_IN_FIELD", "REJECTED")
"""The field says that it is done; the hub does not believe it yet."""

TOLD: tuple[OrderState, ...] = (
    "VALIDATED", "CIS_EXCHANGED", "MDM_SYNCED", "HES_COMMISSIONED", "HEARD", "VERIFIED", "CERTIFIED",
)  # fmt: skip
"""The exchange is a fact, and the systems are being told, in this order unless one of them has to wait."""

INTERRUPTED: tuple[OrderState, ...] = ("ON_HOLD", "CORRECTING")
"""The order remembers the state that they interrupt."""

FINAL: tuple[OrderState, ...] = ("CLOSED", "EXCLUDED", "CANCELLED", "REVERSED")
"""Nobody has anything left to do."""

BEFORE_VISIT: tuple[OrderState, ...] = (*PLANS, *FIELD, "ON_HOLD")
"""From each of these, what the field reports is one more visit."""

OPEN: tuple[OrderState, ...] = tuple(state for state in get_args(OrderState) if state not in FINAL)
"""States in which an order holds its usage point: no other wave may plan it."""

_VISITED: tuple[OrderState, ...] = ("DONE_IN_FIELD", "UNABLE")
_BY_PERSON: tuple[OrderState, ...] = ("ON_HOLD", "CORRECTING", "REVERSED")


def _following() -> dict[OrderState, tuple[OrderState, ...]]:
    """Return what may follow each state of an order.

    The field may do what nobody asked for yet, or any more: it is recorded, and judged afterwards (EX18). The systems
    may be told in another order than the drawn one: a state of TOLD may follow any other of them, backward only by
    way of CORRECTING or ON_HOLD, since what a system confirmed stays confirmed.
    """
    following: dict[OrderState, tuple[OrderState, ...]] = {
        "PLANNED": ("ELIGIBLE", "EXCLUDED", "CANCELLED", *_VISITED),
        "ELIGIBLE": ("RELEASED", "EXCLUDED", "CANCELLED", "ON_HOLD", *_VISITED),
        "EXCLUDED": _VISITED,
        "CANCELLED": _VISITED,
        "RELEASED": ("DISPATCHED", "ELIGIBLE", "CANCELLED", "ON_HOLD", *_VISITED),
        "DISPATCHED": ("ELIGIBLE", "CANCELLED", "ON_HOLD", *_VISITED),
        "UNABLE": ("ELIGIBLE", "CANCELLED", "ON_HOLD", *_VISITED),
        "DONE_IN_FIELD": ("VALIDATED", "REJECTED", "UNABLE", *_BY_PERSON),
        "REJECTED": ("DONE_IN_FIELD", "VALIDATED", "UNABLE", "ELIGIBLE", "CANCELLED", *_BY_PERSON),
        "CLOSED": ("CORRECTING", "REVERSED"),
        "REVERSED": ("DONE_IN_FIELD", "CORRECTING"),
        "ON_HOLD": tuple(state for state in get_args(OrderState) if state not in ("PLANNED", "ON_HOLD")),
        "CORRECTING": (*JUDGED, *TOLD, "CLOSED", "UNABLE", "ELIGIBLE", "CANCELLED", "ON_HOLD", "REVERSED"),
    }
    for place, state in enumerate(TOLD):
        following[state] = (*TOLD[place + 1 :], "CLOSED", "REJECTED", *_BY_PERSON)
    return following


NEXT_OF_ORDER: Mapping[OrderState, tuple[OrderState, ...]] = _following()
"""What may follow each state of an order; the same state again is no step, and allowed."""


def check_wave(old: str, new: WaveState, *, wave: str) -> None:
    """Refuse a step of a wave that is not allowed.

    Raises:
        RejectedError: it is not (ROLLOUT_STATE).
    """
    allowed: Collection[str] = next((after for state, after in NEXT_OF_WAVE.items() if state == old), ())
    if new not in allowed:
        then = f"it can become {', '.join(allowed)}" if allowed else "it has ended"
        raise RejectedError(f"wave {wave!r} is {old} and cannot become {new}; {then}", code=ROLLOUT_STATE)


def check_order(old: str, new: OrderState, *, order: str) -> None:
    """Refuse a step of an order that is not allowed.

    Raises:
        RejectedError: it is not (ROLLOUT_STATE).
    """
    allowed: Collection[str] = next((after for state, after in NEXT_OF_ORDER.items() if state == old), ())
    if new != old and new not in allowed:
        raise RejectedError(f"order {order} is {old} and cannot become {new}", code=ROLLOUT_STATE)
