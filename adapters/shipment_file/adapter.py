"""The port of a manufacturer that announces its meters by files (canonical.ports: Inbox, FileReader, Destination)."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from adapters.shipment_file import translate
from canonical.billing import FileAcknowledgement
from canonical.codes.file import UNWRITABLE_VALUE
from canonical.errors import RejectedError
from canonical.messages import FetchedFile, FileFacts, FileIdentity, Item, Message, OfferedFile, Parcel, Rejection
from sftp.data_files import FileSettings, file_settings
from sftp.mailbox import Mailbox
from sftp.outgoing import acknowledgement_parcel

WHERE = "shipment_file"


def build(settings: Mapping[str, object]) -> "ShipmentFiles":
    """Return the port for one role of the site file.

    Raises:
        MisconfiguredError: a setting is missing, unknown or impossible.
    """
    return ShipmentFiles(file_settings(settings, where=WHERE))


class ShipmentFiles:
    """Offers shipments; it is told by acknowledgements alone."""

    def __init__(self, settings: FileSettings) -> None:
        """Keep the settings; nothing is connected before a method needs it."""
        self._settings = settings
        self._mailbox = mailbox = Mailbox(settings.mailbox)
        self.offered, self.carry, self.ping = mailbox.offered, mailbox.carry, mailbox.ping
        self.retire = partial(mailbox.retire, identify=self.identify)

    def fetch(self, files: Sequence[OfferedFile], into: Path) -> Iterator[FetchedFile]:
        """Bring files here; one that carries a key in clear comes refused, and nothing of its content stays."""
        translate.guard_leftovers(into)
        return map(translate.guarded, self._mailbox.fetch(files, into))

    def identify(self, name: str) -> FileIdentity:
        """Return what a name says: a shipment.

        Raises:
            RejectedError: it is none.
        """
        return translate.identify(name)

    def examine(self, stream: BinaryIO, *, identity: FileIdentity, where: str) -> FileFacts:
        """Read a file whole, once, and say what it is.

        Raises:
            RejectedError: the file must be refused whole; the place names file and line.
        """
        return translate.examine(stream, identity=identity, where=where, serials=self._settings.serials)

    def items(self, stream: BinaryIO, *, identity: FileIdentity, where: str) -> Iterator[Item[Any] | Rejection]:
        """Yield the lots and meters of an examined file in order, or their rejections."""
        return translate.items(stream, where=where, serials=self._settings.serials)

    def encode(self, message: Message[FileAcknowledgement], *, spool: Path) -> Parcel:
        """Return the acknowledgement of a file of theirs.

        Raises:
            RejectedError: the payload is none.
        """
        if isinstance(message.payload, FileAcknowledgement):
            return acknowledgement_parcel(message.payload, message.header.message_id)
        reason = f"a manufacturer takes no {type(message.payload).__name__}"
        raise RejectedError(reason, code=UNWRITABLE_VALUE, where=WHERE)
