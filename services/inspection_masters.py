"""What a masters or topology file says of itself and holds."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from canonical.holdings import FIELDS, Withdrawn
from canonical.messages import Item, Rejection
from services.inspection_facts import FAULT_LIMIT, FileFault, Findings, HoldingFacts
from sftp.formats import masters, topology
from sftp.formats.item_file import open_reading
from sftp.layout import Layout

Items = Iterator[Item[Any] | Rejection]


def inspect_masters(stream: BinaryIO, findings: Findings) -> None:
    """Count the versions of a masters file by kind; a line that is refused alone does not refuse the file."""
    _inspect(stream, findings, masters.layout(), masters.items)


def inspect_topology(stream: BinaryIO, findings: Findings) -> None:
    """Count the links of a topology file; a line that is refused alone does not refuse the file."""
    _inspect(stream, findings, topology.layout(), topology.items)


def _inspect(stream: BinaryIO, findings: Findings, layout: Layout, items: Callable[[BinaryIO], Items]) -> None:
    """Read a file to its end and note what it says of itself and holds.

    Raises:
        RejectedError: the file must be refused whole.
    """
    head = _header(stream, layout)
    held: Counter[str] = Counter()
    withdrawn = rejected = 0
    for found in items(stream):
        if isinstance(found, Rejection):
            rejected += found.verdict == "REJECTED"
            if len(findings.faults) < FAULT_LIMIT:
                findings.faults.append(FileFault(found.code, found.line, found.reason))
        elif isinstance(found.payload, Withdrawn):
            withdrawn += 1
        else:
            held[found.payload.kind] += 1
    findings.holdings = HoldingFacts(
        sender=head["sender"],
        receiver=head["receiver"],
        mode=head["mode"],
        sequence=head["sequence"],
        watermark=head["watermark"],
        held={str(kind): held[kind] for kind in FIELDS if held[kind]},
        withdrawn=withdrawn,
        rejected=rejected,
    )
    findings.is_refused = False


def _header(stream: BinaryIO, layout: Layout) -> dict[str, str]:
    """Return the header's texts by field; the stream is left at its start."""
    reading = open_reading(layout, stream, "")
    first = next(reading.groups())
    stream.seek(0)
    record = reading.compiled.records[first.tag]
    return dict(zip(record.record.names, record.texts(first.raw), strict=True))
