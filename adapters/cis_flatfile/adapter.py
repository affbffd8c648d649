"""The port of a flat-file CIS: its files come over SFTP, drops and acknowledgements go back. No state, no business."""

import gzip
import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from adapters.cis_flatfile import translate
from adapters.cis_flatfile.settings import Settings, settings_from
from canonical.billing import BillingPart, FileAcknowledgement
from canonical.codes.file import SPOOL_FILE_MISSING, UNWRITABLE_VALUE
from canonical.errors import RejectedError, UnavailableError
from canonical.messages import (
    FetchedFile,
    FileFacts,
    FileIdentity,
    Item,
    Message,
    OfferedFile,
    Outcome,
    Parcel,
    Rejection,
)
from sftp import exchange
from sftp.formats import billing_drop, file_names
from sftp.layout_tally import Tally
from sftp.manifest import acknowledgement_to_json, manifest_from_json, manifest_to_json
from sftp.names import control_name, stem
from sftp.session import SftpSession, open_session
from sftp.wrapping import unwrap

OUTGOING = "outgoing"
"""Folder of the spool in which drops wait with their control files."""

ACKNOWLEDGEMENT = "application/json"
DROP = "text/plain; charset=utf-8"


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

    def offered(self) -> Sequence[OfferedFile]:
        """Return the data files on offer, by name."""
        with open_session(self._settings.sftp) as session:
            return exchange.offered(session, self._settings.outbox)

    def fetch(self, files: Sequence[OfferedFile], into: Path) -> Iterator[FetchedFile]:
        """Bring files here, unpacked; resume what was cut."""
        opened = partial(unwrap, pgp=self._settings.pgp)
        with open_session(self._settings.sftp) as session:
            yield from exchange.fetch(session, files, into, unwrap=opened)

    def retire(self, files: Sequence[OfferedFile], *, accepted: bool) -> None:
        """Move files to the CIS's archive or reject folder."""
        folder = self._settings.archive if accepted else self._settings.reject
        with open_session(self._settings.sftp) as session:
            exchange.retire(session, files, folder)

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
            return _acknowledgement(payload, message.header.message_id)
        reason = f"a flat-file CIS takes no {type(payload).__name__}"
        raise RejectedError(reason, code=UNWRITABLE_VALUE, where="cis_flatfile")

    def _drop(self, part: BillingPart, key: str, spool: Path) -> Parcel:
        """Write a part file and its control file into the spool; the same part gives the same bytes."""
        settings, tally = self._settings, Tally(self._settings.layout)
        plain = translate.drop_name(part.header, settings.names["drop"])
        name = f"{plain}.gz" if settings.wrap else plain
        folder = spool / OUTGOING / part.header.receiver
        folder.mkdir(parents=True, exist_ok=True)
        chunks = billing_drop.write(
            part.header, part.determinants, part.closing, form=settings.form, upload=settings.layout, tally=tally
        )
        sha256, size = _spool(chunks, folder / name, packed=bool(settings.wrap))
        manifest = translate.drop_manifest(part, tally, name=name, size=size, sha256=sha256)
        _place(folder / control_name(name), manifest_to_json(manifest))
        return Parcel(
            name=name,
            content_type="application/gzip" if settings.wrap else DROP,
            sha256=sha256,
            size=size,
            path=str((folder / name).relative_to(spool)),
            key=key,
            confirm_name=name,
        )

    def carry(self, parcels: Sequence[Parcel], *, spool: Path, timeout_s: float) -> Sequence[Outcome]:
        """Put parcels into the CIS's inbox in one session, in order; what lies there already is done.

        A part is `sent` until the CIS's acknowledgement names it; an acknowledgement of ours is `confirmed` when it
        lies there.
        """
        sftp = replace(self._settings.sftp, transfer_timeout_s=min(timeout_s, self._settings.sftp.transfer_timeout_s))
        outcomes: list[Outcome] = []
        try:
            with open_session(sftp) as session:
                for parcel in parcels:
                    outcomes.append(self._carry_one(session, parcel, spool))
        except UnavailableError as error:
            away = Outcome("unavailable", str(error.code), error.reason)
            outcomes.extend([away] * (len(parcels) - len(outcomes)))
        return outcomes

    def _carry_one(self, session: SftpSession, parcel: Parcel, spool: Path) -> Outcome:
        """Put one parcel over."""
        folder = self._settings.inbox
        try:
            if parcel.body is not None:
                return Outcome("confirmed", reference=exchange.put_answer(session, parcel.body, folder, parcel.name))
            path = spool / parcel.path
            control = path.with_name(control_name(parcel.name))
            if not path.is_file() or not control.is_file():
                return Outcome("rejected", str(SPOOL_FILE_MISSING), f"{parcel.path} or its control file is gone")
            manifest = manifest_from_json(control.read_bytes(), where=control.name)
            exchange.put(session, path, folder, parcel.name, manifest)
        except RejectedError as error:
            return Outcome("rejected", str(error.code), error.reason)
        return Outcome("sent", reference=parcel.name)

    def ping(self) -> Sequence[str]:
        """Log in, list the outbox, and say what was found."""
        return (f"{self._settings.outbox}: {len(self.offered())} files on offer",)


def _acknowledgement(payload: FileAcknowledgement, key: str) -> Parcel:
    """Return the acknowledgement of one of the CIS's files as `{stem}.ack`."""
    body = acknowledgement_to_json(payload)
    sha256 = hashlib.sha256(body).hexdigest()
    return Parcel(f"{stem(payload.file_name)}.ack", ACKNOWLEDGEMENT, sha256, len(body), body=body, key=key)


def _spool(chunks: Iterator[bytes], path: Path, *, packed: bool) -> tuple[str, int]:
    """Write chunks to a file that appears whole; return sha256 and size of its bytes."""
    part = path.with_name(f".{path.name}.part")
    with part.open("wb") as raw:
        if packed:
            with gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as stream:
                stream.writelines(chunks)
        else:
            raw.writelines(chunks)
        raw.flush()
        os.fsync(raw.fileno())
    with part.open("rb") as whole:
        sha256 = hashlib.file_digest(whole, "sha256").hexdigest()
    size = part.stat().st_size
    part.replace(path)
    return sha256, size


def _place(path: Path, content: bytes) -> None:
    """Write a small file that appears whole."""
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(content)
    part.replace(path)
