"""Manual reads, layout `manual_reads/1` of fixed width: what readers brought back (docs/formats/route.md)."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO

from canonical.messages import FileFacts, Item, Rejection
from canonical.rollout import ManualRead, MeterSeen
from canonical.serials import SerialPolicy
from sftp.formats.item_file import Make, examine_items, read_items, reject, write_items
from sftp.layout import Form, Layout, standard_layout
from sftp.layout_read import Group
from sftp.layout_repeats import Keys
from sftp.layout_tally import Tally

KEYS: Keys = {
    "RDG": ("=RDG", "usage_point", "usage_point_name", "meter", "manufacturer", "serial", "register", "read_at")
}

_ANY_SERIAL = SerialPolicy()


def layout() -> Layout:
    """Return the layout `manual_reads/1`."""
    return standard_layout("manual_reads")


def items(
    stream: BinaryIO, *, where: str = "", serials: SerialPolicy = _ANY_SERIAL
) -> Iterator[Item[ManualRead] | Rejection]:
    """Yield the reads of a seekable stream, or their rejections, in order of lines.

    Raises:
        RejectedError: the file must be refused whole; what was yielded before counts for nothing then.
    """
    return read_items(layout(), stream, keys=KEYS, make=_maker(serials), where=where)


def examine(stream: BinaryIO, *, where: str = "", serials: SerialPolicy = _ANY_SERIAL) -> FileFacts:
    """Return header, counts, good and bad items of a seekable stream.

    Raises:
        RejectedError: the file must be refused whole.
    """
    return examine_items(layout(), stream, keys=KEYS, make=_maker(serials), where=where)


def write(
    header: Mapping[str, Any], reads: Iterable[ManualRead], *, form: Form | None = None, tally: Tally | None = None
) -> Iterator[bytes]:
    """Yield a file of reads in chunks; `header` gives the HDR fields by name, its `zone` that of all instants.

    Raises:
        RejectedError: a value cannot be said in the layout; what was yielded must be thrown away.
    """
    records = (("RDG", _values(one), "") for one in reads)
    return write_items(layout(), header, records, form=form, tally=tally)


def _maker(serials: SerialPolicy) -> Make:
    """Return what makes the reads of a file."""

    def make(group: Group, values: Mapping[str, Any]) -> Item[ManualRead] | Rejection:
        maker, serial = values["manufacturer"], values["serial"]
        place = values["usage_point"] or values["usage_point_name"]
        key = f"RDG {place or serial}/{values['register']}"
        mangled = serials.rejection(maker, serial, line=group.line, key=key, raw=group.raw)
        if mangled is not None:
            return mangled
        if not (place or values["meter"] or serial):
            return reject(group, "it names neither usage point nor meter")
        if (values["value"] is None) == (not values["skip_reason"]):
            return reject(group, "a read has a value, or a reason why it has none")
        return Item(group.line, key, _read(values), group.raw)

    return make


def _read(values: Mapping[str, Any]) -> ManualRead:
    own = {name: values[name] for name in _SAME}
    meter = MeterSeen(values["serial"], values["manufacturer"], values["meter"])
    return ManualRead(meter=meter, business_date=values["route_day"], **own)


_SAME = ("route", "usage_point", "usage_point_name", "register", "value", "read_at", "reader", "skip_reason")
"""Fields that are called alike on both sides."""


def _values(one: ManualRead) -> tuple[Any, ...]:
    """Return the fields of a read in the layout's order."""
    return (
        one.route,
        one.business_date,
        one.usage_point,
        one.usage_point_name,
        one.meter.meter,
        one.meter.manufacturer,
        one.meter.serial,
        one.register,
        one.value,
        one.read_at,
        one.reader,
        one.skip_reason,
    )
