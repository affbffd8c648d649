"""Topology, layout `topology/1`: by which transformer and feeder usage points are supplied, as a GIS says."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO

from canonical.holdings import Holding, Withdrawn
from canonical.messages import FileFacts, FileIdentity, Item, Rejection
from sftp.formats import file_names
from sftp.formats.holding_file import examine_holdings, read_holdings, write_holdings
from sftp.layout import Form, Layout, standard_layout
from sftp.layout_tally import Tally


def layout() -> Layout:
    """Return the layout `topology/1`."""
    return standard_layout("topology")


def identify(name: str) -> FileIdentity:
    """Return what the name of a topology file says (`TP_...`): kind `masters`, its mode as `run_type`.

    Raises:
        RejectedError: the name is neither one of a topology file nor of an answer to one.
    """
    return file_names.identify(name, file_names.TOPOLOGY)


def items(stream: BinaryIO, *, where: str = "") -> Iterator[Item[Holding | Withdrawn] | Rejection]:
    """Yield the link that each line of a seekable stream states as a holding, or its rejection, in order.

    Raises:
        RejectedError: the file must be refused whole; what was yielded before counts for nothing then.
    """
    return read_holdings(layout(), stream, where=where)


def examine(stream: BinaryIO, *, identity: FileIdentity | None = None, where: str = "") -> FileFacts:
    """Return header, counts, good and bad items of a seekable stream; `identity` is what its name says.

    Raises:
        RejectedError: the file must be refused whole.
    """
    return examine_holdings(layout(), stream, identity=identity, where=where)


def write(
    header: Mapping[str, Any],
    holdings: Iterable[Holding | Withdrawn],
    *,
    form: Form | None = None,
    tally: Tally | None = None,
) -> Iterator[bytes]:
    """Yield a topology file in chunks; `header` gives the HDR fields by name, its `zone` that of all instants.

    Raises:
        RejectedError: something other than topology is given; what was yielded must be thrown away.
    """
    return write_holdings(layout(), header, holdings, form=form, tally=tally)
