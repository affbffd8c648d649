"""The port of a route reader: routes go out as files, manual reads come back (docs/adapters/route_file.md)."""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from adapters.route_file import translate
from canonical.billing import FileAcknowledgement
from canonical.codes.file import UNWRITABLE_VALUE
from canonical.errors import RejectedError
from canonical.messages import FileFacts, FileIdentity, Item, Message, Parcel, Rejection
from canonical.rollout import RouteExtract
from sftp.data_files import FileSettings, data_parcel, file_settings
from sftp.formats import route
from sftp.layout_tally import Tally
from sftp.mailbox import Mailbox
from sftp.outgoing import acknowledgement_parcel

WHERE = "route_file"


def build(settings: Mapping[str, object]) -> "RouteFiles":
    """Return the port for one role of the site file.

    Raises:
        MisconfiguredError: a setting is missing, unknown or impossible.
    """
    return RouteFiles(file_settings(settings, where=WHERE))


class RouteFiles:
    """Takes routes and offers manual reads (canonical.ports: Inbox, FileReader, Destination)."""

    def __init__(self, settings: FileSettings) -> None:
        """Keep the settings; nothing is connected before a method needs it."""
        self._settings = settings
        mailbox = Mailbox(settings.mailbox)
        self.offered, self.fetch, self.carry, self.ping = mailbox.offered, mailbox.fetch, mailbox.carry, mailbox.ping
        self.retire = partial(mailbox.retire, identify=self.identify)

    def identify(self, name: str) -> FileIdentity:
        """Return what a name says: manual reads, or an answer to a route of ours.

        Raises:
            RejectedError: neither.
        """
        return translate.identify(name)

    def examine(self, stream: BinaryIO, *, identity: FileIdentity, where: str) -> FileFacts:
        """Read a file whole, once, and say what it is.

        Raises:
            RejectedError: the file must be refused whole; the place names file and line.
        """
        return translate.examine(stream, identity=identity, where=where, serials=self._settings.serials)

    def items(self, stream: BinaryIO, *, identity: FileIdentity, where: str) -> Iterator[Item[Any] | Rejection]:
        """Yield the reads of an examined file in order, or the one acknowledgement."""
        return translate.items(stream, identity=identity, where=where, serials=self._settings.serials)

    def encode(self, message: Message[Any], *, spool: Path) -> Parcel:
        """Return a route of one day as a file in the spool, or the acknowledgement of a file of theirs.

        Raises:
            RejectedError: the payload is neither, or a stop cannot be said in the layout.
            MisconfiguredError: the role has no `receiver`.
        """
        payload = message.payload
        if isinstance(payload, FileAcknowledgement):
            return acknowledgement_parcel(payload, message.header.message_id)
        if isinstance(payload, RouteExtract):
            return self._route(payload, message.header.message_id, spool)
        reason = f"a route reader takes no {type(payload).__name__}"
        raise RejectedError(reason, code=UNWRITABLE_VALUE, where=WHERE)

    def _route(self, extract: RouteExtract, key: str, spool: Path) -> Parcel:
        """Write a route file."""
        own, codes, tally = self._settings, self._settings.told_as(WHERE), Tally(route.layout())
        name = translate.name_of(extract, codes)
        header = translate.header_of(extract, name, codes, own.zone)
        chunks = route.write(header, extract.stops, form=own.form, tally=tally)
        return data_parcel(own, chunks, name=name, tally=tally, spool=spool, key=key, header=header)
