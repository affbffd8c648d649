"""Files of business items by a standard layout: the way of reading and writing that all of them share."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, BinaryIO, TypeVar

from canonical.codes import file as codes
from canonical.messages import FileFacts, Item, Rejection
from canonical.periods import Period
from sftp.layout import Form, Layout
from sftp.layout_examine import examine
from sftp.layout_read import Group, Reading, form_of, read
from sftp.layout_repeats import Keys, repeats_in
from sftp.layout_tally import Tally
from sftp.layout_write import Record, write

Payload = TypeVar("Payload")
Make = Callable[[Group, Mapping[str, Any]], Item[Any] | Rejection | None]
"""Makes the item of a group and its first record's values by name; None for a group that is no item of its own."""


def open_reading(layout: Layout, stream: BinaryIO, where: str) -> Reading:
    """Return a pass over a seekable stream, in whichever form it is written."""
    return read(layout, stream, form=form_of(stream, layout), where=where)


def read_items(
    layout: Layout, stream: BinaryIO, *, keys: Keys, make: Make, where: str
) -> Iterator[Item[Any] | Rejection]:
    """Yield every item of a seekable stream, or its rejection, in order of lines.

    Raises:
        RejectedError: the file must be refused whole; what was yielded before counts for nothing then.
    """
    reading = open_reading(layout, stream, where)
    repeats = repeats_in(stream, reading.compiled, keys)
    names = names_of(layout)
    groups = reading.groups()
    next(groups)
    for group in groups:
        found = group.rejection or repeats.verdict(group)
        if found is None:
            made = make(group, dict(zip(names[group.tag], group.values, strict=True)))
            if made is not None:
                yield made
        else:
            yield found


def examine_items(
    layout: Layout, stream: BinaryIO, *, keys: Keys, make: Make, where: str, items: Collection[str] = ()
) -> FileFacts:
    """Return the facts of a seekable stream; `items` are the tags that count (empty: all).

    Raises:
        RejectedError: the file must be refused whole.
    """
    names = names_of(layout)

    def judge(group: Group) -> Rejection | None:
        if group.rejection is not None:
            return group.rejection
        made = make(group, dict(zip(names[group.tag], group.values, strict=True)))
        return made if isinstance(made, Rejection) else None

    return examine(stream, open_reading(layout, stream, where), keys, judge, items=items)


def names_of(layout: Layout) -> dict[str, tuple[str, ...]]:
    """Return tag to field names."""
    return {record.tag: record.names for record in layout.records}


def read_header(layout: Layout, stream: BinaryIO, *, where: str = "") -> dict[str, Any]:
    """Return the header of a seekable stream as typed values by field name; leaves it at its start.

    Raises:
        RejectedError: the header cannot be read, or names another layout.
    """
    reading = open_reading(layout, stream, where)
    first = next(reading.groups())
    stream.seek(0)
    return dict(zip(reading.compiled.records[first.tag].record.names, first.values, strict=True))


def write_items(
    layout: Layout,
    header: Mapping[str, Any],
    records: Iterable[Record],
    *,
    form: Form | None = None,
    tally: Tally | None = None,
) -> Iterator[bytes]:
    """Yield a file of records in chunks; `header` gives the header's values by field name, constants left out.

    Raises:
        RejectedError: a value cannot be said in the layout; what was yielded must be thrown away.
    """
    fields = layout.of_scope("header")[0].fields
    values = [f.constant or header.get(f.name) for f in fields]
    return write(layout, values, records, zone=header["zone"], form=form, tally=tally)


def period_of(group: Group, start: Any, end: Any) -> Period | Rejection:
    """Return a period, or the rejection of an item whose period ends before it starts or is empty."""
    if end <= start:
        reason = f"the period ends at {end.isoformat()}, not after its start {start.isoformat()}"
        return reject(group, reason)
    return Period(start, end)


def reject(group: Group, reason: str) -> Rejection:
    """Return the rejection of an item whose fields contradict each other."""
    return Rejection(group.line, str(codes.BAD_FIELD), reason, key=group.key, raw=group.raw)
