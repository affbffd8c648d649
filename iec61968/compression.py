"""Compressed payloads of IEC 61968-100: gzip in base64 (read too: uuencoded), expanded only as far as limits allow."""

import base64
import binascii
import gzip
import zlib
from dataclasses import dataclass

from canonical.codes import message as codes
from canonical.errors import RejectedError

_CHUNK = 65_536
_FREE_BYTES = 65_536
"""Below this size no ratio is asked: a short document of blanks compresses well and harms nobody."""


@dataclass(frozen=True, slots=True)
class CompressionLimits:
    """How far a compressed payload may grow."""

    total_bytes: int = 64 * 1024 * 1024
    """Bytes after expanding."""

    ratio: int = 200
    """Bytes after, for each byte before."""


def compress(data: bytes) -> str:
    """Return data as gzip in base64; the same data gives the same text, because no time is written into it."""
    return base64.b64encode(gzip.compress(data, compresslevel=6, mtime=0)).decode("ascii")


def expand(text: str, *, limits: CompressionLimits | None = None, where: str = "Payload/Compressed") -> bytes:
    """Return what a Compressed element holds.

    Raises:
        RejectedError: not base64 (or uuencoded) gzip, cut short, followed by something else, or beyond a limit
            (COMPRESSED_REFUSED); at most the limit's bytes were made of it.
    """
    try:
        packed = _decoded(text)
    except (binascii.Error, ValueError) as error:
        raise RejectedError("neither base64 nor uuencoded", code=codes.COMPRESSED_REFUSED, where=where) from error
    return expand_bytes(packed, limits=limits, where=where)


def expand_bytes(packed: bytes, *, limits: CompressionLimits | None = None, where: str = "") -> bytes:
    """Return what gzip bytes hold.

    Raises:
        RejectedError: not gzip, cut short, followed by something else, or beyond a limit (COMPRESSED_REFUSED).
    """
    limits = limits or CompressionLimits()
    allowed = min(limits.total_bytes, max(_FREE_BYTES, len(packed) * limits.ratio))
    machine = zlib.decompressobj(wbits=31)
    found = bytearray()
    try:
        rest = packed
        while rest and not machine.eof:
            found += machine.decompress(rest, min(_CHUNK, allowed + 1 - len(found)))
            rest = machine.unconsumed_tail
            if len(found) > allowed:
                raise RejectedError(
                    f"{len(packed)} bytes expand to more than {allowed}", code=codes.COMPRESSED_REFUSED, where=where
                )
    except zlib.error as error:
        raise RejectedError(f"not gzip: {error}", code=codes.COMPRESSED_REFUSED, where=where) from error
    if not machine.eof or machine.unused_data:
        raise RejectedError("gzip that is cut or goes on", code=codes.COMPRESSED_REFUSED, where=where)
    return bytes(found)


def _decoded(text: str) -> bytes:
    """Return the bytes of a text in base64, or of a uuencoded one between its `begin` and `end`.

    Raises:
        ValueError: it is neither.
    """
    if not text.lstrip().startswith("begin "):
        return base64.b64decode("".join(text.split()), validate=True)
    lines = text.strip().splitlines()
    if lines[-1].strip() != "end":
        raise ValueError("no end")
    return b"".join(binascii.a2b_uu(line.rstrip("\r")) for line in lines[1:-1])
