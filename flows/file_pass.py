"""One pass over one inbox: what all its steps are given, and what they note."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from canonical.errors import ErrorCode
from flows.file_handling import FileHandler, FilePort, IntakePolicy, IntakeProblem, MessageTaker, OnProblem
from store.files import IntakeFile
from store.session import Session, Transaction


@dataclass(frozen=True, slots=True)
class Pass:
    """The arguments of `take_in`, and the problems found so far."""

    role: str
    port: FilePort
    handlers: Mapping[str, FileHandler]
    transaction: Transaction
    spool: Path
    now: datetime
    machine_now: datetime
    policy: IntakePolicy
    on_problem: OnProblem
    problems: list[IntakeProblem] = field(default_factory=list)
    message: MessageTaker | None = None
    """Takes files that are one message each; None where nobody does."""

    @property
    def kinds(self) -> Collection[str]:
        """Return the kinds of files that somebody takes."""
        return {*self.handlers, *(("message",) if self.message is not None else ())}

    def tell(self, session: Session, file: IntakeFile, code: ErrorCode, reason: str, *, alert: bool = False) -> None:
        """Tell of a problem, inside the transaction that records it."""
        problem = IntakeProblem(
            code=code,
            role=file.role,
            file_id=file.file_id,
            name=file.name,
            reason=reason,
            state="alert" if alert else file.state,  # type: ignore[arg-type]  # a problem's file is in one of these
            kind=file.kind,
            sender=file.sender,
            since=file.held_since or self.now,
        )
        self.on_problem(session, problem)
        self.problems.append(problem)
