"""Several operations in one message: each with its own outcome, or all of them or none."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from canonical.codes import message as codes
from canonical.errors import RejectedError
from canonical.messages import Message, Reply
from canonical.replies import ManyRejectedError, of_operation
from store.session import Session


@dataclass(frozen=True, slots=True)
class Step:
    """One operation of a set, as far as it could be understood."""

    operation_id: int
    message: Message[Any] | None
    refusal: RejectedError | None = None
    """Why it cannot be done; then there is no message."""


@dataclass(frozen=True, slots=True)
class Steps:
    """The operations of a set in the order in which they are done."""

    steps: Sequence[Step]
    all_or_nothing: bool


Handle = Callable[[Session, Message[Any]], Reply]


def carry_out(session: Session, asked: Message[Steps], *, handle: Handle) -> Reply:
    """Do the operations of a set in the transaction of its message; a handler for `spine.receive`.

    The reply's details name each operation that went wrong, with code and reason. Without the flag an operation that
    fails leaves nothing behind and the others stand; one that is done in part stands as far as it is done.

    Raises:
        ManyRejectedError: the set is transactional and one of it failed, or was done in part: nothing was done
            (OPERATIONS_ROLLED_BACK for each of the others).
    """
    steps, whole = asked.payload.steps, asked.payload.all_or_nothing
    wrong: dict[int, Reply] = {}
    for step in steps:
        reply = _do(session, step, handle)
        if reply.result == "OK":
            continue
        if whole:
            raise _rolled_back(steps, step, reply)
        wrong[step.operation_id] = reply
    correlation_id = asked.header.correlation_id
    if not wrong:
        return Reply("OK", correlation_id)
    details = dict(of_operation(name, reply.code, reply.reason) for name, reply in wrong.items())
    failed = sum(reply.result == "FAILED" for reply in wrong.values())
    first = next(iter(wrong.values()))
    return Reply("FAILED" if failed == len(steps) else "PARTIAL", correlation_id, first.code, first.reason, details)


def _do(session: Session, step: Step, handle: Handle) -> Reply:
    """Do one operation behind a savepoint; what fails is undone, and said as its reply."""
    if step.message is None:
        return _refused(step.refusal or RejectedError("not understood", code=codes.NOT_SUPPORTED_HERE))
    savepoint = session.begin_nested()
    try:
        said = handle(session, step.message)
    except RejectedError as error:
        savepoint.rollback()
        return _refused(error)
    if said.result == "FAILED":
        savepoint.rollback()
    else:
        savepoint.commit()
    return said


def _refused(error: RejectedError) -> Reply:
    """Return what is said of an operation that was refused."""
    where = f"{error.where}: " if error.where else ""
    return Reply("FAILED", code=str(error.code), reason=f"{where}{error.reason}")


def _rolled_back(steps: Sequence[Step], failed: Step, reply: Reply) -> ManyRejectedError:
    """Return the refusal of a whole set: the operation that failed with its own reason, the others as undone."""
    undone = f"undone: operation {failed.operation_id} failed"
    details = dict(
        of_operation(step.operation_id, reply.code, reply.reason)
        if step is failed
        else of_operation(step.operation_id, codes.OPERATIONS_ROLLED_BACK, undone)
        for step in steps
    )
    return ManyRejectedError(
        f"operation {failed.operation_id}: {reply.code}: {reply.reason}",
        code=codes.OPERATIONS_ROLLED_BACK,
        details=details,
        where=f"OperationSet/Operation[operationId={failed.operation_id}]",
    )
