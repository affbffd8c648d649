"""Topology files of a GIS, to and from: one line says by which transformer and feeder a usage point is supplied."""

from sftp.formats import topology
from sftp.formats.whole_holdings import WholeFile, whole_from_bytes, whole_to_bytes


def golden_read(wire: bytes, name: str) -> WholeFile:
    """Return what a sample file says.

    Raises:
        RejectedError: the file must be refused whole.
    """
    return whole_from_bytes(topology.layout(), wire, name)


def golden_write(whole: WholeFile, _name: str = "") -> bytes:
    """Return the file that says this.

    Raises:
        RejectedError: a holding cannot be said in the layout.
    """
    return whole_to_bytes(topology.layout(), whole)
