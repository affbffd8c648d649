"""The billed extract, layout `billed/1`: the CIS's proof of what it billed, cancelled and billed again (ruling 3)."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO

from canonical.billing import BilledRow
from canonical.messages import FileFacts, Item, Rejection
from sftp.formats.item_file import examine_items, period_of, read_items, write_items
from sftp.layout import Form, Layout, standard_layout
from sftp.layout_read import Group
from sftp.layout_tally import Tally
from sftp.layout_write import Record

KEYS = {"BIL": ("determinant_id", "version", "event")}


def layout() -> Layout:
    """Return the layout `billed/1`."""
    return standard_layout("billed")


def items(stream: BinaryIO, *, where: str = "") -> Iterator[Item[BilledRow] | Rejection]:
    """Yield every row of a seekable stream, or its rejection, in order of lines.

    Raises:
        RejectedError: the file must be refused whole.
    """
    return read_items(layout(), stream, keys=KEYS, make=_item, where=where)


def examine(stream: BinaryIO, *, where: str = "") -> FileFacts:
    """Return header, counts, sum of quantity, good and bad rows of a seekable stream.

    Raises:
        RejectedError: the file must be refused whole.
    """
    return examine_items(layout(), stream, keys=KEYS, make=_item, where=where)


def _item(group: Group, row: Mapping[str, Any]) -> Item[BilledRow] | Rejection:
    """Return the row of one line."""
    period = period_of(group, row["period_start"], row["period_end"])
    if isinstance(period, Rejection):
        return period
    given = {name: value for name, value in row.items() if name not in ("period_start", "period_end")}
    return Item(group.line, group.key, BilledRow(**given, period=period, line=group.line), group.raw)


def write(
    header: Mapping[str, Any],
    rows: Iterable[BilledRow],
    *,
    form: Form | None = None,
    tally: Tally | None = None,
) -> Iterator[bytes]:
    """Yield a billed extract in chunks; `header` gives the HDR fields by name, its `zone` the local times' zone.

    Raises:
        RejectedError: a value cannot be said in the layout; what was yielded must be thrown away.
    """
    return write_items(layout(), header, map(_record, rows), form=form, tally=tally)


def _record(row: BilledRow) -> Record:
    """Return the record of one row."""
    values = (
        row.determinant_id,
        row.version,
        row.bill_id,
        row.period.start,
        row.period.end,
        row.quantity,
        row.unit,
        row.event,
        row.at,
    )
    return "BIL", values, ""
