"""Billing requests, layout `billing_request/1`: what the CIS wants billed, and what it withdraws."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, BinaryIO

from canonical.billing import BillingRequestItem
from canonical.codes import file as codes
from canonical.messages import FileFacts, Item, Rejection
from canonical.periods import Period
from canonical.serials import SerialPolicy
from sftp.formats.item_file import examine_items, period_of, read_items, write_items
from sftp.layout import Form, Layout, standard_layout
from sftp.layout_read import Group
from sftp.layout_tally import Tally
from sftp.layout_write import Record

KEYS = {"REQ": ("request_id",), "CAN": ("request_id",)}

NO_PERIOD = Period(datetime(1970, 1, 1, tzinfo=UTC), datetime(1970, 1, 1, tzinfo=UTC))
"""Period of a withdrawal, which names a request and nothing else. Its commodity means nothing either."""

_ANY_SERIAL = SerialPolicy()


def layout() -> Layout:
    """Return the layout `billing_request/1`."""
    return standard_layout("billing_request")


def items(
    stream: BinaryIO, *, where: str = "", serials: SerialPolicy = _ANY_SERIAL
) -> Iterator[Item[BillingRequestItem] | Rejection]:
    """Yield every request and withdrawal of a seekable stream, or its rejection, in order of lines.

    A request that stands twice is taken once, with a warning; one id with different content is rejected both times.

    Raises:
        RejectedError: the file must be refused whole.
    """
    return read_items(layout(), stream, keys=KEYS, make=partial(_item, serials), where=where)


def examine(stream: BinaryIO, *, where: str = "", serials: SerialPolicy = _ANY_SERIAL) -> FileFacts:
    """Return header, counts, good and bad items of a seekable stream.

    Raises:
        RejectedError: the file must be refused whole.
    """
    return examine_items(layout(), stream, keys=KEYS, make=partial(_item, serials), where=where)


def _item(serials: SerialPolicy, group: Group, row: Mapping[str, Any]) -> Item[BillingRequestItem] | Rejection:
    """Return the request or withdrawal of one line."""
    if group.tag == "CAN":
        withdrawal = BillingRequestItem(
            row["request_id"], "CANCEL", "ELECTRICITY", NO_PERIOD, cancels=row["cancels"], line=group.line
        )
        return Item(group.line, group.key, withdrawal, group.raw)
    period = period_of(group, row["period_start"], row["period_end"])
    if isinstance(period, Rejection):
        return period
    mangled = serials.rejection(row["manufacturer"], row["serial"], line=group.line, key=group.key, raw=group.raw)
    if mangled is not None:
        return mangled
    if not (row["usage_point"] or row["agreement"] or row["account"] or (row["manufacturer"] and row["serial"])):
        reason = "names no usage point, agreement, account or meter (manufacturer and serial)"
        return Rejection(group.line, str(codes.FIELD_MISSING), reason, key=group.key, raw=group.raw)
    given = {name: value for name, value in row.items() if name not in ("period_start", "period_end")}
    return Item(group.line, group.key, BillingRequestItem(**given, period=period, line=group.line), group.raw)


def write(
    header: Mapping[str, Any],
    items: Iterable[BillingRequestItem],
    *,
    form: Form | None = None,
    tally: Tally | None = None,
) -> Iterator[bytes]:
    """Yield a request file in chunks; `header` gives the HDR fields by name, its `zone` the local times' zone.

    Raises:
        RejectedError: a value cannot be said in the layout; what was yielded must be thrown away.
    """
    return write_items(layout(), header, map(_record, items), form=form, tally=tally)


def _record(item: BillingRequestItem) -> Record:
    """Return the record of one request or withdrawal."""
    if item.reason == "CANCEL":
        return "CAN", (item.request_id, item.cancels), ""
    values = (
        item.request_id,
        item.reason,
        item.commodity,
        item.usage_point,
        item.agreement,
        item.account,
        item.manufacturer,
        item.serial,
        item.period.start,
        item.period.end,
        item.replaces,
        item.deadline,
    )
    return "REQ", values, ""
