"""Writing a file by its layout as a stream of chunks: the same records give the same bytes, the trailer comes last."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from canonical.codes import file as codes
from canonical.errors import RejectedError
from sftp.layout import Form, Layout
from sftp.layout_read import compiled
from sftp.layout_tally import Tally

LINES_IN_CHUNK = 1024

_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")

Record = tuple[str, Sequence[Any], str]
"""Tag, values in the order of the layout's fields, and the zone of its local times (empty: the file's)."""


def write(
    layout: Layout,
    header: Sequence[Any],
    records: Iterable[Record],
    *,
    zone: str,
    form: Form | None = None,
    tally: Tally | None = None,
) -> Iterator[bytes]:
    """Yield the file of a header and records in chunks; local times of header and trailer are written in `zone`.

    `tally` holds counts and totals once the last chunk was taken.

    Raises:
        RejectedError: a value cannot be said in this layout; nothing of the file may be used then.
    """
    ready = compiled(layout, form)
    tally = Tally(layout) if tally is None else tally

    def lines() -> Iterator[str]:
        yield line(ready.header, header, zone)
        for tag, values, own_zone in records:
            yield line(tag, values, own_zone or zone)
        tally.records[ready.trailer] += 1
        trailer = ready.records[ready.trailer]
        renders = trailer.renders(zone)
        yield trailer.line(tuple([r(v) for r, v in zip(renders, tally.trailer(), strict=True)]))

    def line(tag: str, values: Sequence[Any], local: str) -> str:
        record = ready.records[tag]
        texts = tuple([r(v) for r, v in zip(record.renders(local), values, strict=True)])
        tally.add(tag, values)
        return record.line(texts)

    return chunks(lines())


def chunks(lines: Iterable[str]) -> Iterator[bytes]:
    """Yield lines as UTF-8 bytes with LF, many in one chunk.

    Raises:
        RejectedError: a line contains a control character.
    """
    kept: list[str] = []
    for line in lines:
        kept.append(line)
        if len(kept) == LINES_IN_CHUNK:
            yield _chunk(kept)
            kept = []
    if kept:
        yield _chunk(kept)


def _chunk(lines: list[str]) -> bytes:
    """Return lines as bytes."""
    text = "\n".join(lines)
    found = _CONTROL.search(text)
    if found is not None:
        line = text.count("\n", 0, found.start())
        raise RejectedError(
            f"control character in {lines[line]!r}", code=codes.UNWRITABLE_VALUE, where=lines[line][:40]
        )
    return text.encode() + b"\n"
