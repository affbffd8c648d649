"""Freezing a wave: its list is a snapshot from then on, and its hash proves that nothing of it was changed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from canonical.codes.rollout_waves import APPROVAL_MISSING, IN_OTHER_WAVE, ROLLOUT_STATE
from canonical.errors import RejectedError
from flows.meter_rollout.rules import rules_from
from store import rollout_plans, rollout_waves
from store.rollout_states import check_wave
from store.session import Transaction


@dataclass(frozen=True, slots=True)
class Frozen:
    """The snapshot of a wave."""

    wave: str
    list_sha256: str
    eligible: int
    excluded: int


def freeze(wave: str, *, transaction: Transaction, now: datetime, by: str) -> Frozen:
    """Fix the list of a planned wave. What another wave froze in the meantime is excluded, with the reason.

    Raises:
        RejectedError: the wave is not planned, is frozen, or has nobody on its list (ROLLOUT_STATE); there is none
            (WAVE_UNKNOWN); a person has to freeze it (APPROVAL_MISSING).
    """
    with transaction() as session:
        # All waves are held: of two that want the same usage point, whoever freezes first has it.
        standing = {row["wave"]: row for row in rollout_waves.listed(session, lock=True)}.get(wave)
        standing = standing or rollout_waves.find(session, wave)
        check_wave(standing["state"], "FROZEN", wave=wave)
        if by in ("", "hub") and "plan" in rules_from(standing["rules"]).approvals:
            raise RejectedError("that the list is frozen is a person's decision", code=APPROVAL_MISSING)
        reason = "another wave was frozen with an order there"
        rollout_plans.exclude_taken(session, wave, code=str(IN_OTHER_WAVE), reason=reason)
        rollout_plans.freeze(session, wave, now=now, by=by)
        digest = sha_of(rollout_plans.frozen_list(session, wave))
        states = rollout_waves.orders_by_state(session, wave)
        if not states:
            raise RejectedError("its list is empty: plan it again", code=ROLLOUT_STATE, where=f"wave {wave}")
        rollout_waves.move(session, standing, "FROZEN", now=now, by=by, act="frozen", list_sha256=digest)
    return Frozen(wave, digest, states.get("ELIGIBLE", 0), states.get("EXCLUDED", 0))


def holds(wave: str, *, transaction: Transaction) -> bool:
    """Return whether the frozen list of a wave is still what its hash says; False for a wave that is not frozen."""
    with transaction() as session:
        said = rollout_waves.find(session, wave)["list_sha256"]
        return bool(said) and sha_of(rollout_plans.frozen_list(session, wave)) == said


def sha_of(lines: Iterable[tuple[str, ...]]) -> str:
    """Return the sha256 of a list, line by line."""
    digest = sha256()
    for line in lines:
        digest.update(("\x1f".join(line) + "\n").encode())
    return digest.hexdigest()
