"""The port of a flat-file CIS: its files come over SFTP, drops and acknowledgements go back. No state, no business."""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from adapters.cis_flatfile import translate
from adapters.cis_flatfile.settings import Settings, settings_from
from canonical.billing import BillingPart, FileAcknowledgement
from canonical.codes.file import UNWRITABLE_VALUE
from canonical.errors import RejectedError
from canonical.messages import (
    FileFacts,
    FileIdentity,
    Item,
    Message,
    Parcel,
    Rejection,
)
from sftp.formats import billing_drop, file_names
from sftp.layout_tally import Tally
from sftp.mailbox import Mailbox
from sftp.outgoing import acknowledgement_parcel, file_parcel


def build(settings: Mapping[str, object]) -> "FlatFileCis":
    """Return the port for one role of the site file.

    Raises:
        MisconfiguredError: a setting is missing, unknown or impossible.
    """
    return FlatFileCis(settings_from(settings))


class FlatFileCis:
    """Answers `canonical.ports.CustomerSystem`."""

    def __init__(self, settings: Settings) -> None:
        """Keep the settings; nothing is connected before a method needs it."""
        self._settings = settings
        mailbox = Mailbox(settings.mailbox)
        # How files travel is the carrier's, whoever the partner is; what they mean stands below.
        self.offered, self.fetch, self.carry, self.ping = mailbox.offered, mailbox.fetch, mailbox.carry, mailbox.ping
        self.retire = partial(mailbox.retire, identify=self.identify)

    def identify(self, name: str) -> FileIdentity:
        """Return what a name says.

        Raises:
            RejectedError: the name follows no pattern of this CIS.
        """
        return file_names.identify(name, self._settings.names)

    def examine(self, stream: BinaryIO, *, identity: FileIdentity, where: str) -> FileFacts:
        """Read a file whole, once, and say what it is.

        Raises:
            RejectedError: the file must be refused whole; the place names file, line and byte.
        """
        return translate.examine(stream, identity=identity, where=where, serials=self._settings.serials)

    def items(self, stream: BinaryIO, *, identity: FileIdentity, where: str) -> Iterator[Item[Any] | Rejection]:
        """Yield every business item of an examined file in order, or its rejection."""
        return translate.items(stream, identity=identity, where=where, serials=self._settings.serials)

    def encode(self, message: Message[BillingPart] | Message[FileAcknowledgement], *, spool: Path) -> Parcel:
        """Return a part of the drop as a file in the spool, or the acknowledgement of a file of theirs.

        Raises:
            RejectedError: a value cannot be said in this CIS's layout, or the payload is none that it takes.
        """
        payload = message.payload
        if isinstance(payload, BillingPart):
            return self._drop(payload, message.header.message_id, spool)
        if isinstance(payload, FileAcknowledgement):
            return acknowledgement_parcel(payload, message.header.message_id)
        reason = f"a flat-file CIS takes no {type(payload).__name__}"
        raise RejectedError(reason, code=UNWRITABLE_VALUE, where="cis_flatfile")

    def _drop(self, part: BillingPart, key: str, spool: Path) -> Parcel:
        """Write a part file and its control file into the spool; the same part gives the same bytes."""
        settings, tally = self._settings, Tally(self._settings.layout)
        name = translate.drop_name(part.header, settings.names["drop"]) + settings.wrapping.suffix
        chunks = billing_drop.write(
            part.header, part.determinants, part.closing, form=settings.form, upload=settings.layout, tally=tally
        )
        return file_parcel(
            chunks,
            name,
            receiver=part.header.receiver,
            spool=spool,
            wrapping=settings.wrapping,
            manifest=partial(translate.drop_manifest, part, tally, name),
            key=key,
        )
