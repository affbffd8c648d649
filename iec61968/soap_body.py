"""The body of an HTTP call: held in memory while it is small, hashed into a file of the spool as it grows."""

from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, NamedTuple

from starlette.types import Receive

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
    announced: str = "",
    kept_of_refused: int,
    folder: Path | None = None,
    folder_limit: int = 0,
    is_bulk: Callable[[bytes], bool] = lambda _begun: True,
) -> Body:
    """Return a body of up to `limit` bytes, or with `folder` one of up to `folder_limit`, in a file below it.

    What `is_bulk` does not know by its beginning has no more than `limit` bytes, wherever it lies.

    Of a body whose `announced` Content-Length is too large, only `kept_of_refused` bytes are waited for. Memory does
    not grow with the body. A file is removed again when the caller hangs up.

    Raises:
        ConnectionResetError: the caller hung up before the body was whole.
    """
    allowed = max(limit, folder_limit) if folder is not None else limit
    if announced.isdecimal() and int(announced) > allowed:
        allowed = limit = min(limit, kept_of_refused)
        folder = None
    chunk, is_more = await _piece(receive)
    if not is_more and len(chunk) <= min(limit, HELD_BYTES):
        return Body(chunk)
    chunks, size = [chunk], len(chunk)
    while True:
        if folder is not None and size > HELD_BYTES:
            begun = b"".join(chunks)
            return await _spool(begun, receive if is_more else None, folder, allowed if is_bulk(begun) else limit)
        if size > limit:
            return Body(b"".join(chunks)[:limit], too_large=True)
        if not is_more:
            return Body(b"".join(chunks))
        chunk, is_more = await _piece(receive)
        size += len(chunk)
        chunks.append(chunk)


async def _piece(receive: Receive) -> tuple[bytes, bool]:
    """Return the next piece of a body, and whether there is more.

    Raises:
        ConnectionResetError: the caller hung up.
    """
    message = await receive()
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
                chunk, is_more = await _piece(receive)
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
