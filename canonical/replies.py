"""What a reply says of single objects and operations: one entry of its details for each, in a fixed form."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from canonical.errors import ErrorCode, RejectedError

_OBJECT = re.compile(r"object (\w*) (.*)", re.DOTALL)
_OPERATION = re.compile(r"operation ([0-9]+)")


@dataclass(frozen=True, slots=True)
class Said:
    """What went wrong with one object, or one operation of a set."""

    code: str
    """Number and name of the catalogue entry."""

    reason: str
    object_type: str = ""
    """CIM class of the object, such as `UsagePoint`."""

    object_id: str = ""
    operation_id: int | None = None


class ManyRejectedError(RejectedError):
    """The data is wrong in several places: each is named in the details of the reply."""

    def __init__(self, reason: str, *, code: ErrorCode, details: Mapping[str, str], where: str = "") -> None:
        """Keep what is wrong as a whole, and of each object or operation (`of_object`, `of_operation`)."""
        super().__init__(reason, code=code, where=where)
        self.details = dict(details)


def of_object(object_type: str, object_id: str, code: ErrorCode | str, reason: str) -> tuple[str, str]:
    """Return the entry of a reply's details that says what is wrong with one object."""
    return f"object {object_type} {object_id}", f"{code}: {reason}"


def of_operation(operation_id: int, code: ErrorCode | str, reason: str) -> tuple[str, str]:
    """Return the entry of a reply's details that says what is wrong with one operation of a set."""
    return f"operation {operation_id}", f"{code}: {reason}"


def said_in(details: Mapping[str, str]) -> Iterator[Said]:
    """Yield what a reply's details say of objects and operations, in their order; counts and the like are left out."""
    for key, text in details.items():
        code, _, reason = text.partition(": ")
        operation, thing = _OPERATION.fullmatch(key), _OBJECT.fullmatch(key)
        if operation:
            yield Said(code, reason, operation_id=int(operation[1]))
        elif thing:
            yield Said(code, reason, thing[1], thing[2])
