"""Bytes up and down: streamed, resumed where a cut left them, never trusted without a look at what is there."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from canonical.codes import transport as codes
from canonical.errors import UnavailableError
from sftp.session import SftpSession

BACK_OFF = 1 << 20
"""Bytes sent or fetched again before the cut: what was in flight may lie there in part."""

BLOCK = 1 << 18
WINDOW = 8 << 20
"""Bytes asked for at once when reading: many requests on the way, memory bounded."""

REQUEST = 1 << 15
"""Bytes of one read request; every server answers that many."""

SAMPLES = 32
SAMPLE = 1 << 15
"""How a partial file is recognized as the same: its start, its last `BACK_OFF` bytes, and samples between."""


def size_of(session: SftpSession, path: str) -> int | None:
    """Return the size of a file on the server, None where there is none."""
    try:
        with session.asking(f"stat {path}"):
            return session.client.stat(path).st_size or 0
    except FileNotFoundError:
        return None


def upload(session: SftpSession, source: BinaryIO, size: int, path: str) -> None:
    """Bring `size` bytes of `source` to `path`, going on where an earlier attempt was cut.

    Raises:
        FileNotFoundError: the folder does not exist.
        UnavailableError: the way was cut, the server could not store the bytes, or holds another size afterwards.
    """
    begun = size_of(session, path)
    start = _resumable(session, source, min(begun or 0, size), path) if (begun or 0) <= size else 0
    source.seek(start)
    with (
        session.asking(f"write {path}"),
        session.client.open(path, "r+b" if start else "wb") as remote,
    ):
        remote.seek(start)
        remote.set_pipelined(True)
        block = source.read(BLOCK)
        while block:
            following = source.read(BLOCK)
            if not following:
                # The library reads the answers to pipelined writes only at a write that is not: a full disk
                # behind the last pipelined block would pass unseen.
                remote.set_pipelined(False)
            remote.write(block)
            block = following
    if (stored := size_of(session, path)) != size:
        reason = f"{path} has {stored} bytes after {size} were written"
        raise UnavailableError(reason, code=codes.SFTP_STORE_FAILED, where=session.place)


def _resumable(session: SftpSession, source: BinaryIO, begun: int, path: str) -> int:
    """Return how many bytes from the start are the same on both sides and need not travel again."""
    keep = begun - BACK_OFF
    if keep <= 0:
        return 0
    spots = [(keep * n // SAMPLES, SAMPLE) for n in range(SAMPLES)] + [(max(0, keep - BACK_OFF), BACK_OFF)]
    chunks = [(at, min(length, keep - at)) for at, length in spots]
    with session.asking(f"read back {path}"), session.client.open(path, "rb") as remote:
        for (at, length), found in zip(chunks, remote.readv(chunks), strict=True):
            source.seek(at)
            if source.read(length) != found:
                return 0
    return keep


def download(session: SftpSession, path: str, size: int, target: Path) -> str:
    """Bring `size` bytes of `path` into `target`, going on where an earlier attempt was cut; return their sha256 (hex).

    Raises:
        FileNotFoundError: the file is gone from the server.
        UnavailableError: the way was cut, or our spool cannot take the bytes (`SPOOL_FULL`).
    """
    with spooling(target), target.open("ab+") as local:
        start = _resumable(session, local, min(local.tell(), size), path)
        digest = hash_of_start(local, start)
        local.truncate(start)
        for block in _blocks(session, path, start, size):
            digest.update(block)
            local.write(block)
        local.flush()
        os.fsync(local.fileno())
    return digest.hexdigest()


def _blocks(session: SftpSession, path: str, start: int, size: int) -> Iterator[bytes]:
    """Yield the bytes of a remote file from `start` to `size`.

    Raises:
        UnavailableError: the file is shorter than it was when it was listed.
    """
    with session.asking(f"read {path}"), session.client.open(path, "rb") as remote:
        while start < size:
            end = min(start + WINDOW, size)
            # One chunk a request: the library joins longer ones by copying what it has for each that comes.
            chunks = [(at, min(REQUEST, end - at)) for at in range(start, end, REQUEST)]
            for (_, length), block in zip(chunks, remote.readv(chunks), strict=True):
                if len(block) != length:
                    reason = f"{path} became shorter while it was read"
                    raise UnavailableError(reason, code=codes.SFTP_AWAY, where=session.place)
                yield block
            start = end


def hash_of_start(stream: BinaryIO, length: int) -> "hashlib._Hash":
    """Return the sha256, still open, of the first `length` bytes of a stream."""
    digest = hashlib.sha256()
    stream.seek(0)
    while length and (block := stream.read(min(BLOCK, length))):
        digest.update(block)
        length -= len(block)
    return digest


@contextmanager
def spooling(target: Path) -> Iterator[None]:
    """Turn what our own disk refuses into an error that names the spool; a file missing on the server passes."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        raise UnavailableError(str(error), code=codes.SPOOL_FULL, where=str(target)) from error


def hash_of(session: SftpSession, path: str, size: int) -> str:
    """Return the sha256 (hex) of the first `size` bytes of a file on the server, by reading it back."""
    digest = hashlib.sha256()
    for block in _blocks(session, path, 0, size):
        digest.update(block)
    return digest.hexdigest()
