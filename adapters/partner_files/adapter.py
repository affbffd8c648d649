"""The port of a partner whose messages are files: taken from its outbox, laid into its inbox. No state."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from adapters.partner_files.settings import Settings, settings_from
from adapters.partner_files.translate import facts_from_file, file_from_message, identity_from_name
from canonical.billing import FileAcknowledgement
from canonical.codes.transport import KIND_NOT_HANDLED
from canonical.documents import FileAnswer
from canonical.errors import RejectedError
from canonical.ids import mint
from canonical.messages import FileFacts, FileIdentity, Item, Manifest, Message, Outcome, Parcel, Rejection
from sftp.mailbox import Mailbox
from sftp.manifest import acknowledgement_to_json, manifest_to_json
from sftp.names import control_name, stem
from sftp.outgoing import spool_bytes, spool_file

OUTGOING = "outgoing"
"""Folder of the spool in which messages wait with their control files."""


def build(settings: Mapping[str, object]) -> "FilePartner":
    """Return the port for one role of the site file.

    Raises:
        MisconfiguredError: a setting is missing, unknown or impossible.
    """
    return FilePartner(settings_from(settings))


class FilePartner:
    """Offers messages as files, and is told by files (canonical.ports: Inbox, FileReader, Destination)."""

    def __init__(self, settings: Settings) -> None:
        """Keep the settings; nothing is connected before a method needs it."""
        self._settings = settings
        self._mailbox = Mailbox(settings.mailbox)
        self.offered, self.fetch, self.ping = self._mailbox.offered, self._mailbox.fetch, self._mailbox.ping
        self.retire = partial(self._mailbox.retire, identify=self.identify)

    def identify(self, name: str) -> FileIdentity:
        """Return what a name says.

        Raises:
            RejectedError: it does not follow the pattern.
        """
        return identity_from_name(name, names=self._settings.names)

    def examine(self, stream: BinaryIO, *, identity: FileIdentity, where: str) -> FileFacts:
        """Read a file whole, once, in bounded memory: it is one message, or not yet.

        Raises:
            RejectedError: not well-formed XML, or cut short.
        """
        return facts_from_file(stream, where=where)

    def items(self, stream: BinaryIO, *, identity: FileIdentity, where: str) -> Iterator[Item[Any] | Rejection]:
        """Refuse to take a message apart: it is taken whole, by the receiver of every carrier.

        Raises:
            RejectedError: always (KIND_NOT_HANDLED): this site does not name the role in [files.inbound].
        """
        raise RejectedError("a message is taken whole", code=KIND_NOT_HANDLED, where=where)

    def encode(self, message: Message[Any], *, spool: Path) -> Parcel:
        """Return a message as a file of the spool with its control file, or what a file of theirs is answered with.

        Raises:
            RejectedError: it cannot be said in a valid message.
        """
        payload, key = message.payload, message.header.message_id
        if isinstance(payload, FileAnswer):
            return _small(f"{stem(payload.file_name)}.response.xml", "application/xml", payload.body, key)
        if isinstance(payload, FileAcknowledgement):
            name = f"{stem(payload.file_name)}.ack"
            return _small(name, "application/json", acknowledgement_to_json(payload), key)
        return self._spooled(message, spool)

    def carry(self, parcels: Sequence[Parcel], *, spool: Path, timeout_s: float) -> Sequence[Outcome]:
        """Lay parcels into the partner's folder, by temporary name and rename, the control file last."""
        outcomes = self._mailbox.carry(parcels, spool=spool, timeout_s=timeout_s)
        if self._settings.confirms == "reply":
            return outcomes
        return [replace(one, state="confirmed") if one.state == "sent" else one for one in outcomes]

    def _spooled(self, message: Message[Any], spool: Path) -> Parcel:
        """Write a message and its control file into the spool; the same message gives the same bytes."""
        own = self._settings
        identity, name, body = file_from_message(message, edition=own.edition, sender=own.sender, form=own.form)
        name += ".gz" if own.packed else ""
        name += ".pgp" if own.mailbox.pgp is not None and own.mailbox.pgp.recipient else ""
        folder = spool / OUTGOING / self._place
        folder.mkdir(parents=True, exist_ok=True)
        locks = own.mailbox.pgp if name.endswith(".pgp") else None
        sha256, size = spool_file(iter((body,)), folder / name, packed=own.packed, pgp=locks)
        manifest = Manifest(name, size, sha256, {"Message": 1}, {}, 0)
        spool_bytes(manifest_to_json(manifest), folder / control_name(name))
        return Parcel(
            name=name,
            content_type="application/xml" if name.endswith(".xml") else "application/octet-stream",
            sha256=sha256,
            size=size,
            path=str((folder / name).relative_to(spool)),
            key=message.header.message_id,
            confirm_name=identity,
        )

    @property
    def _place(self) -> str:
        """Return a folder name of the partner's own: two partners may be told the same message in other words."""
        box = self._settings.mailbox
        return mint("partner_files", box.sftp.host, box.sftp.port, box.sftp.user, box.inbox)


def _small(name: str, content_type: str, body: bytes, key: str) -> Parcel:
    """Return what a partner's file is answered with; it waits for no confirmation."""
    return Parcel(name, content_type, hashlib.sha256(body).hexdigest(), len(body), body, key=key)
