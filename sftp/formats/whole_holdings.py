"""A whole small file of holdings in memory, to and from: samples of masters and topology are compared by it."""

from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from canonical.holdings import Holding, Withdrawn
from canonical.messages import Item, Rejection
from sftp.formats.holding_file import read_holdings, write_holdings
from sftp.formats.item_file import read_header
from sftp.layout import Form, Layout
from sftp.layout_read import form_of


@dataclass(frozen=True, slots=True)
class WholeFile:
    """What one file says."""

    form: Form
    header: Mapping[str, Any]
    content: tuple[Holding | Withdrawn, ...]
    refused: tuple[Rejection, ...] = ()
    """Lines that are rejected alone. A file with any cannot be written back."""


def whole_from_bytes(layout: Layout, wire: bytes, name: str) -> WholeFile:
    """Return what a file of a layout says.

    Raises:
        RejectedError: the file must be refused whole.
    """
    found = list(read_holdings(layout, BytesIO(wire), where=name))
    good = tuple(one.payload for one in found if isinstance(one, Item))
    bad = tuple(one for one in found if isinstance(one, Rejection))
    return WholeFile(form_of(BytesIO(wire), layout), read_header(layout, BytesIO(wire), where=name), good, bad)


def whole_to_bytes(layout: Layout, whole: WholeFile) -> bytes:
    """Return the file that says this.

    Raises:
        RejectedError: a holding cannot be said in the layout.
    """
    return b"".join(write_holdings(layout, whole.header, whole.content, form=whole.form))
