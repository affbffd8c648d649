"""How a rollout stands as a whole: steps by state, waves by state, waves that wait for a person."""

from typing import Any

from store import rollout_steps, rollout_waves
from store.session import Transaction

WAITING = ("PLANNED", "FROZEN")
"""States of a wave in which it goes on only when a person says so."""


def standing(*, transaction: Transaction) -> dict[str, Any]:
    """Return steps by state, waves by state, and the waves that wait for a person: they hold no pass up."""
    with transaction() as session:
        steps: dict[str, int] = {}
        for row in rollout_steps.counts(session):
            steps[row["state"]] = steps.get(row["state"], 0) + row["number"]
        waves = {row["wave"]: row["state"] for row in rollout_waves.listed(session)}
    waiting = sorted(name for name, state in waves.items() if state in WAITING)
    return {"steps": steps, "waves": waves, "waiting_for_approval": waiting}
