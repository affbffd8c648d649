"""One step of what is due: take a batch of items, ask the meter data system, calculate, decide where each goes."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from canonical.codes.billing import METER_DATA_AWAY
from canonical.errors import RejectedError, UnavailableError
from canonical.metering import MeterReadings, ReadingQuestion
from canonical.periods import Period
from canonical.ports import MeterDataSystem
from flows.billing_exchange import contexts, holds, ladder, late, resolving, settle, sync
from flows.billing_exchange.calculate import calculate
from flows.billing_exchange.context import BillContext, Calculated, Findings
from flows.billing_exchange.decisions import Row
from flows.billing_exchange.interface import Advanced, Interface
from flows.billing_exchange.ladder import Ladder
from flows.billing_exchange.windows import Rung
from store import billing, billing_items, readings, work
from store.billing_items import Due
from store.session import Session, Transaction

MAX_BATCHES = 1000
"""Most batches of one pass; what is left is due in the next one."""


def plan(interface: Interface, *, transaction: Transaction, now: datetime) -> list[str]:
    """Return labels of the batches that are due now: `run/step/first line-last line`, in that order."""
    with transaction() as session:
        groups = billing_items.due(
            session, interface.name, now=now, size=interface.policy.batch_size, limit=MAX_BATCHES
        )
    return [f"{group.run_id}/{group.step}/{group.first_line}-{group.last_line}" for group in groups]


def advance(
    interface: Interface,
    batch: str,
    *,
    meter_data: MeterDataSystem | None,
    transaction: Transaction,
    now: datetime,
) -> Advanced:
    """Bring one batch one step on. What is due no longer (another pass did it) is left alone.

    First what the hub holds is calculated; what is still incomplete is asked of the meter data system, where the step
    asks. When that is away the batch stays due with a back-off, and a work item says so.
    """
    group = _group(batch)
    with transaction() as session:
        rows: Sequence[Row] = billing_items.due_items(session, interface.name, group, now=now)
        run = billing.run(session, group.run_id)
        if not rows or run is None:
            return Advanced(batch)
        if group.step == ladder.SYNC:
            return sync.join(session, interface, batch, rows, opened=run["opened_at"], now=now)
        known = contexts.contexts_of(session, interface, rows)
    climb = Ladder(interface, run["opened_at"])
    rungs = {row["item_id"]: climb.now_on(row, now=now) for row in rows}
    results = _calculated(interface, known, rungs)
    asked = _to_ask(rows, known, results, rungs) if meter_data is not None else []
    refusal = ""
    if asked and meter_data is not None:
        try:
            answers = list(meter_data.readings(_questions(asked, rungs), timeout_s=interface.timeout_s))
        except UnavailableError as error:
            answers, refusal = [], str(error)
            late_ones = _put_off(interface, climb, asked, rungs, refusal, transaction=transaction, now=now)
            rows = [row for row in rows if row["item_id"] not in late_ones]
            asked = [row for row in asked if row["item_id"] not in late_ones]
            if not rows:
                return Advanced(batch, items=len(late_ones), waiting=len(late_ones), problem=refusal)
        except RejectedError as error:
            # The system refuses the question, not the hub the item: the ladder goes on without an answer.
            answers, refusal = [], str(error)
        with transaction() as session:
            known |= _keep(session, interface, batch, asked, answers, known, now=now)
        results |= _calculated(interface, {row["item_id"]: known[row["item_id"]] for row in asked}, rungs, bare=True)
    with transaction() as session:
        return settle.settle(session, interface, batch, rows, climb, rungs, known, results, now=now, remark=refusal)


def _keep(
    session: Session,
    interface: Interface,
    batch: str,
    asked: Sequence[Row],
    answers: Sequence[MeterReadings],
    known: Mapping[str, BillContext],
    *,
    now: datetime,
) -> dict[str, BillContext]:
    """Store what the meter data system said, tell other items that rest on it, and return the contexts anew."""
    role = interface.policy.meter_data
    if answers and any(row["failures"] for row in asked):
        name = holds.work_about(interface, role, METER_DATA_AWAY, "", due_at=now).work_id
        work.act(session, [name], "resolved", state="RESOLVED", by="hub", reason="it answers again", now=now)
    resolved = resolving.resolve(session, answers)
    stored = readings.keep(session, resolved.readings, now=now, origin=f"{role} {batch}")
    late.mark(session, stored.touched, now=now, besides={row["item_id"] for row in asked})
    return contexts.with_readings(session, interface, asked, known)


def _calculated(
    interface: Interface,
    known: Mapping[str, BillContext],
    rungs: Mapping[str, Rung | None],
    *,
    bare: bool = False,
) -> dict[str, Calculated]:
    """Return what each context comes to; estimates count from the estimate rung on, and in a recheck.

    An item that waits on a rung without holding any reading is left out, unless `bare` asks for it too.
    """
    found = {}
    for item_id, context in known.items():
        rung = rungs[item_id]
        if rung is not None and not bare and not context.registers and not context.blocks:
            continue
        allowed = rung is None or rung.accept_estimates
        try:
            found[item_id] = calculate(context, interface.policy, allow_estimates=allowed)
        except RejectedError as error:
            findings = Findings()
            findings.hold(error.code, error.reason, at_risk=Decimal(0), unit="", blocked=True)
            found[item_id] = Calculated(None, (), tuple(findings.holds), {}, tuple(findings.trail))
    return found


def _to_ask(
    rows: Sequence[Row],
    known: Mapping[str, BillContext],
    results: Mapping[str, Calculated],
    rungs: Mapping[str, Rung | None],
) -> list[Row]:
    """Return the items on a rung that are not complete: the meter data system is asked about them.

    The deciding rung asks too: a hub that was down for the whole window must not answer NO_READ unasked.
    """
    return [
        row
        for row in rows
        if row["item_id"] in known
        and rungs[row["item_id"]] is not None
        and (row["item_id"] not in results or results[row["item_id"]].missing)
    ]


def _questions(rows: Sequence[Row], rungs: Mapping[str, Rung | None]) -> list[ReadingQuestion]:
    """Return what is asked of the items; rungs that read the meter again ask for a fresh read."""
    questions = []
    for row in rows:
        rung = rungs[row["item_id"]]
        fresh = rung is not None and rung.ask in ("fresh", "backfill")
        questions.append(
            ReadingQuestion(row["usage_point"], Period(row["period_start"], row["period_end"]), fresh=fresh)
        )
    return questions


def _put_off(
    interface: Interface,
    climb: Ladder,
    asked: Sequence[Row],
    rungs: Mapping[str, Rung | None],
    problem: str,
    *,
    transaction: Transaction,
    now: datetime,
) -> set[str]:
    """Leave items due with a back-off while the meter data system is away, and return them.

    Items on the deciding rung are not put off: they are answered with what there is.
    """
    changes = []
    for row in asked:
        rung, decision = rungs[row["item_id"]], climb.decision(row["deadline"])
        if rung is not None and rung.ask == "decide":
            continue
        due = min(now + ladder.back_off(row["failures"]), decision.due) if decision.due > now else now
        changes.append({"item_id": row["item_id"], "failures": row["failures"] + 1, "next_due_at": due})
    deadline = min((row["deadline"] for row in asked if row["deadline"]), default=now)
    role = interface.policy.meter_data
    about = holds.work_about(interface, role, METER_DATA_AWAY, problem, due_at=deadline, run_id=asked[0]["run_id"])
    with transaction() as session:
        billing_items.change(session, changes)
        work.raise_work(session, [about], now=now)
    return {str(change["item_id"]) for change in changes}


def _group(batch: str) -> Due:
    """Return the group of items that a label names."""
    run_id, step, lines = batch.split("/")
    first, last = lines.split("-")
    return Due(run_id, step, int(first), int(last), 0)
