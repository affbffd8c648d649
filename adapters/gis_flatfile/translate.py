"""Topology files of a GIS, to and from: one line says by which transformer and feeder a usage point is supplied."""

from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from canonical.holdings import Holding, Withdrawn
from canonical.messages import Item, Rejection
from sftp.formats import topology
from sftp.formats.item_file import read_header
from sftp.layout import Form
from sftp.layout_read import form_of


@dataclass(frozen=True, slots=True)
class WholeFile:
    """What one file says."""

    form: Form
    header: Mapping[str, Any]
    content: tuple[Holding | Withdrawn, ...]
    refused: tuple[Rejection, ...] = ()
    """Lines that are rejected alone. A file with any cannot be written back."""


def golden_read(wire: bytes, name: str) -> WholeFile:
    """Return what a sample file says.

    Raises:
        RejectedError: the file must be refused whole.
    """
    layout, found = topology.layout(), list(topology.items(BytesIO(wire), where=name))
    good = tuple(one.payload for one in found if isinstance(one, Item))
    bad = tuple(one for one in found if isinstance(one, Rejection))
    header = read_header(layout, BytesIO(wire), where=name)
    return WholeFile(form_of(BytesIO(wire), layout), header, good, bad)


def golden_write(whole: WholeFile, _name: str = "") -> bytes:
    """Return the file that says this.

    Raises:
        RejectedError: a holding is no topology.
    """
    return b"".join(topology.write(whole.header, whole.content, form=whole.form))
