"""Files of a contractor to and from what they mean: completions in, field orders out, acknowledgements both ways."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from io import BytesIO
from typing import Any, BinaryIO, Literal
from zoneinfo import ZoneInfo

from canonical.messages import FileFacts, FileIdentity, Item, Rejection
from canonical.rollout import Completion, FieldOrder
from canonical.serials import SerialPolicy
from sftp.formats import completions, field_orders, file_names
from sftp.formats.item_file import read_header
from sftp.formats.name_check import check_name
from sftp.layout import Form
from sftp.layout_read import form_of
from sftp.manifest import ACKNOWLEDGEMENT_LIMIT, acknowledgement_from_json
from sftp.names import stem


def identify(name: str) -> FileIdentity:
    """Return what a name says: completions, or an answer to orders of ours.

    Raises:
        RejectedError: neither.
    """
    return file_names.identify(name, file_names.CONTRACTOR)


def examine(stream: BinaryIO, *, identity: FileIdentity, where: str, serials: SerialPolicy) -> FileFacts:
    """Return what a file of the contractor is.

    Raises:
        RejectedError: it must be refused whole.
    """
    if identity.kind == "completions":
        return check_name(identity, completions.examine(stream, where=where, serials=serials), where=where)
    answer = acknowledgement_from_json(stream.read(ACKNOWLEDGEMENT_LIMIT + 1), where=where)
    return FileFacts({"file": answer.file_name, "verdict": answer.verdict}, {}, {}, 1, 0)


def items(
    stream: BinaryIO, *, identity: FileIdentity, where: str, serials: SerialPolicy
) -> Iterator[Item[Any] | Rejection]:
    """Yield the completions of an examined file in order, or the one acknowledgement."""
    if identity.kind == "completions":
        return completions.items(stream, where=where, serials=serials)
    answer = acknowledgement_from_json(stream.read(ACKNOWLEDGEMENT_LIMIT + 1), where=where)
    return iter((Item(1, answer.file_name, answer),))


def name_of(message_id: str, day: date, codes: Mapping[str, str]) -> str:
    """Return the name of the file that tells the orders of a message, without wrapper; the same message, the same."""
    number = message_id.replace("-", "")[:12]
    return file_names.named(
        file_names.CONTRACTOR["field_orders"], {**codes, "businessdate": f"{day:%Y%m%d}", "number": number}
    )


def header_of(name: str, day: date, created: datetime, codes: Mapping[str, str], zone: ZoneInfo) -> dict[str, Any]:
    """Return the header of a file of orders."""
    return {**codes, "file_id": stem(name), "created": created, "business_date": day, "zone": zone.key}


@dataclass(frozen=True, slots=True)
class WholeFile:
    """What one file says."""

    kind: Literal["completions", "field_orders"]
    form: Form
    header: Mapping[str, Any]
    content: tuple[Completion | FieldOrder, ...]
    refused: tuple[Rejection, ...] = ()
    """Lines that are rejected alone. A file with any cannot be written back."""


def golden_read(wire: bytes, name: str) -> WholeFile:
    """Return what a sample file says.

    Raises:
        RejectedError: the file must be refused whole.
    """
    kind: Literal["completions", "field_orders"] = "field_orders" if b"field_orders" in wire[:40] else "completions"
    module = field_orders if kind == "field_orders" else completions
    layout, found = module.layout(), list(module.items(BytesIO(wire), where=name))
    good: Sequence[Any] = [one.payload for one in found if isinstance(one, Item)]
    bad = tuple(one for one in found if isinstance(one, Rejection))
    header = read_header(layout, BytesIO(wire), where=name)
    return WholeFile(kind, form_of(BytesIO(wire), layout), header, tuple(good), bad)


def golden_write(whole: WholeFile, _name: str = "") -> bytes:
    """Return the file that says this.

    Raises:
        RejectedError: a value cannot be said in the layout.
    """
    if whole.kind == "field_orders":
        orders = (one for one in whole.content if isinstance(one, FieldOrder))
        return b"".join(field_orders.write(whole.header, orders, form=whole.form))
    told = (one for one in whole.content if isinstance(one, Completion))
    return b"".join(completions.write(whole.header, told, form=whole.form))
