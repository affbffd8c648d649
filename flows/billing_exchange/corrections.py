"""A better reading after a version left the hub: next version, notice, true-up or nothing (ruling 2)."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from canonical.billing import BillDeterminant, Remark
from canonical.codes.billing import CORRECTION_NOTICE, TRUE_UP
from flows.billing_exchange.decisions import Case, Decision, kept, leave, ready
from flows.billing_exchange.difference import Correction, difference
from flows.billing_exchange.interface import State
from flows.billing_exchange.ladder import RECHECK
from flows.billing_exchange.stored import determinant_from_text, micro, total_of
from store import determinants
from store.session import Session


def decide(session: Session, case: Case, *, now: datetime) -> Decision:
    """Return what a new calculation means for an item whose answer left the hub.

    On its way: wait for the acknowledgement. Loaded, not billed: the next version, by the run while its window is open,
    else as a correction. Billed: a correction notice, or a true-up where the difference is small.
    """
    row, calculated = case.row, case.calculated
    if row["state"] in (State.BATCHED, State.SENT, State.NACKED):
        return Decision({**kept(row), "step": RECHECK, "next_due_at": None, "recheck": True})
    if calculated is None or calculated.determinant is None or (calculated.missing and not row["released"]):
        return leave(row)
    if calculated.holds and not row["released"]:
        why = "; ".join(f"{hold.code}: {hold.reason}" for hold in calculated.holds)
        return replace(leave(row), path=(row["state"], row["state"]), why=f"better readings are held: {why}")
    old_row = determinants.payloads(session, {(row["determinant_id"], row["sent_version"])}).get(
        (row["determinant_id"], row["sent_version"])
    )
    if old_row is None:
        return leave(row)
    old = determinant_from_text(old_row["payload"])
    if old.is_answer_without_energy:
        return ready(row, calculated)
    found = difference(old, calculated.determinant, case.interface.policy)
    if found is None:
        return leave(row)
    if row["state"] == State.ACKED:
        return ready(row, calculated)
    if found.next_bill:
        return _true_up(session, row, old_row, found)
    return _notice(row, case, found)


def _notice(row: Mapping[str, Any], case: Case, found: Correction) -> Decision:
    """Return the correction notice: a full replacement that says so; the CIS decides whether it bills again."""
    if case.calculated is None or case.calculated.determinant is None:
        return leave(row)
    said = Remark(CORRECTION_NOTICE.severity, CORRECTION_NOTICE.number, found.text, found.after - found.before)
    determinant: BillDeterminant = replace(
        case.calculated.determinant, remarks=(*case.calculated.determinant.remarks, said)
    )
    values = {
        **kept(row), "state": State.CORRECTION_NOTICE, "status": str(determinant.status), "step": "",
        "next_due_at": None, "via": "correction", "version": determinant.version, "recheck": False,
        "quantity_micro": micro(total_of(determinant)),
    }  # fmt: skip
    path = (row["state"], State.CORRECTION_NOTICE)
    return Decision(values, path, found.text, determinant, replace(case.calculated, determinant=determinant))


def _true_up(session: Session, row: Mapping[str, Any], old: Mapping[str, Any], found: Correction) -> Decision:
    """Return that the next bill settles a small difference; what no read carries goes to its residuals."""
    carry = json.loads(old["carry"])
    residuals = {code: Decimal(value) for code, value in carry.get("residuals", {}).items()}
    for code, by in found.carried.items():
        residuals[code] = residuals.get(code, Decimal(0)) + by
    carry["residuals"] = {code: str(value) for code, value in residuals.items()}
    determinants.carry_over(session, old["determinant_id"], old["version"], carry=json.dumps(carry))
    return replace(
        leave(row), path=(row["state"], row["state"]), why=f"{TRUE_UP}: {found.text}; the next bill settles it"
    )
