"""Files whose lines say what a system holds: the way of reading and writing that masters and topology share.

Each line is one version of one thing and becomes a Holding in canonical texts; a field that is empty is not stated.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO

from canonical.codes import file as codes
from canonical.errors import RejectedError
from canonical.holdings import Holding, Withdrawn
from canonical.messages import FileFacts, FileIdentity, Item, Rejection
from canonical.serials import SerialPolicy
from sftp.formats.holding_makers import RANKS, makers
from sftp.formats.holding_records import records_of
from sftp.formats.item_file import open_reading, write_items
from sftp.layout import Form, Layout
from sftp.layout_examine import facts_of
from sftp.layout_read import Group, Reading
from sftp.layout_repeats import Keys, Repeats, repeats_in
from sftp.layout_tally import Tally

KEYS: Keys = {
    "CUS": ("=CUS", "customer", "valid_from"),
    "ACC": ("=ACC", "account", "valid_from"),
    "LOC": ("=LOC", "location", "valid_from"),
    "UPT": ("=UPT", "usage_point", "valid_from"),
    "MTR": ("=MTR", "manufacturer", "serial", "valid_from"),
    "INS": ("=INS", "usage_point", "manufacturer", "serial", "installed_at"),
    "AGR": ("=AGR", "agreement", "valid_from"),
    "TOP": ("=TOP", "usage_point", "valid_from"),
    "CYC": ("=CYC", "cycle", "business_date"),
    "DEL": ("=DEL", "record", "object_id"),
}

_ANY_SERIAL = SerialPolicy()

Found = Iterator[Item[Holding | Withdrawn] | Rejection]


def read_holdings(layout: Layout, stream: BinaryIO, *, serials: SerialPolicy = _ANY_SERIAL, where: str = "") -> Found:
    """Yield what each item of a seekable stream says, or its rejection, in order of lines.

    Raises:
        RejectedError: the file must be refused whole; what was yielded before counts for nothing then.
    """
    reading = open_reading(layout, stream, where)
    repeats = repeats_in(stream, reading.compiled, KEYS)
    groups = reading.groups()
    return _found(reading, repeats, next(groups), groups, serials)


def examine_holdings(
    layout: Layout,
    stream: BinaryIO,
    *,
    identity: FileIdentity | None = None,
    serials: SerialPolicy = _ANY_SERIAL,
    where: str = "",
) -> FileFacts:
    """Return header, counts, good and bad items of a seekable stream; an identical repeat is no bad one.

    Raises:
        RejectedError: the file must be refused whole; NAME_HEADER_DIFFER: `identity`, what the name says, is not what
            the header does.
    """
    reading = open_reading(layout, stream, where)
    repeats = repeats_in(stream, reading.compiled, KEYS)
    groups = reading.groups()
    header = next(groups)
    if identity is not None:
        _check_name(identity, _named(reading, header), where)
    total = bad = 0
    for found in _found(reading, repeats, header, groups, serials):
        total += 1
        bad += isinstance(found, Rejection) and found.verdict == "REJECTED"
    return facts_of(reading, header, total, bad)


def _found(reading: Reading, repeats: Repeats, header: Group, groups: Iterator[Group], serials: SerialPolicy) -> Found:
    """Yield what groups say, or why one is not taken.

    Raises:
        RejectedError: a FULL file has records out of order.
    """
    make = makers(reading.compiled.layout, serials)
    highest = 0 if _named(reading, header)["mode"] == "FULL" else None
    for group in groups:
        if highest is not None:
            rank = RANKS.get(group.tag, highest)
            if rank < highest or group.tag == "DEL":
                raise _out_of_order(group, reading.where)
            highest = rank
        refused = group.rejection or (repeats.verdict(group) if repeats.contents else None)
        yield refused or make[group.tag](group)


def _named(reading: Reading, header: Group) -> dict[str, Any]:
    """Return the values of a header by field."""
    return dict(zip(reading.compiled.records[header.tag].record.names, header.values, strict=True))


def _check_name(identity: FileIdentity, header: Mapping[str, Any], where: str) -> None:
    """Refuse a file whose name says another thing than its header: what changed would count as all that there is."""
    said = (identity.sender, identity.run_type, identity.sequence)
    own = (header["sender"], header["mode"], header["sequence"])
    if said != own:
        reason = f"the name says {' '.join(map(str, said))}, the header {' '.join(map(str, own))}"
        raise RejectedError(reason, code=codes.NAME_HEADER_DIFFER, where=where)


def _out_of_order(group: Group, where: str) -> RejectedError:
    """Return the error of a record that stands where a FULL file has none of its kind."""
    place = f"{where}, line {group.line}" if where else f"line {group.line}"
    reason = f"{group.tag} stands where a FULL file has none: what others depend on comes first, and nothing is deleted"
    return RejectedError(reason, code=codes.RECORD_OUT_OF_PLACE, where=place)


def write_holdings(
    layout: Layout,
    header: Mapping[str, Any],
    holdings: Iterable[Holding | Withdrawn],
    *,
    form: Form | None = None,
    tally: Tally | None = None,
) -> Iterator[bytes]:
    """Yield a file of holdings in chunks; `header` gives the header's values by field name, constants left out.

    Raises:
        RejectedError: a holding cannot be said in the layout, or stands out of order in a FULL file.
    """
    records = records_of(layout, holdings, is_full=header["mode"] == "FULL")
    return write_items(layout, header, records, form=form, tally=tally)
