"""Several operations in one message: each with its own outcome, or all of them or none."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from canonical.codes import message as codes
from canonical.errors import RejectedError
from canonical.messages import Message, Reply
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


def carry_out(session: Session, asked: Message[Steps], *, handle: Callable[[Session, Message[Any]], Reply]) -> Reply:
    """Do the operations of a set in the transaction of its message; a handler for `spine.receive`.

    The reply's details name each operation that failed, as `operation 3`, with code and reason. Without the flag an
    operation that fails leaves nothing behind and the others stand.

    Raises:
        RejectedError: the set is transactional and one of it failed: nothing was done (OPERATIONS_ROLLED_BACK).
    """
    failed: dict[str, str] = {}
    for step in asked.payload.steps:
        try:
            if step.message is None:
                raise step.refusal or RejectedError("not understood", code=codes.NOT_SUPPORTED_HERE)
            with session.begin_nested():
                handle(session, step.message)
        except RejectedError as error:
            if asked.payload.all_or_nothing:
                raise RejectedError(
                    f"operation {step.operation_id}: {error}",
                    code=codes.OPERATIONS_ROLLED_BACK,
                    where=f"OperationSet/Operation[operationId={step.operation_id}]",
                ) from error
            failed[f"operation {step.operation_id}"] = f"{error.code}: {error.reason}"
    correlation_id = asked.header.correlation_id
    if not failed:
        return Reply("OK", correlation_id)
    whole = len(failed) == len(asked.payload.steps)
    code, _, reason = next(iter(failed.values())).partition(": ")
    return Reply("FAILED" if whole else "PARTIAL", correlation_id, code, reason, failed)
