"""Taking in: every inbox of an interface, each kind of file by its handler (ruling 6: one road for all of them)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import MappingProxyType

from canonical.errors import UnavailableError
from flows import file_intake
from flows.billing_exchange import holds, unowned
from flows.billing_exchange.answers import AcknowledgementHandler
from flows.billing_exchange.billed import BilledHandler
from flows.billing_exchange.interface import Interface, TakenIn
from flows.billing_exchange.reading_files import ReadingsHandler
from flows.billing_exchange.requests import RequestHandler
from flows.file_handling import (
    FileHandler,
    FilePort,
    IntakePolicy,
    IntakeProblem,
    IntakeReport,
    MessageTaker,
    TakenFile,
)
from flows.file_resends import resolve_resent
from flows.reference import ReferenceHandler
from store import work
from store.session import Session, Transaction

MASTERS = ("masters",)
"""Kinds of files that another pass takes."""

NOBODY: Mapping[str, MessageTaker] = MappingProxyType({})


def take_in(
    interface: Interface,
    *,
    ports: Mapping[str, FilePort],
    transaction: Transaction,
    spool: Path,
    now: datetime,
    machine_now: datetime,
    siblings: Sequence[Interface] = (),
    messages: Mapping[str, MessageTaker] = NOBODY,
) -> TakenIn:
    """Take in what every inbox of the interface offers: requests, reference data, readings, answers, billed extracts.

    `siblings` are the other interfaces of the site: they share inboxes, and whoever claims a file first works it for
    the interface that its sender names. An inbox that is away is a problem of the report, not of the pass.
    `messages` takes files that are one message, by role.
    Requests come last: what they name may stand in any inbox of the same pass.
    """
    handlers = handlers_of([interface, *siblings], now)
    reports, problems = [], []
    for role, later in _turns(interface):
        try:
            reports.append(
                file_intake.take_in(
                    role,
                    ports[role],
                    handlers=handlers,
                    transaction=transaction,
                    spool=spool,
                    now=now,
                    machine_now=machine_now,
                    policy=intake_policy(interface),
                    on_problem=OnProblem(interface, now),
                    later=later,
                    message=messages.get(role),
                )
            )
        except UnavailableError as error:
            problems.append(f"{role}: {error}")
    with transaction() as session:
        resolve_resent(session, now=now)
        unowned.find_owners(session, now=now)
    return _sum(reports, problems)


def _turns(interface: Interface) -> list[tuple[str, tuple[str, ...]]]:
    """Return the inboxes in the order of their turns, each with the kinds that are left for later or for others."""
    asks, inboxes = interface.policy.customer_system, interface.policy.inboxes
    others = [role for role in inboxes if role != asks]
    # Files of masters in the same inbox are taken by their own pass.
    turns: list[tuple[str, tuple[str, ...]]] = [
        (role, (*MASTERS, "request") if role == asks and others else MASTERS) for role in inboxes
    ]
    return [*turns, (asks, MASTERS)] if others and asks in inboxes else turns


def handlers_of(interfaces: Sequence[Interface], now: datetime) -> dict[str, FileHandler]:
    """Return the handler of each kind of file."""
    by_name = {one.name: one for one in interfaces}
    return {
        "reference": ReferenceHandler(),
        "request": RequestHandler({one.policy.partner: one for one in interfaces}, now),
        "readings": ReadingsHandler(),
        "acknowledgement": AcknowledgementHandler(by_name),
        "billed": BilledHandler(by_name),
    }


def intake_policy(interface: Interface) -> IntakePolicy:
    """Return how the inboxes are worked."""
    policy = interface.policy
    return IntakePolicy(
        max_error_percent=policy.max_error_percent,
        gap_hours=policy.gap_hours,
        zone=policy.zone,
        receiver=interface.sender,
        env=interface.env,
        batch_size=policy.batch_size,
    )


class OnProblem:
    """Makes work of each problem of a file."""

    def __init__(self, interface: Interface, now: datetime) -> None:
        """Keep whose queue it is."""
        self._interface, self._now = interface, now

    def __call__(self, session: Session, problem: IntakeProblem) -> None:
        """Raise work for a person, once for each file and code."""
        if problem.state == "duplicate":
            return
        reason = f"{problem.role}: {problem.name}: {problem.reason}"
        about = holds.work_about(
            self._interface, f"{problem.role}/{problem.name}", problem.code, reason, due_at=self._now
        )
        work.raise_work(session, [about], now=self._now)


def _sum(reports: Sequence[IntakeReport], problems: Sequence[str]) -> TakenIn:
    """Return what all inboxes together brought."""
    files = [file for report in reports for file in report.taken]
    asked = _of(files, "request")
    told = [f"{p.role}: {p.name}: {p.code} {p.reason}" for report in reports for p in report.problems]
    return TakenIn(
        files=len(files),
        refused_files=sum(file.verdict == "REJECTED" for file in files),
        items=sum(f.accepted + f.rejected + f.duplicates for f in asked),
        accepted=sum(f.accepted for f in asked),
        rejected=sum(f.rejected for f in asked),
        duplicates=sum(f.duplicates for f in asked),
        reference_rows=sum(f.accepted for f in _of(files, "reference")),
        readings=sum(f.accepted for f in _of(files, "readings")),
        acknowledgements=sum(f.accepted for f in _of(files, "acknowledgement")),
        billed=sum(f.accepted for f in _of(files, "billed")),
        problems=tuple([*problems, *told]),
    )


def _of(files: Sequence[TakenFile], kind: str) -> list[TakenFile]:
    """Return the files of one kind that were taken in."""
    return [file for file in files if file.kind == kind and file.verdict != "DUPLICATE"]
