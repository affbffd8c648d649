"""Writing a file by its layout as a stream of chunks: the same records give the same bytes, the trailer comes last."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from canonical.codes import file as codes
from canonical.errors import RejectedError
from sftp.layout import Form, Layout
from sftp.layout_lines import CONTROL, CONTROLS
from sftp.layout_read import compiled
from sftp.layout_record import CompiledRecord
from sftp.layout_tally import Tally

LINES_IN_CHUNK = 1024

Record = tuple[str, Sequence[Any], str]
"""Tag, values in the order of the layout's fields, and the zone of its local times (empty: the file's)."""

Line = tuple[CompiledRecord, tuple[str, ...]]
"""One line to be: its record type and the texts of its fields."""


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

    def lines() -> Iterator[Line]:
        yield line(ready.header, header, zone)
        for tag, values, own_zone in records:
            yield line(tag, values, own_zone or zone)
        tally.records[ready.trailer] += 1
        trailer = ready.records[ready.trailer]
        renders = trailer.renders(zone)
        yield trailer, tuple([r(v) for r, v in zip(renders, tally.trailer(), strict=True)])

    def line(tag: str, values: Sequence[Any], local: str) -> Line:
        record = ready.records[tag]
        texts = tuple([r(v) for r, v in zip(record.renders(local), values, strict=True)])
        tally.add(tag, values)
        return record, texts

    return chunks(lines())


def chunks(lines: Iterable[Line]) -> Iterator[bytes]:
    """Yield lines as UTF-8 bytes with LF, many in one chunk, checked together.

    Raises:
        RejectedError: a text contains the separator, a line break or a control character, or is wider than its field.
    """
    stream = iter(lines)
    while kept := list(islice(stream, LINES_IN_CHUNK)):
        first = kept[0][0]
        if first.form == "delimited":
            written = [record.template % texts for record, texts in kept]
            known = len(kept) + sum([len(texts) for _, texts in kept])
            marks = CONTROLS + b"\n" + first.separator.encode()
        else:
            written = [record.line(texts) for record, texts in kept]
            known, marks = len(kept), CONTROLS + b"\n"
        written.append("")
        data = "\n".join(written).encode()
        # Whatever of these stands in the block beyond what the format put there came out of a value.
        if len(data) - len(data.translate(None, marks)) != known:
            raise _unwritable(kept)
        yield data


def _unwritable(lines: Iterable[Line]) -> RejectedError:
    """Return the error of the first line that cannot be written."""
    for record, texts in lines:
        if record.cut is None and (record.template % texts).count(record.separator) != len(texts):
            return record.unwritable(texts)
        if any("\n" in text or CONTROL.search(text) for text in texts):
            return record.unwritable(texts)
    return RejectedError("a line cannot be written", code=codes.UNWRITABLE_VALUE)
