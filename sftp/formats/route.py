"""Route extracts, layout `route/1` of fixed width: the meters that a reader reads (docs/formats/route.md)."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO

from canonical.messages import Item, Rejection
from canonical.metering import Register
from canonical.rollout import RouteStop
from sftp.formats.item_file import Make, read_header, read_items, reject, write_items
from sftp.formats.registers import register_values
from sftp.layout import Form, Layout, standard_layout
from sftp.layout_read import Group
from sftp.layout_repeats import Keys
from sftp.layout_tally import Tally
from sftp.layout_write import Record

KEYS: Keys = {"STP": ("=STP", "stop")}


def layout() -> Layout:
    """Return the layout `route/1`."""
    return standard_layout("route")


def items(stream: BinaryIO, *, where: str = "") -> Iterator[Item[RouteStop] | Rejection]:
    """Yield the stops of a seekable stream, or their rejections, in order of lines.

    Raises:
        RejectedError: the file must be refused whole; what was yielded before counts for nothing then.
    """
    make = _maker(read_header(layout(), stream, where=where)["route"])
    return read_items(layout(), stream, keys=KEYS, make=make, where=where)


def write(
    header: Mapping[str, Any], stops: Iterable[RouteStop], *, form: Form | None = None, tally: Tally | None = None
) -> Iterator[bytes]:
    """Yield a route file in chunks; `header` gives the HDR fields by name, its `route` that of all stops.

    Raises:
        RejectedError: a value cannot be said in the layout; what was yielded must be thrown away.
    """
    return write_items(layout(), header, _records(stops), form=form, tally=tally)


def _maker(route: str) -> Make:
    """Return what makes the stops of one route."""

    def make(group: Group, values: Mapping[str, Any]) -> Item[RouteStop] | Rejection:
        for _, line, row in group.rows[1:]:
            if row[0] != values["stop"]:
                return reject(group, f"line {line}: a register of stop {row[0]} below stop {values['stop']}")
        registers = tuple(Register(*row[1:]) for _, _, row in group.rows[1:])
        return Item(
            group.line, f"STP {values['stop']}", RouteStop(route=route, registers=registers, **values), group.raw
        )

    return make


def _records(stops: Iterable[RouteStop]) -> Iterator[Record]:
    """Yield the records of stops and their registers."""
    names = layout().record("STP").names
    for one in stops:
        yield "STP", tuple(getattr(one, name) for name in names), ""
        for register in one.registers:
            yield "REG", (one.stop, *register_values(register)), ""
