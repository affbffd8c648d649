"""A hub that polls one partner, as the scenarios of file intake need it."""

import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from file_partner import START, Counting, FolderPartner, create_effects, effects
from sqlalchemy import text

from canonical.errors import ErrorCode
from flows.file_intake import IntakePolicy, IntakeProblem, IntakeReport, take_in
from store.session import Transaction


class Hub:
    """A hub that polls one partner; the clock moves by hand."""

    def __init__(self, transaction: Transaction, folder: Path) -> None:
        self.transaction, self.folder = transaction, folder
        self.partner = FolderPartner(folder / "partner")
        self.policy = IntakePolicy(max_error_percent=Decimal(1))
        self.at = START
        self.told: list[IntakeProblem] = []
        self.handler = Counting()
        (folder / "partner" / "outbox").mkdir(parents=True)
        with transaction() as session:
            create_effects(session)

    def poll(self, after_s: float = 0, **policy: Any) -> IntakeReport:
        self.at += timedelta(seconds=after_s)
        handler = self.handler
        return take_in(
            "cis",
            self.partner,
            handlers={"request": handler, "acknowledgement": handler},
            transaction=self.transaction,
            spool=self.folder / "spool",
            now=self.at,
            machine_now=self.at,
            policy=IntakePolicy(**policy) if policy else self.policy,
            on_problem=lambda _session, problem: self.told.append(problem),
        )

    def keys(self) -> list[str]:
        with self.transaction() as session:
            return [what for _, what in effects(session) if what not in ("begin", "finish")]

    def answers(self) -> list[dict[str, Any]]:
        query = text("SELECT body FROM delivery_payload p JOIN delivery d USING (delivery_id) ORDER BY d.sequence")
        with self.transaction() as session:
            return [json.loads(bytes(row[0])) for row in session.execute(query)]

    def parked(self) -> list[str]:
        with self.transaction() as session:
            return [row[0] for row in session.execute(text("SELECT code FROM message WHERE state = 'parked'"))]


def problems(report: IntakeReport) -> list[ErrorCode]:
    return [problem.code for problem in report.problems]
