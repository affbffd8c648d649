"""What may become of one billing item, and the decisions that several steps share: ready, held, left as it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from canonical.billing import BillDeterminant, Status
from canonical.work import WorkItem
from flows.billing_exchange import holds, ladder
from flows.billing_exchange.context import BillContext, Calculated, Hold
from flows.billing_exchange.interface import Interface, State
from flows.billing_exchange.ladder import Ladder
from flows.billing_exchange.stored import micro, plain, total_of
from flows.billing_exchange.windows import Rung

Row = Mapping[str, Any]
ESTIMATED = (Status.ESTIMATED, Status.MIXED)
HANDED_ON = (State.BATCHED, State.SENT, State.ACKED, State.NACKED, State.BILLED, State.CORRECTION_NOTICE)
"""States in which a version has left, or is leaving: a better reading makes another one."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of one item."""

    values: dict[str, Any]
    """Columns to set; `state`, `step` and `next_due_at` always."""

    path: tuple[str, ...] = ()
    """States walked; empty when the state stays."""

    why: str = ""
    determinant: BillDeterminant | None = None
    calculated: Calculated | None = None
    work: tuple[WorkItem, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """One item with everything that its decision looks at."""

    interface: Interface
    row: Row
    climb: Ladder
    rung: Rung | None
    """None for a recheck and for the answer to a held item."""
    context: BillContext | None
    calculated: Calculated | None
    remark: str = ""
    """What the meter data system said instead of answering."""


def is_partial_due(case: Case) -> bool:
    """Return whether an answer without all that the rate needs is to be given now, or shown to a person.

    It waits for the rest as long as the window allows: until the deciding rung, or, where a person must look at it,
    until the rung that takes estimates too. One that a person released goes at once.
    """
    if case.calculated is None or case.calculated.determinant is None:
        return False
    if case.row["released"]:
        return True
    if case.rung is None:
        return False
    return case.rung.ask == "decide" or (case.interface.policy.partial == "hold" and case.rung.accept_estimates)


def ready(row: Row, calculated: Calculated, *, via: str = "run") -> Decision:
    """Return that an item is ready, validated and to be sent by a road."""
    determinant = calculated.determinant
    if determinant is None:
        raise ValueError("an item without a determinant is not ready")
    estimated = determinant.status in ESTIMATED
    middle = State.ESTIMATED if estimated else State.READY
    before = row["state"]
    path = (before, *((State.COLLECTING,) if before == State.ACCEPTED else ()))
    path += (middle, State.VALIDATED)
    return Decision(
        {**_figures(determinant), "state": State.VALIDATED, "step": "", "next_due_at": None, "code": "", "via": via,
         "answer": row["answer"], "version": determinant.version, "failures": 0, "recheck": False},
        path, f"{determinant.status} {plain(total_of(determinant))} {row['unit']}", determinant, calculated,
    )  # fmt: skip


def hold(case: Case, held: Sequence[Hold]) -> Decision:
    """Return that an item waits for a person, until the decision time of its window."""
    row, determinant = case.row, case.calculated.determinant if case.calculated else None
    items = tuple(
        holds.work_item(case.interface, row, one.code, one.reason, at_risk=one.at_risk or None) for one in held
    )
    path: tuple[str, ...] = (row["state"], State.HELD) if row["state"] != State.HELD else ()
    if row["state"] == State.ACCEPTED:
        path = (State.ACCEPTED, State.COLLECTING, State.READY, State.HELD)
    answered = bool(row["answer"])
    values = {
        **kept(row), "state": State.HELD, "status": "HELD", "code": str(held[0].code), "via": "", "recheck": False,
        "step": "" if answered else ladder.ANSWER, "failures": 0,
        "next_due_at": None if answered else case.climb.decision(row["deadline"]).due,
    }  # fmt: skip
    if determinant is not None:
        values["quantity_micro"] = micro(total_of(determinant))
    why = "; ".join(f"{one.code}: {one.reason}" for one in held)
    return Decision(values, path, why, determinant, case.calculated, items)


def leave(row: Row) -> Decision:
    """Return that a recheck changes nothing."""
    return Decision({**kept(row), "step": "", "next_due_at": None, "recheck": False})


def _figures(determinant: BillDeterminant | None) -> dict[str, Any]:
    """Return the columns that state a determinant's figures."""
    if determinant is None:
        return {"status": "", "quantity_micro": 0}
    return {"status": str(determinant.status), "quantity_micro": micro(total_of(determinant))}


def kept(row: Row) -> dict[str, Any]:
    """Return the columns of an item as they are."""
    names = ("state", "step", "next_due_at", "status", "code", "quantity_micro", "via", "answer", "version",
             "failures", "recheck")  # fmt: skip
    return {name: row[name] for name in names}
