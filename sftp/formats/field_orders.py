"""Field orders, layout `field_orders/1`: what a contractor is asked to do (docs/formats/field_orders.md)."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO

from canonical.messages import Item, Rejection
from canonical.rollout import FieldOrder
from sftp.formats.item_file import read_items, write_items
from sftp.layout import Form, Layout, standard_layout
from sftp.layout_read import Group
from sftp.layout_repeats import Keys
from sftp.layout_tally import Tally

KEYS: Keys = {"ORD": ("=ORD", "order")}


def layout() -> Layout:
    """Return the layout `field_orders/1`."""
    return standard_layout("field_orders")


def items(stream: BinaryIO, *, where: str = "") -> Iterator[Item[FieldOrder] | Rejection]:
    """Yield the orders of a seekable stream, or their rejections, in order of lines.

    Raises:
        RejectedError: the file must be refused whole; what was yielded before counts for nothing then.
    """
    return read_items(layout(), stream, keys=KEYS, make=_order, where=where)


def write(
    header: Mapping[str, Any], orders: Iterable[FieldOrder], *, form: Form | None = None, tally: Tally | None = None
) -> Iterator[bytes]:
    """Yield a file of orders in chunks; `header` gives the HDR fields by name, its `zone` that of all instants.

    Raises:
        RejectedError: a value cannot be said in the layout; what was yielded must be thrown away.
    """
    names = layout().record("ORD").names
    records = (("ORD", tuple(getattr(one, name) for name in names), "") for one in orders)
    return write_items(layout(), header, records, form=form, tally=tally)


def _order(group: Group, values: Mapping[str, Any]) -> Item[FieldOrder] | Rejection:
    return Item(group.line, f"ORD {values['order']}", FieldOrder(**values), group.raw)
