"""Zip, gzip and PGP around a data file: opened within limits, in bounded memory, one file in each."""

import gzip
import shutil
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from canonical.codes import transport as codes
from canonical.errors import MisconfiguredError, RejectedError
from sftp.pgp import Pgp, decrypt

_WRAPPERS = (".pgp", ".gpg", ".gz", ".zip")
_BLOCK = 1 << 18


@dataclass(frozen=True, slots=True)
class Limits:
    """How far a packed file may unfold."""

    max_bytes: int = 4 << 30
    """Largest content."""

    max_ratio: int = 200
    """Largest content by size of the packed file; looked at beyond `always_bytes`."""

    always_bytes: int = 16 << 20
    """Content up to here is taken whatever the ratio: a short file of zeros harms nobody."""


def unwrap(path: Path, *, limits: Limits = Limits(), pgp: Pgp | None = None) -> Path:
    """Unpack a fetched file beside it, layer by layer as its name says; return the plain file, or `path` itself.

    `A.dat.gz` gives `A.dat.gz.plain`, which no other file of the folder is called. The packed file is removed once it
    is open. The name of a zip's member is judged and not used.

    Raises:
        RejectedError: damaged, too large, not exactly one plain member, not decryptable, or not signed by a
            trusted key. The packed file stays, and nothing of what was in it.
        MisconfiguredError: an encrypted file came, but no key or no gpg program is set up.
    """
    packed_size, source, name = path.stat().st_size, path, Path(path.name)
    while (kind := name.suffix.lower()) in _WRAPPERS:
        plain = source.with_name(f"{source.name}.plain")
        try:
            _open_layer(kind, source, plain, _Budget(limits, packed_size, path.name), pgp)
        except RejectedError:
            plain.unlink(missing_ok=True)
            raise
        finally:
            if source != path:
                source.unlink()
        source, name = plain, Path(name.stem)
    if source != path:
        path.unlink()
    return source


def _open_layer(kind: str, source: Path, target: Path, budget: "_Budget", pgp: Pgp | None) -> None:
    """Open one layer of packing into `target`."""
    if kind == ".gz":
        _gunzip(source, target, budget)
    elif kind == ".zip":
        _unzip(source, target, budget)
    elif pgp is None:
        raise MisconfiguredError("no key is set up", code=codes.PGP_NOT_CONFIGURED, where=source.name)
    else:
        decrypt(pgp, source, target, budget.max_bytes)


class _Budget:
    """How many bytes may still come out of a packed file."""

    def __init__(self, limits: Limits, packed_size: int, where: str) -> None:
        self.where = where
        self.max_bytes = min(limits.max_bytes, max(limits.always_bytes, packed_size * limits.max_ratio))
        self._left = self.max_bytes

    def copy(self, source: Iterable[bytes], target: BinaryIO) -> None:
        """Write blocks until the source ends or the budget is spent.

        Raises:
            RejectedError: `WRAPPER_TOO_LARGE`.
        """
        for block in source:
            self._left -= len(block)
            if self._left < 0:
                reason = f"unpacks to more than {self.max_bytes} bytes"
                raise RejectedError(reason, code=codes.WRAPPER_TOO_LARGE, where=self.where)
            target.write(block)


def _gunzip(source: Path, target: Path, budget: _Budget) -> None:
    """Unpack gzip, however many members were put behind each other."""
    try:
        with gzip.open(source, "rb") as packed, target.open("wb") as plain:
            budget.copy(iter(lambda: packed.read(_BLOCK), b""), plain)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise RejectedError(str(error), code=codes.WRAPPER_UNREADABLE, where=source.name) from error


def _unzip(source: Path, target: Path, budget: _Budget) -> None:
    """Unpack the single member of a zip; its own name is only judged, never used."""
    try:
        with zipfile.ZipFile(source) as packed:
            member = _only_member(packed, source.name)
            with packed.open(member) as inner, target.open("wb") as plain:
                budget.copy(iter(lambda: inner.read(_BLOCK), b""), plain)
    except (zipfile.BadZipFile, EOFError, zlib.error, NotImplementedError, RuntimeError) as error:
        # RuntimeError: a member with a password. NotImplementedError: a packing method that is not built in.
        raise RejectedError(str(error), code=codes.WRAPPER_UNREADABLE, where=source.name) from error


def _only_member(packed: zipfile.ZipFile, where: str) -> zipfile.ZipInfo:
    """Return the one member of a zip.

    Raises:
        RejectedError: `WRAPPER_MEMBERS`: none or several, a folder, a path, or a link.
    """
    members = packed.infolist()
    if len(members) != 1:
        reason = f"{len(members)} members instead of one"
        raise RejectedError(reason, code=codes.WRAPPER_MEMBERS, where=where)
    (member,) = members
    is_link = (member.external_attr >> 16) & 0o170000 == 0o120000
    if is_link or member.is_dir() or "/" in member.filename or "\\" in member.filename or ".." in member.filename:
        reason = f"member {member.filename[:80]!r} is not a plain file"
        raise RejectedError(reason, code=codes.WRAPPER_MEMBERS, where=where)
    return member


def gzip_file(source: Path, target: Path) -> None:
    """Pack a file with gzip; the same content gives the same bytes (no name, no time inside)."""
    with (
        source.open("rb") as plain,
        target.open("wb") as raw,
        gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=raw, mtime=0) as packed,
    ):
        shutil.copyfileobj(plain, packed, _BLOCK)
