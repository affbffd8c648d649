"""Shipments, layout `shipment/1`: the meters that a manufacturer delivers, by lot (docs/formats/shipment.md)."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, BinaryIO

from canonical.codes import file as codes
from canonical.errors import RejectedError
from canonical.messages import FileFacts, Item, Rejection
from canonical.metering import Register
from canonical.names import normal_serial
from canonical.rollout import ShippedLot, ShippedMeter
from canonical.serials import SerialPolicy
from sftp.formats.item_file import Make, examine_items, read_header, read_items, reject, write_items
from sftp.formats.registers import register_values
from sftp.layout import Form, Layout, standard_layout
from sftp.layout_read import Group
from sftp.layout_repeats import Keys
from sftp.layout_tally import Tally
from sftp.layout_write import Record

Shipped = ShippedLot | ShippedMeter

KEYS: Keys = {"LOT": ("=LOT", "lot"), "MTR": ("=MTR", "manufacturer", "serial")}

_ANY_SERIAL = SerialPolicy()


def layout() -> Layout:
    """Return the layout `shipment/1`."""
    return standard_layout("shipment")


def items(
    stream: BinaryIO, *, where: str = "", serials: SerialPolicy = _ANY_SERIAL
) -> Iterator[Item[Shipped] | Rejection]:
    """Yield the lots and then the meters of a seekable stream, or their rejections, in order of lines.

    What is rejected comes without its line: that may hold wrapped keys.

    Raises:
        RejectedError: the file must be refused whole; what was yielded before counts for nothing then.
    """
    make = _maker(read_header(layout(), stream, where=where), serials, where)
    for found in read_items(layout(), stream, keys=KEYS, make=make, where=where):
        yield replace(found, raw="")


def examine(stream: BinaryIO, *, where: str = "", serials: SerialPolicy = _ANY_SERIAL) -> FileFacts:
    """Return header, counts, good and bad items of a seekable stream.

    Raises:
        RejectedError: the file must be refused whole.
    """
    make = _maker(read_header(layout(), stream, where=where), serials, where)
    return examine_items(layout(), stream, keys=KEYS, make=make, where=where)


def write(
    header: Mapping[str, Any], things: Iterable[Shipped], *, form: Form | None = None, tally: Tally | None = None
) -> Iterator[bytes]:
    """Yield a shipment file in chunks, lots before meters; `header` gives the HDR fields by name.

    Raises:
        RejectedError: a value cannot be said in the layout; what was yielded must be thrown away.
    """
    return write_items(layout(), header, _records(things), form=form, tally=tally)


def _maker(header: Mapping[str, Any], serials: SerialPolicy, where: str) -> Make:
    """Return what makes the items of one file."""
    manufacturer: str = header["manufacturer"]
    behind_meters = False

    def make(group: Group, values: Mapping[str, Any]) -> Item[Shipped] | Rejection:
        nonlocal behind_meters
        if group.tag == "LOT":
            if behind_meters:
                place = f"{where}, line {group.line}" if where else f"line {group.line}"
                raise RejectedError("LOT stands behind a meter", code=codes.RECORD_OUT_OF_PLACE, where=place)
            lot = ShippedLot(manufacturer, values["lot"], values["result"])
            return Item(group.line, f"LOT {lot.lot}", lot)
        behind_meters = True
        return _meter(group, values, manufacturer, serials)

    return make


def _meter(
    group: Group, values: Mapping[str, Any], manufacturer: str, serials: SerialPolicy
) -> Item[Shipped] | Rejection:
    """Return the meter of an MTR record with the registers of the REG records below it."""
    maker, serial = values["manufacturer"], values["serial"]
    key = f"{maker}/{serial}"
    mangled = serials.rejection(maker, serial, line=group.line, key=key, raw="")
    if mangled is not None:
        return mangled
    if normal_serial(maker) != normal_serial(manufacturer):
        return reject(group, f"a meter of {maker} in a shipment of {manufacturer}")
    if values["multiplier"] <= 0:
        return reject(group, f"multiplier {values['multiplier']} is not positive")
    for _, line, row in group.rows[1:]:
        if row[0] != serial:
            return reject(group, f"line {line}: a register of {row[0]} below meter {serial}")
    own = {name: values[name] for name in _TEXTS}
    meter = ShippedMeter(
        multiplier=values["multiplier"],
        tested_at=values["tested_at"],
        registers=tuple(Register(*row[1:]) for _, _, row in group.rows[1:]),
        **own,
    )
    return Item(group.line, f"MTR {key}", meter)


_TEXTS = (
    *("manufacturer", "serial", "commodity", "model", "firmware", "configuration", "lot", "test_result"),
    *("module", "module_kind", "key_reference", "wrapped_key", "wrapped_by"),
)


def _records(things: Iterable[Shipped]) -> Iterator[Record]:
    """Yield the records of lots and meters."""
    names = layout().record("MTR").names
    for thing in things:
        if isinstance(thing, ShippedLot):
            yield "LOT", (thing.lot, thing.result), ""
            continue
        yield "MTR", tuple(getattr(thing, name) for name in names), ""
        for one in thing.registers:
            yield "REG", (thing.serial, *register_values(one)), ""
