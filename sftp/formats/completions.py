"""Completions, layout `completions/1`: what crews did, could not do, or took back (docs/formats/completions.md)."""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, BinaryIO

from canonical.messages import FileFacts, Item, Rejection
from canonical.rollout import Completion, MeterSeen, RegisterValue
from canonical.serials import SerialPolicy
from sftp.formats.item_file import Make, examine_items, read_items, reject, write_items
from sftp.layout import Form, Layout, standard_layout
from sftp.layout_read import Group
from sftp.layout_tally import Tally
from sftp.layout_write import Record

_ANY_SERIAL = SerialPolicy()
_NORTH, _EAST = Decimal(90), Decimal(180)


def layout() -> Layout:
    """Return the layout `completions/1`."""
    return standard_layout("completions")


def items(
    stream: BinaryIO, *, where: str = "", serials: SerialPolicy = _ANY_SERIAL
) -> Iterator[Item[Completion] | Rejection]:
    """Yield the completions of a seekable stream, or their rejections, in order of lines.

    The same exchange twice is yielded twice: whether it says the same is for who validates it (EX13, EX14).

    Raises:
        RejectedError: the file must be refused whole; what was yielded before counts for nothing then.
    """
    return read_items(layout(), stream, keys={}, make=_maker(serials), where=where)


def examine(stream: BinaryIO, *, where: str = "", serials: SerialPolicy = _ANY_SERIAL) -> FileFacts:
    """Return header, counts, good and bad items of a seekable stream.

    Raises:
        RejectedError: the file must be refused whole, as one without its trailer.
    """
    return examine_items(layout(), stream, keys={}, make=_maker(serials), where=where)


def write(
    header: Mapping[str, Any], things: Iterable[Completion], *, form: Form | None = None, tally: Tally | None = None
) -> Iterator[bytes]:
    """Yield a file of completions in chunks; `header` gives the HDR fields by name.

    Raises:
        RejectedError: a value cannot be said in the layout; what was yielded must be thrown away.
    """
    return write_items(layout(), header, _records(things), form=form, tally=tally)


def _maker(serials: SerialPolicy) -> Make:
    """Return what makes the items of a file."""

    def make(group: Group, values: Mapping[str, Any]) -> Item[Completion] | Rejection:
        key = _key(values)
        for end in ("removed", "installed"):
            maker, serial = values[f"{end}_manufacturer"], values[f"{end}_serial"]
            mangled = serials.rejection(maker, serial, line=group.line, key=key, raw=group.raw)
            if mangled is not None:
                return mangled
        wrong = _wrong(values)
        return reject(group, wrong) if wrong else Item(group.line, key, _completion(group, values), group.raw)

    return make


def _key(values: Mapping[str, Any]) -> str:
    """Return how an acknowledgement names a completion."""
    return f"EXC {values['order'] or values['usage_point'] or values['usage_point_name']}"


def _wrong(values: Mapping[str, Any]) -> str:
    """Return in what the fields of a line contradict each other; empty for nothing."""
    done = values["outcome"] != "UNABLE"
    if not (values["usage_point"] or values["usage_point_name"]):
        return "neither usage_point nor usage_point_name says where it was"
    if done and not (values["removed_serial"] or values["installed_serial"]):
        return f"{values['outcome']} names no meter"
    if not done and not values["unable_reason"]:
        return "UNABLE says no unable_reason"
    for name, limit in (("latitude", _NORTH), ("longitude", _EAST)):
        if values[name] is not None and abs(values[name]) > limit:
            return f"{name} {values[name]} is none"
    if values["multiplier_seen"] is not None and values["multiplier_seen"] <= 0:
        return f"multiplier_seen {values['multiplier_seen']} is not positive"
    return ""


def _completion(group: Group, values: Mapping[str, Any]) -> Completion:
    """Return what a line and those below it report."""
    below = group.rows[1:]
    own = {name: values[name] for name in _SAME}
    return Completion(
        removed=_seen(values, "removed"),
        installed=_seen(values, "installed"),
        final_readings=tuple(
            RegisterValue(r[1], r[3], r[2]) for tag, _, r in below if tag == "RDG" and r[0] == "FINAL"
        ),
        first_readings=tuple(
            RegisterValue(r[1], r[3], r[2]) for tag, _, r in below if tag == "RDG" and r[0] == "FIRST"
        ),
        unable_reason=values["unable_reason"] or None,
        photos=tuple(row[0] for tag, _, row in below if tag == "PHO"),
        raw=group.raw,
        **own,
    )


_SAME = (
    *("order", "usage_point", "outcome", "effective_at", "usage_point_name", "removed_at", "installed_at"),
    *("multiplier_seen", "comms_ok", "source_reason", "installer", "seal", "latitude", "longitude"),
    *("address", "remarks", "reported_at"),
)
"""Fields that are called alike on both sides."""


def _seen(values: Mapping[str, Any], end: str) -> MeterSeen | None:
    """Return the meter that was removed or installed; None where none is named."""
    serial = values[f"{end}_serial"]
    return MeterSeen(serial, values[f"{end}_manufacturer"]) if serial else None


def _records(things: Iterable[Completion]) -> Iterator[Record]:
    """Yield the records of completions."""
    names = layout().record("EXC").names
    for one in things:
        meters = {
            f"{end}_{name}": getattr(seen, name) if seen is not None else ""
            for end, seen in (("removed", one.removed), ("installed", one.installed))
            for name in ("manufacturer", "serial")
        }
        yield "EXC", tuple(meters[name] if name in meters else getattr(one, name) for name in names), ""
        for which, readings in (("FINAL", one.final_readings), ("FIRST", one.first_readings)):
            for each in readings:
                yield "RDG", (which, each.register, each.reading_type, each.value), ""
        for reference in one.photos:
            yield "PHO", (reference,), ""
