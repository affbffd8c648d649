"""Where one order stands in its sequence, and what may be done next: rules over rows, without any database.

Nothing is remembered but the rows: whoever reads them after a crash comes to the same conclusion.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from canonical.codes.message import ATTEMPTS_EXHAUSTED, DELIVERY_EXPIRED, PARTNER_TOOK_PART
from canonical.codes.rollout import KEYS_MISSING
from canonical.codes.rollout_steps import STEP_DIFFERS, STEP_REFUSED, STEP_UNCONFIRMED
from canonical.errors import ErrorCode
from canonical.refusals import refused_operations, shown
from canonical.rollout import OrderState
from flows.meter_rollout.policy import Policy
from flows.meter_rollout.steps import BY_NAME, DONE, LETS_PASS, MARKS, REACHED, STEPS, Step, reached
from store.rows import Row

UNDO = "UNDO_"
"""Before the name of a step that is taken back."""

TOLD = frozenset({"SENT", "CONFIRMED", "SEEN", "UNCONFIRMED", "MANUAL"})
"""States of a step of which its system may know."""

_IN_PART = str(PARTNER_TOOK_PART)
_NEVER_ARRIVED_FOR_SURE = (str(ATTEMPTS_EXHAUSTED), str(DELIVERY_EXPIRED))


@dataclass(slots=True)
class Track:
    """One order with the steps of its newest attempt, as they change."""

    order: Row
    rows: dict[str, Row]
    """By name."""

    is_clear: bool = True
    """Whether everything that goes before this attempt, at other orders too, is taken back."""

    dirty: dict[str, set[str]] = field(default_factory=dict)
    """Names of the steps that changed, each with the columns that did."""

    @property
    def attempt(self) -> int:
        """Return the number of the attempt."""
        return max((row["attempt"] for row in self.rows.values()), default=1)

    def facts(self, name: str) -> Mapping[str, Any]:
        """Return what a step tells of the exchange: what is taken back has its own, the others those of the attempt."""
        own: Mapping[str, Any] = self.rows[name]["facts"] or self.rows[STEPS[0].name]["facts"]
        return own

    @property
    def is_stopped(self) -> bool:
        """Return whether nothing new may be begun: it is held, or nobody believes the exchange any more."""
        return self.order["state"] in ("ON_HOLD", "REJECTED", "CANCELLED")

    def put(self, name: str, **values: Any) -> None:
        """Change a step."""
        row = self.rows[name]
        changed = {key for key, value in values.items() if row[key] != value}
        if changed:
            row.update(values)
            self.dirty.setdefault(name, set()).update(changed)


def newest(rows: Sequence[Row]) -> dict[str, Row]:
    """Return the steps of the last attempt, by name."""
    last = max((row["attempt"] for row in rows), default=1)
    return {row["step"]: dict(row) for row in rows if row["attempt"] == last}


def definition(name: str) -> Step:
    """Return what a step is; of one that is taken back, the step itself."""
    return BY_NAME[name.removeprefix(UNDO)]


def can_ask(name: str, policy: Policy) -> bool:
    """Return whether the system of a step can be asked whether it is so; what is taken back is not asked for."""
    step = BY_NAME.get(name)
    return step is not None and step.asks is not None and step.system in policy.askable


def is_done(row: Row) -> bool:
    """Return whether a step is so, as far as anybody can tell; what is still to be looked at is not."""
    return row["state"] in DONE and not (row["state"] == "CONFIRMED" and row["due_at"] is not None)


def lets_pass(row: Row) -> bool:
    """Return whether what comes behind a step may go on."""
    return is_done(row) or row["state"] in LETS_PASS - DONE


def settle(track: Track, *, policy: Policy, now: datetime) -> None:
    """Take over what became of deliveries and of the work that persons had."""
    for name, row in track.rows.items():
        _settle(track, name, row, policy, now)


def _settle(track: Track, name: str, row: Row, policy: Policy, now: datetime) -> None:
    state, delivery = row["state"], row["delivery_state"]
    asks = can_ask(name, policy)
    if state == "HELD" and row["work_state"] in ("RESOLVED", "WAIVED"):
        track.put(name, state="PENDING", due_at=None, work_id="", code="", reason="a person released it")
    elif state in ("REFUSED", "UNCONFIRMED", "MANUAL") and row["work_state"] in ("RESOLVED", "WAIVED"):
        end = "CONFIRMED" if row["work_state"] == "RESOLVED" else "NOT_NEEDED"
        track.put(name, state=end, due_at=None, ended_at=now, code="", reason="a person says so")
    elif state in ("SENT", "REFUSED", "UNCONFIRMED") and (_is_taken(row) if delivery == "parked" else _is_news(row)):
        track.put(name, state="CONFIRMED", due_at=now if asks else None, ended_at=now, code="", reason="")
    elif state == "SENT" and delivery == "parked":
        lost = row["delivery_code"] in _NEVER_ARRIVED_FOR_SURE
        _stuck(track, name, "UNCONFIRMED" if lost else "REFUSED", row["delivery_code"], refusal_of(row), policy, now)
    elif state == "SENT" and delivery == "cancelled":
        _stuck(track, name, "REFUSED", str(STEP_REFUSED), "its delivery was withdrawn", policy, now)
    elif state == "SENT" and row["unconfirmed_at"] is not None:
        _stuck(track, name, "UNCONFIRMED", str(STEP_UNCONFIRMED), "no answer in time", policy, now)
    elif state == "CONFIRMED" and row["due_at"] is not None and not asks:
        track.put(name, due_at=None)


def took_part_of(row: Row) -> bool:
    """Return whether a step was told with others, of which its system refused some."""
    return bool(row["operation"]) and row["delivery_state"] == "parked" and row["delivery_code"] == _IN_PART


def refusal_of(row: Row) -> str:
    """Return why a system refused a step; empty where it refused only others that were told with it.

    Where its answer does not name what it refused, nobody knows, and every step is refused.
    """
    why: str = row["delivery_reason"]
    named = refused_operations(why) if row["operation"] else {}
    return named.get(row["operation"], "" if took_part_of(row) else shown(why)) if named else shown(why)


def _is_taken(row: Row) -> bool:
    """Return whether a system took a step whose delivery is parked for the sake of others; also at a second try."""
    return took_part_of(row) and not refusal_of(row) and (row["state"] == "SENT" or row["code"] == _IN_PART)


def _is_news(row: Row) -> bool:
    """Return whether a confirmation came after the step had stuck; without that it is the one that was doubted."""
    if row["delivery_state"] != "confirmed":
        return False
    return row["ended_at"] is None or (row["confirmed_at"] is not None and row["confirmed_at"] > row["ended_at"])


def _stuck(track: Track, name: str, state: str, code: str, reason: str, policy: Policy, now: datetime) -> None:
    """Note that a step does not go on by itself; what can be asked is asked at once, the rest is a person's."""
    due = now if can_ask(name, policy) else None
    track.put(name, state=state, code=code or str(STEP_REFUSED), reason=reason, due_at=due, ended_at=now)


def questions(track: Track, *, policy: Policy, now: datetime) -> list[str]:
    """Return the steps of which their systems are to be asked now."""
    return [
        name
        for name, row in track.rows.items()
        if row["state"] in ("CONFIRMED", "REFUSED", "UNCONFIRMED")
        and row["due_at"] is not None
        and row["due_at"] <= now
        and can_ask(name, policy)
    ]


def doubts(track: Track) -> Iterator[tuple[str, ErrorCode]]:
    """Yield steps that a person must look at now, each with why: nobody can be asked, or the answer was no."""
    for name, row in track.rows.items():
        if row["code"] == str(KEYS_MISSING):
            continue  # the rule has its own work, and lets the step go when the keys come (EX20)
        if row["state"] in ("REFUSED", "UNCONFIRMED") and not row["work_id"] and row["due_at"] is None:
            differs = row["code"] == str(STEP_DIFFERS)
            yield name, STEP_DIFFERS if differs else STEP_REFUSED if row["state"] == "REFUSED" else STEP_UNCONFIRMED


def ready(track: Track) -> list[str]:
    """Return the steps that may be begun now, in their order; what is taken back goes backward and before all else."""
    if track.is_stopped:
        return []
    for name in (f"{UNDO}{step.name}" for step in reversed(STEPS)):
        row = track.rows.get(name)
        if row is not None and row["state"] == "PENDING":
            return [name]
        if row is not None and not lets_pass(row):
            return []
    return [step.name for step in STEPS if _is_ready(track, step)] if track.is_clear else []


def _is_ready(track: Track, step: Step) -> bool:
    row = track.rows.get(step.name)
    if row is None or row["state"] != "PENDING":
        return False
    before = [track.rows[name] for name in step.after if name in track.rows]
    return all(lets_pass(one) for one in before) if step.outlives_hold else all(is_done(one) for one in before)


def is_taken_back(rows: Mapping[str, Row]) -> bool:
    """Return whether everything that an attempt takes back is taken back."""
    return all(lets_pass(row) for name, row in rows.items() if name.startswith(UNDO))


def passed(track: Track) -> list[OrderState]:
    """Return the states that an order comes to by the steps that are so, in order; those without any step left out.

    An exchange that is only taken back is REVERSED in the end; one that is corrected is so until it is told anew.
    """
    here = track.order["state"]
    if not any(name in BY_NAME for name in track.rows):
        return ["REVERSED"] if here == "CORRECTING" and track.rows and is_taken_back(track.rows) else []
    places = ["VALIDATED", *(state for state, _ in REACHED)]
    states = {name: row["state"] if lets_pass(row) else "PENDING" for name, row in track.rows.items()}
    if here not in (*places, "CORRECTING") or not is_taken_back(track.rows):
        return []
    begin = 0 if here == "CORRECTING" else places.index(here)
    return [
        state
        for state, names in REACHED[begin : places.index(reached(states))]
        if state == "CLOSED" or any(states.get(name) in ("CONFIRMED", "SEEN") for name in MARKS.get(state, names))
    ]
