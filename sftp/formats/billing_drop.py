"""The billing drop, layout `billing_drop/1` (docs/adapters/cis_flatfile.md): bill determinants to and from files.

Writing and reading are streams: neither side ever holds the file. Delimited and fixed width come from one layout.
"""

from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import Any, BinaryIO

from canonical.billing import BillDeterminant, BillingPart, ClosingAccount, PartHeader
from canonical.codes import ALL
from canonical.errors import RejectedError
from canonical.messages import FileFacts, Item, Rejection
from sftp.formats import drop_records
from sftp.formats.drop_check import check
from sftp.formats.drop_inspect import channels_of
from sftp.formats.drop_items import closing_from, determinant_from, header_from
from sftp.formats.drop_zone import Zones
from sftp.layout import Form, Layout, standard_layout
from sftp.layout_examine import examine as examine_layout
from sftp.layout_read import Group, Reading, form_of, read
from sftp.layout_repeats import repeats_in
from sftp.layout_tally import Tally
from sftp.layout_write import Record
from sftp.layout_write import write as write_layout

__all__ = ["check", "determinants", "examine", "inspect", "layout", "part_from_bytes", "part_to_bytes", "write"]

KEYS = {"SVC": ("determinant_id",)}


def layout() -> Layout:
    """Return the layout `billing_drop/1`."""
    return standard_layout("billing_drop")


def write(
    header: PartHeader,
    determinants: Iterable[BillDeterminant],
    closing: ClosingAccount | None = None,
    *,
    form: Form | None = None,
    upload: Layout | None = None,
    tally: Tally | None = None,
) -> Iterator[bytes]:
    """Yield one part file in chunks: header, determinants as they come, closing account, trailer.

    `upload` is another CIS's layout; without it the drop's own. `tally` (of the same layout) holds counts and control
    totals once the last chunk was taken.

    Raises:
        RejectedError: a value cannot be said in the layout; what was yielded must be thrown away.
    """
    chosen = upload or layout()

    def records() -> Iterator[Record]:
        for determinant in determinants:
            yield from drop_records.records(chosen, determinant)
        yield from drop_records.closing_records(chosen, closing)

    values = drop_records.header_values(chosen, header)
    return write_layout(chosen, values, records(), zone=header.zone, form=form, tally=tally)


def part_to_bytes(part: BillingPart, *, form: Form | None = None, upload: Layout | None = None) -> bytes:
    """Return one part as the bytes of its file."""
    return b"".join(write(part.header, part.determinants, part.closing, form=form, upload=upload))


def part_from_bytes(data: bytes, *, where: str = "") -> BillingPart:
    """Return the part that a file holds.

    Raises:
        RejectedError: the file must be refused whole, or one of its determinants cannot be read.
    """
    reading = _reading(BytesIO(data), where)
    groups = reading.groups()
    header = header_from(next(groups).values)
    zones = Zones(header.zone)
    found: list[BillDeterminant] = []
    closing: list[list[Any]] = []
    for group in groups:
        determinant = _item(group, zones, reading)
        if isinstance(determinant, Rejection):
            raise _refused(determinant, where)
        if determinant is None:
            closing.append(group.values)
        else:
            found.append(determinant)
    return BillingPart(header, tuple(found), closing_from(closing))


def _item(group: Group, zones: Zones, reading: Reading) -> BillDeterminant | Rejection | None:
    """Return the determinant of a group or its rejection; None for a line of the closing account."""
    if group.rejection is not None:
        return group.rejection
    return determinant_from(group, zones, reading) if group.tag == "SVC" else None


def _refused(rejection: Rejection, where: str) -> RejectedError:
    """Return a rejection as the error that refuses the file."""
    place = f"{where}, line {rejection.line}" if where else f"line {rejection.line}"
    return RejectedError(rejection.reason, code=ALL[rejection.code[:4]], where=place)


def determinants(stream: BinaryIO, *, where: str = "") -> Iterator[Item[BillDeterminant] | Rejection]:
    """Yield every determinant of a seekable stream, or its rejection, as it is read.

    A determinant that stands twice is taken once, with a warning; with different content not at all.

    Raises:
        RejectedError: the file must be refused whole; what was yielded before counts for nothing then.
    """
    reading = _reading(stream, where)
    repeats = repeats_in(stream, reading.compiled, KEYS)
    groups = reading.groups()
    zones = Zones(header_from(next(groups).values).zone)
    for group in groups:
        found = repeats.verdict(group) or _item(group, zones, reading)
        if isinstance(found, Rejection):
            yield found
        elif found is not None:
            yield Item(group.line, group.key, found, group.raw)


def examine(stream: BinaryIO, *, where: str = "") -> FileFacts:
    """Return what a drop is: header, counts, control totals, good and bad determinants.

    Raises:
        RejectedError: the file must be refused whole.
    """
    reading = _reading(stream, where)

    def judge(group: Group) -> Rejection | None:
        found = _item(group, _OWN, reading)
        return found if isinstance(found, Rejection) else None

    return examine_layout(stream, reading, KEYS, judge, items={"SVC"})


_OWN = Zones("UTC")
"""Examining never looks at zones."""


def _reading(stream: BinaryIO, where: str) -> Reading:
    """Return a pass over a seekable stream, in whichever form it is written."""
    return read(layout(), stream, form=form_of(stream, layout()), where=where)


def inspect(stream: BinaryIO) -> dict[str, Any]:
    """Return what `amihub inspect --json` prints of a drop: see `sftp.formats.drop_inspect`."""
    return channels_of(determinants(stream))
