"""What a whole file is, found in one pass: header, counts, control totals, good and bad items."""

from collections.abc import Callable, Collection
from typing import BinaryIO

from canonical.codes import file as codes
from canonical.messages import FileFacts, Rejection
from sftp.layout_read import Group, Reading
from sftp.layout_repeats import Keys, repeats_in

Judge = Callable[[Group], Rejection | None]
"""Says why the business item of a group cannot be taken, beyond its form."""


def examine(stream: BinaryIO, reading: Reading, keys: Keys, judge: Judge, *, items: Collection[str] = ()) -> FileFacts:
    """Return the facts of a seekable stream; `items` are the tags that count as business items (empty: all).

    An identical repeat counts as an item that is left out, not as a bad one.

    Raises:
        RejectedError: the file must be refused whole.
    """
    repeats = repeats_in(stream, reading.compiled, keys)
    groups = reading.groups()
    first = next(groups)
    total = bad = 0
    for group in groups:
        rejection = repeats.verdict(group) or judge(group)
        if items and group.tag not in items and rejection is None:
            continue
        total += 1
        bad += rejection is not None and rejection.code != str(codes.REPEATED_IN_FILE)
    return facts_of(reading, first, total, bad)


def facts_of(reading: Reading, header: Group, items: int, bad_items: int) -> FileFacts:
    """Return the facts of a file that was read to its end, with the numbers of its items and of the bad ones."""
    record = reading.compiled.records[header.tag]
    texts = dict(zip(record.record.names, record.texts(header.raw), strict=True))
    return FileFacts(texts, dict(reading.tally.records), dict(reading.tally.totals), items, bad_items)
