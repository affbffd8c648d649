"""The port of a contractor that works by files: orders go out, completions come back."""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from adapters.contractor_file import translate
from canonical.billing import FileAcknowledgement
from canonical.codes.file import UNWRITABLE_VALUE
from canonical.errors import RejectedError
from canonical.messages import FileFacts, FileIdentity, Header, Item, Message, Parcel, Rejection
from canonical.rollout import FieldOrder
from sftp.data_files import FileSettings, data_parcel, file_settings
from sftp.formats import field_orders
from sftp.layout_tally import Tally
from sftp.mailbox import Mailbox
from sftp.outgoing import acknowledgement_parcel

WHERE = "contractor_file"


def build(settings: Mapping[str, object]) -> "ContractorFiles":
    """Return the port for one role of the site file.

    Raises:
        MisconfiguredError: a setting is missing, unknown or impossible.
    """
    return ContractorFiles(file_settings(settings, where=WHERE))


class ContractorFiles:
    """Takes field orders and offers completions (canonical.ports: Inbox, FileReader, Destination)."""

    def __init__(self, settings: FileSettings) -> None:
        """Keep the settings; nothing is connected before a method needs it."""
        self._settings = settings
        mailbox = Mailbox(settings.mailbox)
        self.offered, self.fetch, self.carry, self.ping = mailbox.offered, mailbox.fetch, mailbox.carry, mailbox.ping
        self.retire = partial(mailbox.retire, identify=self.identify)

    def identify(self, name: str) -> FileIdentity:
        """Return what a name says: completions, or an answer to orders of ours.

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
        """Yield the completions of an examined file in order, or the one acknowledgement."""
        return translate.items(stream, identity=identity, where=where, serials=self._settings.serials)

    def encode(self, message: Message[Any], *, spool: Path) -> Parcel:
        """Return orders (one, or several of one message) as a file in the spool, or the acknowledgement of a file.

        Raises:
            RejectedError: the payload is neither, or an order cannot be said in the layout.
            MisconfiguredError: the role has no `receiver`.
        """
        payload = message.payload
        if isinstance(payload, FileAcknowledgement):
            return acknowledgement_parcel(payload, message.header.message_id)
        orders = (payload,) if isinstance(payload, FieldOrder) else payload
        if isinstance(orders, tuple | list) and orders and all(isinstance(one, FieldOrder) for one in orders):
            return self._orders(message.header, tuple(orders), spool)
        reason = f"a contractor takes no {type(payload).__name__}"
        raise RejectedError(reason, code=UNWRITABLE_VALUE, where=WHERE)

    def _orders(self, header: Header, orders: tuple[FieldOrder, ...], spool: Path) -> Parcel:
        """Write a file of orders; it counts as created when its message was, else when its first window opens."""
        own, codes, day = self._settings, self._settings.told_as(WHERE), min(one.planned_day for one in orders)
        created = header.created_at or min(one.window_from for one in orders)
        name = translate.name_of(header.message_id, day, codes)
        first = translate.header_of(name, day, created, codes, own.zone)
        tally = Tally(field_orders.layout())
        chunks = field_orders.write(first, orders, form=own.form, tally=tally)
        return data_parcel(own, chunks, name=name, tally=tally, spool=spool, key=header.message_id, header=first)
