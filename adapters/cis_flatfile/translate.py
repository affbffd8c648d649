"""Names, drops, requests, masters, billed extracts and acknowledgements of a flat-file CIS, to and from."""

from collections.abc import Iterator
from typing import Any, BinaryIO

from adapters.cis_flatfile.whole_files import read_whole as golden_read
from adapters.cis_flatfile.whole_files import write_whole as golden_write
from canonical.billing import BillingPart, PartHeader
from canonical.messages import FileFacts, FileIdentity, Item, Manifest, Rejection
from canonical.serials import SerialPolicy
from sftp.formats import billed, billing_request, masters, reference
from sftp.formats.file_names import named
from sftp.layout_tally import Tally
from sftp.manifest import ACKNOWLEDGEMENT_LIMIT, acknowledgement_from_json

__all__ = ["drop_manifest", "drop_name", "examine", "golden_read", "golden_write", "items"]


def drop_name(header: PartHeader, pattern: str) -> str:
    """Return the name of a part file, without wrapper; the same header gives the same name."""
    places = {
        "sender": header.sender,
        "receiver": header.receiver,
        "env": header.env,
        "type": header.run_type,
        # A correction drop that mixes cycles has none of its own.
        "cycle": header.cycle or "00",
        "businessdate": f"{header.business_date:%Y%m%d}",
        "seq6": f"{header.sequence:06d}",
        "part2": f"{header.part:02d}",
        "last": "F" if header.is_last else "",
        "rev": str(header.revision),
    }
    return named(pattern, places)


def drop_manifest(part: BillingPart, tally: Tally, name: str, size: int, sha256: str) -> Manifest:
    """Return the control file of a part file whose records were tallied while it was written."""
    header, layout = part.header, tally.layout
    return Manifest(
        name=name,
        bytes=size,
        sha256=sha256,
        records=dict(tally.records),
        totals=dict(tally.totals),
        sequence=header.sequence,
        previous_sequence=header.sequence - 1 if header.sequence > 1 else None,
        layout=f"{layout.layout_id}/{layout.version}",
        produced_at=header.created.isoformat(),
        zone=header.zone,
    )


def examine(stream: BinaryIO, *, identity: FileIdentity, where: str, serials: SerialPolicy) -> FileFacts:
    """Return what a file of this CIS is.

    Raises:
        RejectedError: the file must be refused whole.
    """
    match identity.kind:
        case "request":
            return billing_request.examine(stream, where=where, serials=serials)
        case "reference":
            return reference.examine(stream, where=where, serials=serials)
        case "masters":
            return masters.examine(stream, identity=identity, where=where, serials=serials)
        case "billed":
            return billed.examine(stream, where=where)
        case _:
            answer = acknowledgement_from_json(stream.read(ACKNOWLEDGEMENT_LIMIT + 1), where=where)
            return FileFacts({"file": answer.file_name, "verdict": answer.verdict}, {}, {}, 1, 0)


def items(
    stream: BinaryIO, *, identity: FileIdentity, where: str, serials: SerialPolicy
) -> Iterator[Item[Any] | Rejection]:
    """Yield the items of an examined file in order: requests, masters, billed rows, or the one acknowledgement."""
    match identity.kind:
        case "request":
            return billing_request.items(stream, where=where, serials=serials)
        case "reference":
            return reference.items(stream, where=where, serials=serials)
        case "masters":
            return masters.items(stream, where=where, serials=serials)
        case "billed":
            return billed.items(stream, where=where)
        case _:
            answer = acknowledgement_from_json(stream.read(ACKNOWLEDGEMENT_LIMIT + 1), where=where)
            return iter((Item(1, answer.file_name, answer),))
