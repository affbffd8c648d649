"""The body of an HTTP call: held in memory while it is small, hashed into a file of the spool as it grows."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, NamedTuple

from starlette.types import Message, Receive

HELD_BYTES = 4 * 1024 * 1024
"""A body that is larger lies in a file, where the endpoint has room for it."""


class Body(NamedTuple):
    """What came, up to its limit."""

    data: bytes
    """The body, or its first bytes where it lies in a file."""

    too_large: bool = False
    """Whether it goes on behind the limit: the rest was never read."""

    path: Path | None = None
    """The file in which the whole body lies."""

    sha256: str = ""
    size: int = 0


async def read_body(
    receive: Receive,
    limit: int,
    *,
    headers: Iterable[tuple[bytes, bytes]] = (),
    kept_of_refused: int,
    folder: Path | None = None,
    folder_limit: int = 0,
    is_bulk: Callable[[bytes], bool] = lambda _begun: True,
) -> Body:
    """Return a body of up to `limit` bytes, or with `folder` one of up to `folder_limit`, in a file below it.

    What `is_bulk` does not know by its beginning has no more than `limit` bytes, wherever it lies.

    Of a body whose Content-Length among the `headers` is too large, only `kept_of_refused` bytes are waited for.
    Memory does not grow with the body. A file is removed again when the caller hangs up.

    Raises:
        ConnectionResetError: the caller hung up before the body was whole.
    """
    first = await receive()
    if first["type"] == "http.request" and not first.get("more_body", False):
        whole = first.get("body", b"")
        if len(whole) <= limit and len(whole) <= HELD_BYTES:
            return Body(whole)
    allowed = max(limit, folder_limit) if folder is not None else limit
    if _announced(headers) > allowed:
        allowed = limit = min(limit, kept_of_refused)
        folder = None
    return await _read_on(first, receive, limit, folder, lambda begun: allowed if is_bulk(begun) else limit)


def _announced(headers: Iterable[tuple[bytes, bytes]]) -> int:
    """Return the size that a Content-Length states, the first where it came twice; 0 where there is none."""
    stated = next((value for name, value in headers if name == b"content-length"), b"")
    return int(stated) if stated.isdigit() else 0


async def _read_on(
    first: Message, receive: Receive, limit: int, folder: Path | None, limit_of: Callable[[bytes], int]
) -> Body:
    """Return a body whose first piece was received; `limit_of` is the limit of one that is to lie in a file."""
    chunk, is_more = _piece_of(first)
    chunks, size = [chunk], len(chunk)
    while True:
        if folder is not None and size > HELD_BYTES:
            begun = b"".join(chunks)
            return await _spool(begun, receive if is_more else None, folder, limit_of(begun))
        if size > limit:
            return Body(b"".join(chunks)[:limit], too_large=True)
        if not is_more:
            return Body(b"".join(chunks))
        chunk, is_more = _piece_of(await receive())
        size += len(chunk)
        chunks.append(chunk)


def _piece_of(message: Message) -> tuple[bytes, bool]:
    """Return the piece of a body that a message of the server brings, and whether there is more.

    Raises:
        ConnectionResetError: it says that the caller hung up.
    """
    if message["type"] == "http.disconnect":
        raise ConnectionResetError
    return message.get("body", b""), message.get("more_body", False)


async def _spool(begun: bytes, receive: Receive | None, folder: Path, limit: int) -> Body:
    """Return a body whose beginning was read, as a file; None to receive from where the beginning is all."""
    folder.mkdir(parents=True, exist_ok=True)
    digest, size = sha256(begun), len(begun)
    with NamedTemporaryFile(dir=folder, prefix=".body-", suffix=".part", delete=False) as file:
        path = Path(file.name)
        whole = False
        try:
            file.write(begun)
            is_more = receive is not None
            while is_more and receive is not None:
                chunk, is_more = _piece_of(await receive())
                size += len(chunk)
                if size > limit:
                    return Body(begun, too_large=True)
                digest.update(chunk)
                file.write(chunk)
            whole = True
        finally:
            if not whole:
                discard(path)
    return Body(begun[:HELD_BYTES], path=path, sha256=digest.hexdigest(), size=size)


def discard(path: Path, *_rest: Any) -> None:
    """Remove a file of the spool that nobody needs; one that is gone is fine."""
    with suppress(FileNotFoundError):
        path.unlink()
