"""How runs stand, for people: counts at every hop, what is unanswered and why, what does not add up."""

from dataclasses import dataclass
from typing import Any

from flows.billing_exchange.closing import Balance, balance
from flows.billing_exchange.interface import Interface
from store import billing, billing_parts, work
from store.session import Transaction


@dataclass(frozen=True, slots=True)
class RunStatus:
    """One run with its balance, its parts and its open work."""

    run: dict[str, Any]
    balance: Balance
    parts: tuple[dict[str, Any], ...]
    work: tuple[dict[str, Any], ...]


def status(interface: Interface, *, transaction: Transaction, closed: bool = False, limit: int = 20) -> list[RunStatus]:
    """Return the open runs of an interface (the latest ones of every state with `closed`), oldest first."""
    states = () if closed else ("TAKING_IN", "OPEN", "ANSWERED")
    found = []
    with transaction() as session:
        for run in billing.runs(session, interface.name, states, limit=limit):
            parts = tuple(billing_parts.parts_of_run(session, run["run_id"]))
            open_work = tuple(work.open_of_run(session, run["run_id"]))
            found.append(RunStatus(run, balance(session, run), parts, open_work))
    return found
