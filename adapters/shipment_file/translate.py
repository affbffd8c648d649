"""Shipment files to and from what they mean; a file with a key in clear is withheld before anybody else sees it."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from canonical.codes.shipments import KEY_IN_CLEAR
from canonical.errors import RejectedError
from canonical.messages import FetchedFile, FileFacts, FileIdentity, Item, Rejection
from canonical.rollout import ShippedLot, ShippedMeter
from canonical.serials import SerialPolicy
from sftp.formats import file_names, shipment
from sftp.formats.clear_keys import line_with_key_in_clear
from sftp.formats.item_file import read_header
from sftp.formats.name_check import check_name
from sftp.layout import Form
from sftp.layout_read import form_of

WITHHELD = b"The content of this file was not kept: nobody looked into it, or it carried a security key in clear.\n"


def identify(name: str) -> FileIdentity:
    """Return what a name says: a shipment.

    Raises:
        RejectedError: it is none.
    """
    return file_names.identify(name, file_names.SHIPMENT)


def examine(stream: BinaryIO, *, identity: FileIdentity, where: str, serials: SerialPolicy) -> FileFacts:
    """Return what a shipment file is.

    Raises:
        RejectedError: it must be refused whole.
    """
    return check_name(identity, shipment.examine(stream, where=where, serials=serials), where=where)


def items(stream: BinaryIO, *, where: str, serials: SerialPolicy) -> Iterator[Item[Any] | Rejection]:
    """Yield the lots and meters of an examined file in order, or their rejections."""
    return shipment.items(stream, where=where, serials=serials)


def guarded(fetched: FetchedFile) -> FetchedFile:
    """Return a fetched file, refused and without its content where that carries a key in clear.

    What could not be opened, or is not what its control file says, loses its content too: nobody could look into it.
    """
    if fetched.refusal is None:
        with fetched.path.open("rb") as stream:
            line = line_with_key_in_clear(stream, shipment.layout())
        if not line:
            return fetched
        reason = f"line {line} carries a security key in clear; nothing of the file was kept"
        refusal = RejectedError(reason, code=KEY_IN_CLEAR, where=fetched.offered.name)
    else:
        refusal = fetched.refusal
    _withhold(fetched.path)
    return replace(fetched, refusal=refusal)


def guard_leftovers(folder: Path) -> None:
    """Withhold files of a folder that carry a key in clear: what a crash left there between its fetch and the look."""
    for path in folder.glob("[!.]*") if folder.is_dir() else ():
        try:
            with path.open("rb") as stream:
                is_clear = line_with_key_in_clear(stream, shipment.layout()) > 0
            if is_clear:
                _withhold(path)
        except FileNotFoundError:  # another worker has just taken it to its place
            continue


def _withhold(path: Path) -> None:
    """Write over the content of a file, and leave a note in its place."""
    left = path.stat().st_size
    with path.open("r+b") as file:
        while left > 0:
            left -= file.write(bytes(min(left, 1 << 20)))
        file.flush()
        os.fsync(file.fileno())
        file.truncate(0)
        file.seek(0)
        file.write(WITHHELD)
        file.flush()
        os.fsync(file.fileno())


@dataclass(frozen=True, slots=True)
class WholeFile:
    """What one file says."""

    form: Form
    header: Mapping[str, Any]
    content: tuple[ShippedLot | ShippedMeter, ...]
    refused: tuple[Rejection, ...] = ()
    """Lines that are rejected alone. A file with any cannot be written back."""


def golden_read(wire: bytes, name: str) -> WholeFile:
    """Return what a sample file says.

    Raises:
        RejectedError: the file must be refused whole.
    """
    layout, found = shipment.layout(), list(shipment.items(BytesIO(wire), where=name))
    good = tuple(one.payload for one in found if isinstance(one, Item))
    bad = tuple(one for one in found if isinstance(one, Rejection))
    return WholeFile(form_of(BytesIO(wire), layout), read_header(layout, BytesIO(wire), where=name), good, bad)


def golden_write(whole: WholeFile, _name: str = "") -> bytes:
    """Return the file that says this.

    Raises:
        RejectedError: a value cannot be said in the layout.
    """
    return b"".join(shipment.write(whole.header, whole.content, form=whole.form))
