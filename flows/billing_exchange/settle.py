"""Where each item of a batch goes after its calculation: ready, held, to the next step, or answered as it is."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from canonical.billing import Remark, Status
from canonical.codes.billing import NO_BILL_WINDOW, NO_READ, WINDOW_CLOSED
from canonical.codes.identity import UNKNOWN_USAGE_POINT
from flows.billing_exchange import corrections, holds, ladder
from flows.billing_exchange.calculate import unanswered
from flows.billing_exchange.context import BillContext, Calculated
from flows.billing_exchange.decisions import (
    ESTIMATED,
    HANDED_ON,
    Case,
    Decision,
    Row,
    hold,
    is_partial_due,
    kept,
    leave,
    ready,
)
from flows.billing_exchange.interface import Advanced, Interface, State
from flows.billing_exchange.ladder import Ladder
from flows.billing_exchange.rows import determinant_row
from flows.billing_exchange.stored import plain, total_of
from flows.billing_exchange.windows import Rung
from store import billing_items, determinants, work
from store.billing_items import Change
from store.session import Session


def settle(
    session: Session,
    interface: Interface,
    batch: str,
    rows: Sequence[Row],
    climb: Ladder,
    rungs: Mapping[str, Rung | None],
    known: Mapping[str, BillContext],
    results: Mapping[str, Calculated],
    *,
    now: datetime,
    remark: str = "",
) -> Advanced:
    """Decide and record where each item of the batch goes, and count it."""
    decisions = {}
    for row in rows:
        name = row["item_id"]
        case = Case(interface, row, climb, rungs[name], known.get(name), results.get(name), remark)
        decisions[name] = decide(session, case, now=now)
    record(session, rows, decisions, known, now=now)
    return _counted(batch, decisions)


def decide(session: Session, case: Case, *, now: datetime) -> Decision:
    """Return what becomes of one item."""
    row, calculated = case.row, case.calculated
    if case.context is None:
        return _nothing_known(case)
    if row["step"] == ladder.ANSWER:
        return _answer_held(row, case.context)
    if row["state"] in HANDED_ON:
        return corrections.decide(session, case, now=now)
    if calculated is not None and (not calculated.missing or is_partial_due(case)):
        if calculated.holds and not (row["released"] and calculated.determinant is not None):
            return hold(case, calculated.holds)
        if calculated.determinant is not None:
            return ready(row, calculated)
    if case.rung is None:
        return _still_held(case) if row["state"] == State.HELD and not row["answer"] else leave(row)
    if case.rung.ask == "decide":
        return _expire(case)
    return _wait(case, case.rung)


def _still_held(case: Case) -> Decision:
    """Return that better readings left an item held: its window still ends with an answer (ruling 5)."""
    if case.calculated is not None and case.calculated.holds:
        return hold(case, case.calculated.holds)
    due = case.climb.decision(case.row["deadline"]).due
    return Decision({**kept(case.row), "step": ladder.ANSWER, "next_due_at": due, "recheck": False})


def _wait(case: Case, rung: Rung) -> Decision:
    """Return that an item waits for the next rung of the ladder."""
    row, calculated = case.row, case.calculated
    behind = case.climb.behind(row, rung)
    missing = calculated.missing[0].why if calculated is not None and calculated.missing else "no readings came"
    asked = f"; role absent: {rung.role}, {rung.asked} was asked instead" if rung.role_absent else ""
    why = f"{rung.name}: {case.remark or missing}{asked}"
    if behind is None:
        return _at(row, row["state"], rung.name, row["deadline"], why)
    return _at(row, ladder.waiting_state(behind), behind.name, behind.due, why)


def _at(row: Row, state: str, step: str, when: datetime | None, why: str) -> Decision:
    """Return that an item stays due for a step."""
    path: tuple[str, ...] = (row["state"], state)
    if row["state"] == State.ACCEPTED and state != State.COLLECTING:
        path = (State.ACCEPTED, State.COLLECTING, state)
    return Decision({**kept(row), "state": state, "step": step, "next_due_at": when, "failures": 0}, path, why)


def _expire(case: Case) -> Decision:
    """Return that the window closes without a figure: the item is answered NO_READ with what comes next."""
    row, calculated = case.row, case.calculated
    code = NO_READ if row["deadline"] is not None else NO_BILL_WINDOW
    missing = calculated.missing[0].why if calculated is not None and calculated.missing else code.meaning
    if case.context is None:
        return _nothing_known(case)
    said = Remark(NO_READ.severity, NO_READ.number, f"{missing} Next: {code.next_step}")
    answer = unanswered(case.context, Status.NO_READ, [said])
    values = {
        **kept(row), "state": State.EXPIRED, "status": "NO_READ", "code": str(NO_READ), "step": "",
        "next_due_at": None, "via": "run", "version": answer.version,
    }  # fmt: skip
    asked = f"{case.remark}; {missing}" if case.remark else missing
    work_items = (holds.work_item(case.interface, row, code, asked),)
    return Decision(values, (row["state"], State.EXPIRED), asked, answer, calculated, work_items)


def _answer_held(row: Row, context: BillContext) -> Decision:
    """Return that a held item is answered HELD at its decision time; its work stays open."""
    reason = f"{row['code']}: held for a person. Next: {WINDOW_CLOSED.next_step}"
    answer = unanswered(context, Status.HELD, [Remark("ERROR", row["code"].split(" ")[0], reason)])
    values = {
        **kept(row), "status": "HELD", "step": "", "next_due_at": None, "via": "run", "version": answer.version,
    }  # fmt: skip
    return Decision(values, (row["state"], State.HELD), "the window closes while it is held", answer)


def _nothing_known(case: Case) -> Decision:
    """Return that an item whose usage point vanished from the masters is held."""
    row, code = case.row, UNKNOWN_USAGE_POINT
    values = {
        **kept(row), "state": State.HELD, "status": "HELD", "code": str(code), "step": "", "next_due_at": None,
    }  # fmt: skip
    work_items = (holds.work_item(case.interface, row, code),)
    return Decision(values, (row["state"], State.HELD), code.meaning, work=work_items)


def record(
    session: Session,
    rows: Sequence[Row],
    decisions: Mapping[str, Decision],
    known: Mapping[str, BillContext],
    *,
    now: datetime,
) -> None:
    """Write states, history, determinants and work of a batch."""
    billing_items.change(session, [{"item_id": name, **one.values} for name, one in decisions.items()])
    changes = [Change(name, one.path, one.why) for name, one in decisions.items() if len(set(one.path)) > 1 or one.why]
    billing_items.note(session, changes, now=now)
    versions = []
    for row in rows:
        one, context = decisions[row["item_id"]], known.get(row["item_id"])
        if one.determinant is not None:
            last = context.last_bill if context is not None else None
            versions.append(determinant_row(row, one.determinant, one.calculated, last, now=now))
    determinants.add(session, versions)
    work.raise_work(session, [item for one in decisions.values() for item in one.work], now=now)
    cured = {
        row["request_id"]
        for row in rows
        if row["code"] and decisions[row["item_id"]].values["state"] == State.VALIDATED
    }
    names = [one["work_id"] for one in work.open_of_requests(session, cured)]
    work.act(session, names, "resolved", state="RESOLVED", by="hub", reason="a figure came", now=now)


def _counted(batch: str, decisions: Mapping[str, Decision]) -> Advanced:
    """Return the counts of a batch."""
    counts = Counter[str]()
    total = Decimal(0)
    for one in decisions.values():
        state = one.values["state"]
        if state == State.VALIDATED and one.determinant is not None:
            counts["estimated" if one.determinant.status in ESTIMATED else "ready"] += 1
            total += total_of(one.determinant)
        elif state == State.HELD:
            counts["held"] += 1
        elif state == State.EXPIRED:
            counts["expired"] += 1
        elif one.values["next_due_at"] is not None:
            counts["waiting"] += 1
    return Advanced(
        batch, items=len(decisions), ready=counts["ready"], estimated=counts["estimated"], held=counts["held"],
        expired=counts["expired"], waiting=counts["waiting"], kwh=plain(total),
    )  # fmt: skip
