"""The port of a system whose masters travel as files: what it holds comes over SFTP, what it is told goes back."""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from adapters.masters_flatfile import translate
from canonical.billing import FileAcknowledgement
from canonical.codes.file import UNWRITABLE_VALUE
from canonical.errors import RejectedError
from canonical.holdings import HeldChanges
from canonical.messages import FileFacts, FileIdentity, Item, Message, Parcel, Rejection
from sftp.data_files import FileSettings, file_settings
from sftp.formats import masters
from sftp.layout_tally import Tally
from sftp.mailbox import Mailbox
from sftp.outgoing import acknowledgement_parcel, file_parcel


def build(settings: Mapping[str, object]) -> "MastersFiles":
    """Return the port for one role of the site file.

    Raises:
        MisconfiguredError: a setting is missing, unknown or impossible.
    """
    return MastersFiles(file_settings(settings, where="masters_flatfile"))


class MastersFiles:
    """Offers masters as files, and is told by files (canonical.ports: Inbox, FileReader, Destination)."""

    def __init__(self, settings: FileSettings) -> None:
        """Keep the settings; nothing is connected before a method needs it."""
        self._settings = settings
        mailbox = Mailbox(settings.mailbox)
        # How files travel is the carrier's, whoever the partner is; what they mean stands below.
        self.offered, self.fetch, self.carry, self.ping = mailbox.offered, mailbox.fetch, mailbox.carry, mailbox.ping
        self.retire = partial(mailbox.retire, identify=self.identify)

    def identify(self, name: str) -> FileIdentity:
        """Return what a name says: masters, or an answer to a file of ours.

        Raises:
            RejectedError: neither kind of name.
        """
        return masters.identify(name)

    def examine(self, stream: BinaryIO, *, identity: FileIdentity, where: str) -> FileFacts:
        """Read a file whole, once, and say what it is.

        Raises:
            RejectedError: the file must be refused whole; the place names file and line.
        """
        return translate.examine(stream, identity=identity, where=where, serials=self._settings.serials)

    def items(self, stream: BinaryIO, *, identity: FileIdentity, where: str) -> Iterator[Item[Any] | Rejection]:
        """Yield what each line of an examined file says in order, or its rejection."""
        return translate.items(stream, identity=identity, where=where, serials=self._settings.serials)

    def encode(self, message: Message[HeldChanges] | Message[FileAcknowledgement], *, spool: Path) -> Parcel:
        """Return what the system is told of masters as a file in the spool, or the acknowledgement of a file of theirs.

        Raises:
            RejectedError: a holding cannot be said in the layout, or the payload is none that it takes.
            MisconfiguredError: the role has no `receiver`, so that no file to it has a name.
        """
        payload = message.payload
        if isinstance(payload, HeldChanges):
            return self._masters(payload, message.header.message_id, spool)
        if isinstance(payload, FileAcknowledgement):
            return acknowledgement_parcel(payload, message.header.message_id)
        reason = f"a system of masters files takes no {type(payload).__name__}"
        raise RejectedError(reason, code=UNWRITABLE_VALUE, where="masters_flatfile")

    def _masters(self, told: HeldChanges, key: str, spool: Path) -> Parcel:
        """Write a masters file and its control file into the spool; the same holdings give the same bytes."""
        own, tally = self._settings, Tally(masters.layout())
        codes = own.told_as("masters_flatfile")
        name = translate.name_of(told, **codes, zone=own.zone) + own.wrapping.suffix
        header = translate.header_of(told, name, **codes, zone=own.zone)
        return file_parcel(
            masters.write(header, told.holdings, form=own.form or "delimited", tally=tally),
            name,
            receiver=own.receiver,
            spool=spool,
            wrapping=own.wrapping,
            manifest=partial(translate.manifest_of, told, tally, name, zone=own.zone),
            key=key,
        )
