"""The port of a provider whose files are CIM messages of readings: over SFTP, acknowledged by file. No state."""

import hashlib
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from adapters.mdms_cim_files.settings import Settings, settings_from
from adapters.mdms_cim_files.translate import identity_from_name, items_from_file
from canonical.billing import FileAcknowledgement
from canonical.codes import message as codes
from canonical.errors import RejectedError
from canonical.messages import FileFacts, FileIdentity, Item, Message, Parcel, Rejection
from sftp.mailbox import Mailbox
from sftp.manifest import acknowledgement_to_json
from sftp.names import stem


def build(settings: Mapping[str, object]) -> "CimFiles":
    """Return the port for one role of the site file.

    Raises:
        MisconfiguredError: a setting is missing, unknown or impossible.
    """
    return CimFiles(settings_from(settings))


class CimFiles:
    """Answers `canonical.ports.MeterDataFiles` and takes file acknowledgements as a `Destination`."""

    def __init__(self, settings: Settings) -> None:
        """Keep the settings; nothing is connected before a method needs it."""
        self._settings = settings
        mailbox = Mailbox(settings.mailbox)
        self.offered, self.fetch, self.carry, self.ping = mailbox.offered, mailbox.fetch, mailbox.carry, mailbox.ping
        self.retire = partial(mailbox.retire, identify=self.identify)

    def identify(self, name: str) -> FileIdentity:
        """Return what a name says.

        Raises:
            RejectedError: it follows no pattern of this provider.
        """
        return identity_from_name(name, names=self._settings.names, sender=self._settings.source)

    def examine(self, stream: BinaryIO, *, identity: FileIdentity, where: str) -> FileFacts:
        """Read a file whole, once, in bounded memory, and say how many readings it holds.

        Raises:
            RejectedError: not XML, cut short, breaks its schema, or holds no MeterReading: nothing of it is taken.
        """
        items = bad = 0
        for found in self.items(stream, identity=identity, where=where):
            items += 1
            bad += isinstance(found, Rejection)
        if not items:
            raise RejectedError("no MeterReading in it", code=codes.NOT_SUPPORTED_HERE, where=where)
        return FileFacts({}, {"MeterReading": items}, {}, items, bad)

    def items(self, stream: BinaryIO, *, identity: FileIdentity, where: str) -> Iterator[Item[Any] | Rejection]:
        """Yield every MeterReading of an examined file in order, or its rejection."""
        own = self._settings
        return items_from_file(stream, edition=own.edition, policy=own.policy, source=own.source, where=where)

    def encode(self, message: Message[FileAcknowledgement], *, spool: Path) -> Parcel:
        """Return the acknowledgement of one of the provider's files as `{stem}.ack`."""
        body = acknowledgement_to_json(message.payload)
        return Parcel(
            name=f"{stem(message.payload.file_name)}.ack",
            content_type="application/json",
            sha256=hashlib.sha256(body).hexdigest(),
            size=len(body),
            body=body,
            key=message.header.message_id,
        )
