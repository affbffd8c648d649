"""A whole file of this CIS in canonical words, to and from: what the golden cases state."""

from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from adapters.cis_flatfile.settings import LAYOUTS
from canonical.codes import file as codes
from canonical.errors import RejectedError
from canonical.messages import Item, Rejection
from sftp import manifest
from sftp.formats import billed, billing_drop, billing_request, masters, reference
from sftp.formats.item_file import names_of, read_header
from sftp.layout import Form, Layout, read_layout
from sftp.layout_read import form_of, read
from sftp.layout_write import write

_FORMATS: Mapping[str, Any] = {
    "billing_request": billing_request,
    "reference": reference,
    "masters": masters,
    "billed": billed,
}


@dataclass(frozen=True, slots=True)
class WholeFile:
    """What one file says."""

    layout: str
    """Layout id, or `acknowledgement` or `manifest`."""

    form: str
    """`delimited`, `fixed` or `json`."""

    header: Mapping[str, Any]
    """Header values by field; empty where the content holds them."""

    content: tuple[Any, ...]
    """Canonical objects; for an upload layout, records as (tag, values by field)."""

    refused: tuple[Rejection, ...] = ()
    """Items that are rejected alone. A file with any cannot be written back."""


def read_whole(wire: bytes, name: str) -> WholeFile:
    """Return what a file says; `name` ends with its type.

    Raises:
        RejectedError: the file must be refused whole.
    """
    if name.endswith(".ack"):
        return WholeFile("acknowledgement", "json", {}, (manifest.acknowledgement_from_json(wire, where=name),))
    if name.endswith(".ctl"):
        return WholeFile("manifest", "json", {}, (manifest.manifest_from_json(wire, where=name),))
    stream = BytesIO(wire)
    if billing_drop.layout().layout_id.encode() in wire[:40]:
        return _drop(wire, name)
    for layout_id, form in _FORMATS.items():
        if layout_id.encode() in wire[:40]:
            layout = form.layout()
            header = read_header(layout, stream, where=name)
            found = list(form.items(stream, where=name))
            good = tuple(each.payload for each in found if isinstance(each, Item))
            bad = tuple(each for each in found if isinstance(each, Rejection))
            return WholeFile(layout_id, form_of(BytesIO(wire), layout), header, good, bad)
    return _upload(wire, name)


def _drop(wire: bytes, name: str) -> WholeFile:
    """Return what a billing drop says."""
    layout = billing_drop.layout()
    form = form_of(BytesIO(wire), layout)
    return WholeFile(layout.layout_id, form, {}, (billing_drop.part_from_bytes(wire, where=name),))


def _uploads() -> list[Layout]:
    """Return the upload layouts of this adapter."""
    return [read_layout(path) for path in sorted(LAYOUTS.glob("*.toml"))]


def _upload(wire: bytes, name: str) -> WholeFile:
    """Return the records of a file in one of the upload layouts."""
    layout = next((each for each in _uploads() if each.layout_id.encode() in wire[:60]), None)
    if layout is None:
        raise RejectedError("no layout of this adapter", code=codes.UNKNOWN_LAYOUT, where=name)
    names = names_of(layout)
    header: dict[str, Any] = {}
    rows: list[tuple[str, Mapping[str, Any]]] = []
    refused: list[Rejection] = []
    for group in read(layout, BytesIO(wire), form=layout.form, where=name).groups():
        if group.rejection is not None:
            refused.append(group.rejection)
        elif not header:
            header = dict(zip(names[group.tag], group.values, strict=True))
        else:
            rows.extend((tag, dict(zip(names[tag], values, strict=True))) for tag, _, values in group.rows)
    return WholeFile(layout.layout_id, layout.form, header, tuple(rows), tuple(refused))


def write_whole(whole: WholeFile, _name: str = "") -> bytes:
    """Return the bytes of a file.

    Raises:
        RejectedError: a value cannot be said in the layout, or no layout has that id.
    """
    if whole.form == "json":
        encode: Any = manifest.manifest_to_json
        if whole.layout == "acknowledgement":
            encode = manifest.acknowledgement_to_json
        return bytes(encode(whole.content[0]))
    form: Form = "fixed" if whole.form == "fixed" else "delimited"
    if whole.layout == billing_drop.layout().layout_id:
        return billing_drop.part_to_bytes(whole.content[0], form=form)
    if whole.layout in _FORMATS:
        return b"".join(_FORMATS[whole.layout].write(whole.header, whole.content, form=form))
    layout = next((each for each in _uploads() if each.layout_id == whole.layout), None)
    if layout is None:
        raise RejectedError(f"no layout {whole.layout!r}", code=codes.UNKNOWN_LAYOUT)
    records = ((tag, list(values.values()), "") for tag, values in whole.content)
    return b"".join(write(layout, list(whole.header.values()), records, zone=whole.header["zone"], form=form))
