"""The port of a GIS: its topology files come over SFTP, acknowledgements go back. No state, no business."""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from adapters.gis_flatfile.settings import Settings, settings_from
from canonical.billing import FileAcknowledgement
from canonical.codes.file import UNWRITABLE_VALUE
from canonical.errors import RejectedError
from canonical.messages import FileFacts, FileIdentity, Item, Message, Parcel, Rejection
from sftp.formats import topology
from sftp.mailbox import Mailbox
from sftp.outgoing import acknowledgement_parcel


def build(settings: Mapping[str, object]) -> "TopologyFiles":
    """Return the port for one role of the site file.

    Raises:
        MisconfiguredError: a setting is missing, unknown or impossible.
    """
    return TopologyFiles(settings_from(settings))


class TopologyFiles:
    """Offers topology as files, and is told what became of them (canonical.ports: Inbox, FileReader, Destination)."""

    def __init__(self, settings: Settings) -> None:
        """Keep the settings; nothing is connected before a method needs it."""
        mailbox = Mailbox(settings.mailbox)
        # How files travel is the carrier's, whoever the partner is; what they mean stands below.
        self.offered, self.fetch, self.carry, self.ping = mailbox.offered, mailbox.fetch, mailbox.carry, mailbox.ping
        self.retire = partial(mailbox.retire, identify=self.identify)

    def identify(self, name: str) -> FileIdentity:
        """Return what a name says: topology, whole or what changed.

        Raises:
            RejectedError: it is no name of a topology file.
        """
        return topology.identify(name)

    def examine(self, stream: BinaryIO, *, identity: FileIdentity, where: str) -> FileFacts:
        """Read a file whole, once, and say what it is.

        Raises:
            RejectedError: the file must be refused whole; the place names file and line.
        """
        return topology.examine(stream, identity=identity, where=where)

    def items(self, stream: BinaryIO, *, identity: FileIdentity, where: str) -> Iterator[Item[Any] | Rejection]:
        """Yield the link that each line of an examined file states, in order, or its rejection."""
        return topology.items(stream, where=where)

    def encode(self, message: Message[FileAcknowledgement], *, spool: Path) -> Parcel:
        """Return the acknowledgement of one of the GIS's files.

        Raises:
            RejectedError: it is something else: the GIS is the master of topology and is told nothing.
        """
        if isinstance(message.payload, FileAcknowledgement):
            return acknowledgement_parcel(message.payload, message.header.message_id)
        reason = f"a GIS takes no {type(message.payload).__name__}"
        raise RejectedError(reason, code=UNWRITABLE_VALUE, where="gis_flatfile")
