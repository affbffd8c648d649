"""Does it add up: the closing equations of each run, overdue acknowledgements, deadlines crossed (domain 4.9)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from canonical.codes.billing import RUN_DOES_NOT_BALANCE
from flows.billing_exchange import hand_on, holds, parts, storms
from flows.billing_exchange.interface import Interface, Verdict
from flows.billing_exchange.stored import from_micro, plain
from store import billing, billing_items, billing_parts, determinants, work
from store.session import Session, Transaction

Row = Mapping[str, Any]
ENERGY = ("READY", "ESTIMATED")


@dataclass(frozen=True, slots=True)
class Balance:
    """The counts of one run at every hop, and what does not add up."""

    run_id: str
    scheduled: int
    accepted: int
    rejected: int
    duplicates: int
    answers: Mapping[str, int]
    """Accepted items by how they were answered: READY, ESTIMATED, HELD, EXPIRED, CANCELLED, and "" for not yet."""

    sent: int
    """Lines in parts that stand (a refused part that was revised does not)."""
    acked: int
    nacked: int
    pending: int
    refused: int
    """Lines of accepted parts that the CIS refused."""
    billed: int
    to_bill: int
    """Loaded lines with energy: what the CIS has to bill."""
    kwh: Mapping[str, Decimal]
    """Quantity by `hop.unit`."""
    unanswered: Sequence[tuple[str, int, Decimal]]
    """Why items have no energy: reason, count, quantity at risk."""

    @property
    def breaks(self) -> tuple[str, ...]:
        """Return each equation that does not hold, in figures."""
        found = []
        if self.scheduled != self.accepted + self.rejected + self.duplicates:
            found.append(
                f"scheduled {self.scheduled} != accepted {self.accepted} + rejected {self.rejected}"
                f" + repeated {self.duplicates}"
            )
        answered = sum(count for answer, count in self.answers.items() if answer)
        if self.accepted != answered:
            counts = " + ".join(f"{name.lower()} {count}" for name, count in sorted(self.answers.items()) if name)
            found.append(f"accepted {self.accepted} != {counts or 0}")
        if self.sent != self.acked + self.nacked + self.pending:
            found.append(f"sent {self.sent} != acked {self.acked} + nacked {self.nacked} + pending {self.pending}")
        return tuple(found)

    @property
    def is_billed(self) -> bool:
        """Whether the CIS billed everything that it loaded with energy: billed = acked - what it refused."""
        return self.pending == 0 and self.billed == self.to_bill


def balance(session: Session, run: Row) -> Balance:
    """Return the counts of one run: five grouped queries, whatever its size."""
    rows = billing_items.counts(session, run["run_id"])
    answers: dict[str, int] = {}
    kwh: dict[str, Decimal] = {}
    open_reasons: dict[str, tuple[int, Decimal]] = {}
    for row in rows:
        answers[row["answer"]] = answers.get(row["answer"], 0) + row["items"]
        hop = f"{(row['answer'] or 'open').lower()}.{row['unit']}"
        kwh[hop] = kwh.get(hop, Decimal(0)) + from_micro(row["micro"])
        if row["answer"] not in (*ENERGY, "CANCELLED"):
            reason = row["code"] or row["state"]
            count, risk = open_reasons.get(reason, (0, Decimal(0)))
            open_reasons[reason] = (count + row["items"], risk + from_micro(row["micro"]))
    lines = billing_parts.run_lines(session, run["run_id"])
    billed = determinants.billed_of_run(session, run["run_id"])
    kwh |= {f"billed.{row['unit']}": from_micro(row["micro"]) for row in billed}
    return Balance(
        run_id=run["run_id"],
        scheduled=run["scheduled"],
        accepted=sum(row["items"] for row in rows),
        rejected=run["rejected"],
        duplicates=run["duplicates"],
        answers=answers,
        sent=sum(lines.values()),
        acked=lines.get("ACKED", 0),
        nacked=lines.get("NACKED", 0) + lines.get("REJECTED", 0),
        pending=lines.get("", 0),
        refused=lines.get("REJECTED", 0),
        billed=sum(row["items"] for row in billed),
        to_bill=billing_parts.loaded_with_energy(session, run["run_id"]),
        kwh=kwh,
        unanswered=[(reason, count, risk) for reason, (count, risk) in sorted(open_reasons.items())],
    )


def verdict(interface: Interface, *, transaction: Transaction, now: datetime) -> Verdict:
    """Return how the interface stands; a pass fails for what it finds first, the next pass does not repeat it."""
    failures: list[str] = []
    with transaction() as session:
        hand_on.follow(session, interface, now=now)
        storms.review(session, interface, now=now)
        failures += _overdue(session, interface, now=now)
        runs = billing.runs(session, interface.name, ("TAKING_IN", "OPEN", "ANSWERED"))
        balances = [balance(session, run) for run in runs]
        for run, sums in zip(runs, balances, strict=True):
            failures += _judge(session, interface, run, sums, now=now)
        due = billing_items.next_due(session, interface.name)
    risk = sum((risk for sums in balances for _, _, risk in sums.unanswered), Decimal(0))
    return Verdict(
        interface=interface.name,
        ok=not failures,
        failures=tuple(failures),
        open_runs=sum(run["state"] in ("TAKING_IN", "OPEN") for run in runs),
        unanswered=sum(sums.answers.get("", 0) for sums in balances),
        at_risk_kwh=plain(risk),
        control_totals=_totals(balances),
        next_due=due.isoformat() if due else "",
    )


def _overdue(session: Session, interface: Interface, *, now: datetime) -> list[str]:
    """Mark parts whose acknowledgement is overdue, with work for a person; they are never sent again by themselves."""
    failures = []
    for part in billing_parts.parts(session, interface.name, {"SENT"}):
        if part["ack_due_at"] is None or part["ack_due_at"] > now:
            continue
        work.raise_work(session, [parts.overdue_work(interface, part, now=now)], now=now)
        billing_parts.change_part(session, part["file_id"], state="UNCONFIRMED")
        failures.append(f"{part['name']}: no acknowledgement until {part['ack_due_at']:%Y-%m-%d %H:%MZ}")
    return failures


def _judge(session: Session, interface: Interface, run: Row, sums: Balance, *, now: datetime) -> list[str]:
    """Return what fails a run now, close it when everything holds, and raise work when it cannot hold any more."""
    name = f"run {run['run_type']} {run['cycle']} {run['business_date']} ({run['file_name']})"
    if run["state"] == "ANSWERED":
        if sums.breaks:
            return _unbalanced(session, interface, run, name, sums, now=now)
        if sums.is_billed:
            billing.change_run(session, run["run_id"], state="CLOSED", closed_at=now)
        return []
    crossed = run["window_end"] is not None and now >= run["window_end"]
    if crossed and not run["flagged"]:
        billing.change_run(session, run["run_id"], flagged=True)
        why = run["note"] or f"{sums.answers.get('', 0)} items without an answer"
        return [f"{name}: the window closed {run['window_end']:%Y-%m-%d %H:%MZ} and the run is not answered: {why}"]
    return []


def _unbalanced(
    session: Session, interface: Interface, run: Row, name: str, sums: Balance, *, now: datetime
) -> list[str]:
    """Raise the work of a run that does not add up; it fails the pass that finds it first."""
    if run["flagged"]:
        return []
    reason = f"{name}: {'; '.join(sums.breaks)}"
    about = holds.work_about(interface, run["run_id"], RUN_DOES_NOT_BALANCE, reason, due_at=now, run_id=run["run_id"])
    work.raise_work(session, [about], now=now)
    billing.change_run(session, run["run_id"], flagged=True)
    return [reason]


def _totals(balances: Sequence[Balance]) -> dict[str, str]:
    """Return counts and quantities at every hop over some runs."""
    totals: dict[str, Decimal] = {}
    for sums in balances:
        hops: dict[str, int | Decimal] = {
            "scheduled": sums.scheduled, "accepted": sums.accepted, "rejected": sums.rejected, "sent": sums.sent,
            "acked": sums.acked, "nacked": sums.nacked, "pending": sums.pending, "billed": sums.billed,
        }  # fmt: skip
        counted: dict[str, int | Decimal] = {
            f"items.{(name or 'open').lower()}": count for name, count in sums.answers.items()
        }
        for name, value in (hops | counted | dict(sums.kwh)).items():
            totals[name] = totals.get(name, Decimal(0)) + value
    return {name: plain(value) for name, value in sorted(totals.items())}
