"""Files of a route reader to and from what they mean: routes out, manual reads in, acknowledgements both ways."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any, BinaryIO, Literal
from zoneinfo import ZoneInfo

from canonical.messages import FileFacts, FileIdentity, Item, Rejection
from canonical.rollout import ManualRead, RouteExtract, RouteStop
from canonical.serials import SerialPolicy
from sftp.formats import file_names, manual_reads, route
from sftp.formats.item_file import read_header
from sftp.formats.name_check import check_name
from sftp.layout import Form
from sftp.layout_read import form_of
from sftp.manifest import ACKNOWLEDGEMENT_LIMIT, acknowledgement_from_json
from sftp.names import stem


def identify(name: str) -> FileIdentity:
    """Return what a name says: manual reads, or an answer to a route of ours.

    Raises:
        RejectedError: neither.
    """
    return file_names.identify(name, file_names.ROUTE)


def examine(stream: BinaryIO, *, identity: FileIdentity, where: str, serials: SerialPolicy) -> FileFacts:
    """Return what a file of the reader is.

    Raises:
        RejectedError: it must be refused whole.
    """
    if identity.kind == "manual_reads":
        return check_name(identity, manual_reads.examine(stream, where=where, serials=serials), where=where)
    answer = acknowledgement_from_json(stream.read(ACKNOWLEDGEMENT_LIMIT + 1), where=where)
    return FileFacts({"file": answer.file_name, "verdict": answer.verdict}, {}, {}, 1, 0)


def items(
    stream: BinaryIO, *, identity: FileIdentity, where: str, serials: SerialPolicy
) -> Iterator[Item[Any] | Rejection]:
    """Yield the reads of an examined file in order, or the one acknowledgement."""
    if identity.kind == "manual_reads":
        return manual_reads.items(stream, where=where, serials=serials)
    answer = acknowledgement_from_json(stream.read(ACKNOWLEDGEMENT_LIMIT + 1), where=where)
    return iter((Item(1, answer.file_name, answer),))


def name_of(extract: RouteExtract, codes: Mapping[str, str]) -> str:
    """Return the name of the file that tells an extract, without wrapper."""
    places = {"businessdate": f"{extract.business_date:%Y%m%d}", "seq6": f"{extract.sequence:06d}"}
    return file_names.named(file_names.ROUTE["route"], {**codes, **places})


def header_of(extract: RouteExtract, name: str, codes: Mapping[str, str], zone: ZoneInfo) -> dict[str, Any]:
    """Return the header of the file of an extract; it counts as created when the route was extracted."""
    return {
        **codes,
        "file_id": stem(name),
        "created": extract.extracted_at,
        "business_date": extract.business_date,
        "zone": zone.key,
        "sequence": extract.sequence,
        "route": extract.route,
        "extracted_at": extract.extracted_at,
    }


@dataclass(frozen=True, slots=True)
class WholeFile:
    """What one file says."""

    kind: Literal["route", "manual_reads"]
    form: Form
    header: Mapping[str, Any]
    content: tuple[RouteStop | ManualRead, ...]
    refused: tuple[Rejection, ...] = ()
    """Lines that are rejected alone. A file with any cannot be written back."""


def golden_read(wire: bytes, name: str) -> WholeFile:
    """Return what a sample file says.

    Raises:
        RejectedError: the file must be refused whole.
    """
    kind: Literal["route", "manual_reads"] = "manual_reads" if b"manual_reads" in wire[:40] else "route"
    module = manual_reads if kind == "manual_reads" else route
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
    if whole.kind == "route":
        stops = (one for one in whole.content if isinstance(one, RouteStop))
        return b"".join(route.write(whole.header, stops, form=whole.form))
    reads = (one for one in whole.content if isinstance(one, ManualRead))
    return b"".join(manual_reads.write(whole.header, reads, form=whole.form))
