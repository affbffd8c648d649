"""Masters, layout `masters/1`: what a system holds of master data, whole or what changed (docs/formats/masters.md)."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO

from canonical.holdings import Holding, Withdrawn
from canonical.messages import FileFacts, FileIdentity, Item, Rejection
from canonical.serials import SerialPolicy
from sftp.formats import file_names
from sftp.formats.holding_file import examine_holdings, read_holdings, write_holdings
from sftp.layout import Form, Layout, standard_layout
from sftp.layout_tally import Tally

_ANY_SERIAL = SerialPolicy()


def layout() -> Layout:
    """Return the layout `masters/1`."""
    return standard_layout("masters")


def identify(name: str) -> FileIdentity:
    """Return what the name of a masters file says (`MX_...`): kind `masters`, its mode as `run_type`.

    Raises:
        RejectedError: the name is neither one of a masters file nor of an answer to one.
    """
    return file_names.identify(name, {"masters": file_names.PATTERNS["masters"]})


def items(
    stream: BinaryIO, *, where: str = "", serials: SerialPolicy = _ANY_SERIAL
) -> Iterator[Item[Holding | Withdrawn] | Rejection]:
    """Yield what each line of a seekable stream says, or its rejection, in order; a meter comes with its registers.

    Raises:
        RejectedError: the file must be refused whole; what was yielded before counts for nothing then.
    """
    return read_holdings(layout(), stream, serials=serials, where=where)


def examine(
    stream: BinaryIO, *, identity: FileIdentity | None = None, where: str = "", serials: SerialPolicy = _ANY_SERIAL
) -> FileFacts:
    """Return header, counts, good and bad items of a seekable stream; `identity` is what its name says.

    Raises:
        RejectedError: the file must be refused whole; a FULL file also for records out of order, or for one of DEL.
    """
    return examine_holdings(layout(), stream, identity=identity, serials=serials, where=where)


def write(
    header: Mapping[str, Any],
    holdings: Iterable[Holding | Withdrawn],
    *,
    form: Form | None = None,
    tally: Tally | None = None,
) -> Iterator[bytes]:
    """Yield a masters file in chunks; `header` gives the HDR fields by name, its `zone` that of all instants.

    Raises:
        RejectedError: a holding cannot be said in the layout, or stands out of order in a FULL file; what was yielded
            must be thrown away.
    """
    return write_holdings(layout(), header, holdings, form=form, tally=tally)
