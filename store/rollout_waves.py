"""Waves: one row each, found and moved from state to state; every act upon a wave is kept with who and why."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select, update
from sqlmodel import Session

from canonical.codes.rollout_waves import WAVE_UNKNOWN
from canonical.errors import RejectedError
from canonical.rollout import WaveState
from store import bulk
from store.rollout import ORDER, WAVE
from store.rollout_states import check_wave
from store.rows import Row, first_of, rows_of

REACHED: Mapping[str, str] = {
    "PLANNED": "planned_at",
    "FROZEN": "frozen_at",
    "RELEASED": "released_at",
    "COMPLETED": "ended_at",
    "ABORTED": "ended_at",
}
"""Column that says when a state was first reached."""


def insert(session: Session, row: Mapping[str, Any], *, now: datetime, by: str) -> None:
    """Add a wave as a DRAFT: its name, rules, days and capacity."""
    acts = [_act("planned", by, "", now)]
    bulk.insert(
        session,
        WAVE,
        [
            {
                **{"list_sha256": "", "frozen_at": None, "released_at": None, "ended_at": None, "before": ""},
                **{"counts": {}, "planned_at": now, "by": by, "acts": acts, "state": "DRAFT"},
                **row,
            }
        ],
    )


def find(session: Session, wave: str, *, lock: bool = False) -> Row:
    """Return a wave by name; with `lock`, nobody else changes it until the transaction ends.

    Raises:
        RejectedError: it was never planned (WAVE_UNKNOWN).
    """
    query = select(WAVE).where(WAVE.c.wave == wave)
    row = first_of(session, query.with_for_update() if lock else query)
    if row is None:
        raise RejectedError(f"no wave {wave!r} was ever planned", code=WAVE_UNKNOWN)
    return row


def known(session: Session, wave: str) -> Row | None:
    """Return a wave by name, locked until the transaction ends, or None where it was never planned."""
    return first_of(session, select(WAVE).where(WAVE.c.wave == wave).with_for_update())


def listed(session: Session, *, lock: bool = False) -> list[Row]:
    """Return every wave by first day; with `lock`, nobody else changes one until the transaction ends."""
    query = select(WAVE).order_by(WAVE.c.first_day, WAVE.c.wave)
    return rows_of(session, query.with_for_update() if lock else query)


def in_states(session: Session, *states: WaveState) -> list[Row]:
    """Return the waves in some states by first day."""
    return rows_of(session, select(WAVE).where(WAVE.c.state.in_(states)).order_by(WAVE.c.first_day, WAVE.c.wave))


def move(
    session: Session, row: Row, state: WaveState, *, now: datetime, by: str, act: str, reason: str = "", **columns: Any
) -> Row:
    """Bring a wave to a state, keep the act, and return the wave as it is now.

    Raises:
        RejectedError: its state does not allow the step (ROLLOUT_STATE).
    """
    check_wave(row["state"], state, wave=row["wave"])
    values: dict[str, Any] = {"state": state, "by": by, "before": row["state"] if state == "PAUSED" else ""}
    reached = REACHED.get(state)
    if reached is not None and (row[reached] is None or state == "PLANNED"):
        values[reached] = now
    values |= {"acts": [*row["acts"], _act(act, by, reason, now)], **columns}
    session.execute(update(WAVE).where(WAVE.c.wave == row["wave"]).values(**values))
    return {**row, **values}


def note(session: Session, row: Row, act: str, *, now: datetime, by: str, reason: str = "", **columns: Any) -> Row:
    """Keep an act that leaves a wave in its state, and return the wave as it is now."""
    values = {"acts": [*row["acts"], _act(act, by, reason, now)], **columns}
    session.execute(update(WAVE).where(WAVE.c.wave == row["wave"]).values(**values))
    return {**row, **values}


def orders_by_state(session: Session, wave: str) -> dict[str, int]:
    """Return how many orders of a wave are in each state."""
    return {state: number for (state,), number in _counted(session, wave, ORDER.c.state)}


def orders_by_day(session: Session, wave: str) -> dict[tuple[str, str], int]:
    """Return how many orders of a wave have each planned day (ISO 8601, empty for none) and state."""
    return {(day, state): n for (day, state), n in _counted(session, wave, ORDER.c.planned_day, ORDER.c.state)}


def orders_by_code(session: Session, wave: str) -> dict[tuple[str, str], int]:
    """Return how many orders of a wave are in each state for each code; those without a code are left out."""
    counted = _counted(session, wave, ORDER.c.state, ORDER.c.code)
    return {(state, code): number for (state, code), number in counted if code}


def done_instants(session: Session, wave: str) -> Iterator[datetime]:
    """Yield when the field reported each exchange of a wave that was done."""
    query = select(ORDER.c.done_at).where(ORDER.c.wave == wave, ORDER.c.done_at.is_not(None))
    yield from session.execute(query.execution_options(yield_per=5_000)).scalars()


def _counted(session: Session, wave: str, *by: ColumnElement[str]) -> list[tuple[tuple[str, ...], int]]:
    """Return numbers of orders of a wave, grouped."""
    query = select(*by, func.count()).where(ORDER.c.wave == wave).group_by(*by).order_by(*by)
    return [(tuple(row[:-1]), row[-1]) for row in session.execute(query)]


def _act(act: str, by: str, reason: str, now: datetime) -> dict[str, str]:
    """Return one act as it is kept."""
    return {"at": now.isoformat(), "act": act, "by": by, "reason": reason}
