"""Files that wait in the spool for their way out: they appear whole, packed and encrypted as the partner wants."""

import gzip
import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from canonical.billing import FileAcknowledgement
from canonical.messages import Manifest, Parcel
from sftp.manifest import acknowledgement_to_json, manifest_to_json
from sftp.names import control_name, part_name, stem
from sftp.pgp import Pgp, sign_and_encrypt

ACKNOWLEDGEMENT = "application/json"
"""Content type of an answer to a file."""


OUTGOING = "outgoing"
"""Folder of the spool in which files wait with their control files."""

TEXT = "text/plain; charset=utf-8"
_WRAPPED = {"gz": "application/gzip", "pgp": "application/pgp-encrypted"}
"""Content type by the outermost wrapper."""


@dataclass(frozen=True, slots=True)
class Wrapping:
    """In what our files to a partner travel."""

    wrap: Literal["", "gz"]
    pgp: Pgp | None
    """Keys of the role; files are signed and encrypted where the site names a key of the partner among them."""

    @property
    def locks(self) -> Pgp | None:
        """Keys with which files are signed and encrypted; None where the site names no key of the partner."""
        return self.pgp if self.pgp is not None and self.pgp.recipient else None

    @property
    def suffix(self) -> str:
        """What the name of a file bears for its wrappers, the outermost last."""
        return (f".{self.wrap}" if self.wrap else "") + (".pgp" if self.locks else "")

    @property
    def content_type(self) -> str:
        """What travels: text, or its outermost wrapper."""
        return _WRAPPED[self.suffix.rpartition(".")[2]] if self.suffix else TEXT


def file_parcel(
    chunks: Iterator[bytes],
    name: str,
    *,
    receiver: str,
    spool: Path,
    wrapping: Wrapping,
    manifest: Callable[[int, str], Manifest],
    key: str,
) -> Parcel:
    """Write a data file and its control file into the spool; return the parcel, confirmed by the file's name.

    `name` bears the wrappers. `manifest` makes what the control file says, from size and sha256 of the bytes that will
    travel, once all chunks are written. The same chunks give the same bytes.

    Raises:
        MisconfiguredError: gpg refuses the keys, or there is no gpg program.
    """
    folder = spool / OUTGOING / receiver
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    sha256, size = spool_file(chunks, path, packed=bool(wrapping.wrap), pgp=wrapping.locks)
    spool_bytes(manifest_to_json(manifest(size, sha256)), folder / control_name(name))
    return Parcel(
        name=name,
        content_type=wrapping.content_type,
        sha256=sha256,
        size=size,
        path=str(path.relative_to(spool)),
        key=key,
        confirm_name=name,
    )


def spool_file(chunks: Iterator[bytes], path: Path, *, packed: bool = False, pgp: Pgp | None = None) -> tuple[str, int]:
    """Write chunks to a file that appears whole; return sha256 (hex) and size of the bytes that will travel.

    `packed` puts gzip around them, `pgp` our signature and the partner's lock around that. The same chunks give the
    same bytes, encrypted ones too: what was encrypted once is kept, and found again by the hash of its content.

    Raises:
        MisconfiguredError: gpg refuses the keys, or there is no gpg program.
    """
    part = path.with_name(part_name(path.name))
    _write(chunks, part, packed=packed)
    if pgp is None:
        facts = _facts(part)
        part.replace(path)
        return facts
    try:
        return _encrypted(pgp, part, path)
    finally:
        part.unlink(missing_ok=True)


def spool_bytes(content: bytes, path: Path) -> None:
    """Write a small file that appears whole."""
    spool_file(iter((content,)), path)


def acknowledgement_parcel(payload: FileAcknowledgement, key: str) -> Parcel:
    """Return the acknowledgement of one of the partner's files as `{stem}.ack`; it waits for no confirmation."""
    body = acknowledgement_to_json(payload)
    sha256 = hashlib.sha256(body).hexdigest()
    return Parcel(f"{stem(payload.file_name)}.ack", ACKNOWLEDGEMENT, sha256, len(body), body=body, key=key)


def _write(chunks: Iterator[bytes], part: Path, *, packed: bool) -> None:
    """Write chunks to a file, safe on disk; gzip gives the same content the same bytes (no name, no time inside)."""
    with part.open("wb") as raw:
        if packed:
            with gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as stream:
                stream.writelines(chunks)
        else:
            raw.writelines(chunks)
        raw.flush()
        os.fsync(raw.fileno())


def _encrypted(pgp: Pgp, plain: Path, path: Path) -> tuple[str, int]:
    """Encrypt a file unless that was done before: gpg never gives the same bytes twice, and what was decided must stay.

    A note beside the file says which content it holds; a crash before the note leaves a file that nobody was promised.
    """
    note, locked = path.with_name(f".{path.name}.content"), path.with_name(f".{path.name}.locked")
    content, _ = _facts(plain)
    if path.is_file() and note.is_file():
        sha256, size = _facts(path)
        if note.read_text() == f"{content} {sha256}":
            return sha256, size
    sign_and_encrypt(pgp, plain, locked)
    sha256, size = _facts(locked)
    locked.replace(path)
    spool_bytes(f"{content} {sha256}".encode(), note)
    return sha256, size


def _facts(path: Path) -> tuple[str, int]:
    """Return sha256 (hex) and size of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest(), path.stat().st_size
