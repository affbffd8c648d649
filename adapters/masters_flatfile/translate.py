"""Masters files and acknowledgements of a system, to and from: what they are called, head, hold and say."""

from collections.abc import Iterator
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo

from canonical.holdings import HeldChanges
from canonical.messages import FileFacts, FileIdentity, Item, Manifest, Rejection
from canonical.serials import SerialPolicy
from sftp.formats import masters
from sftp.formats.file_names import PATTERNS, named
from sftp.formats.whole_holdings import WholeFile, whole_from_bytes, whole_to_bytes
from sftp.layout_tally import Tally
from sftp.manifest import ACKNOWLEDGEMENT_LIMIT, acknowledgement_from_json
from sftp.names import stem


def examine(stream: BinaryIO, *, identity: FileIdentity, where: str, serials: SerialPolicy) -> FileFacts:
    """Return what a file of this system is.

    Raises:
        RejectedError: the file must be refused whole.
    """
    if identity.kind == "masters":
        return masters.examine(stream, identity=identity, where=where, serials=serials)
    answer = acknowledgement_from_json(stream.read(ACKNOWLEDGEMENT_LIMIT + 1), where=where)
    return FileFacts({"file": answer.file_name, "verdict": answer.verdict}, {}, {}, 1, 0)


def items(
    stream: BinaryIO, *, identity: FileIdentity, where: str, serials: SerialPolicy
) -> Iterator[Item[Any] | Rejection]:
    """Yield the items of an examined file in order: what its lines say, or the one acknowledgement."""
    if identity.kind == "masters":
        return masters.items(stream, where=where, serials=serials)
    answer = acknowledgement_from_json(stream.read(ACKNOWLEDGEMENT_LIMIT + 1), where=where)
    return iter((Item(1, answer.file_name, answer),))


def name_of(told: HeldChanges, *, sender: str, receiver: str, env: str, zone: ZoneInfo) -> str:
    """Return the name of the file that tells this, without wrapper; its business date is that of the watermark."""
    places = {
        "sender": sender,
        "receiver": receiver,
        "env": env,
        "mode": told.mode,
        "businessdate": f"{told.watermark.astimezone(zone):%Y%m%d}",
        "seq6": f"{told.sequence:06d}",
        "rev": "0",
    }
    return named(PATTERNS["masters"], places)


def header_of(told: HeldChanges, name: str, *, sender: str, receiver: str, env: str, zone: ZoneInfo) -> dict[str, Any]:
    """Return the header of the file of that name; it counts as created at its watermark: told again, it is the same."""
    return {
        "file_id": stem(name),
        "sender": sender,
        "receiver": receiver,
        "env": env,
        "created": told.watermark,
        "business_date": told.watermark.astimezone(zone).date(),
        "zone": zone.key,
        "sequence": told.sequence,
        "mode": told.mode,
        "watermark": told.watermark,
    }


def manifest_of(told: HeldChanges, tally: Tally, name: str, size: int, sha256: str, *, zone: ZoneInfo) -> Manifest:
    """Return the control file of a file whose records were tallied while it was written."""
    return Manifest(
        name=name,
        bytes=size,
        sha256=sha256,
        records=dict(tally.records),
        totals={},
        sequence=told.sequence,
        previous_sequence=told.sequence - 1 if told.sequence > 1 else None,
        layout=f"{tally.layout.layout_id}/{tally.layout.version}",
        produced_at=told.watermark.isoformat(),
        zone=zone.key,
    )


def golden_read(wire: bytes, name: str) -> WholeFile:
    """Return what a sample file says.

    Raises:
        RejectedError: the file must be refused whole.
    """
    return whole_from_bytes(masters.layout(), wire, name)


def golden_write(whole: WholeFile, _name: str = "") -> bytes:
    """Return the file that says this.

    Raises:
        RejectedError: a holding cannot be said in the layout.
    """
    return whole_to_bytes(masters.layout(), whole)
