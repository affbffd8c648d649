"""The bytes of a file to be inspected: unwrapped from zip or gzip within limits, and what format they look like."""

import gzip
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from canonical.codes.transport import WRAPPER_MEMBERS, WRAPPER_TOO_LARGE, WRAPPER_UNREADABLE
from canonical.errors import RejectedError
from sftp.wrapping import Limits

LIMITS = Limits()
"""The limits within which the hub itself unpacks what it takes in."""

ROLLOUT = ("shipment", "field-orders", "completions", "route", "manual-reads")
"""Formats of a meter rollout; their layouts are called alike, with underscores."""

_PEEK = 4096
_BLOCK = 1 << 18


@contextmanager
def open_content(path: Path) -> Iterator[BinaryIO]:
    """Open a file, or the single member of a zip or gzip file, for one pass.

    Raises:
        RejectedError: a damaged or encrypted wrapper, several members, or a size or ratio beyond the limits.
        OSError: the file cannot be opened.
    """
    with path.open("rb") as raw:
        magic = raw.read(4)
        raw.seek(0)
        try:
            if magic[:2] == b"PK":
                with zipfile.ZipFile(raw) as archive, archive.open(_only_member(archive)) as member:
                    yield cast(BinaryIO, member)
            elif magic[:2] == b"\x1f\x8b":
                with gzip.open(raw) as member:
                    _check_size(member, path.stat().st_size)
                    yield cast(BinaryIO, member)
            else:
                yield raw
        except (zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, EOFError, NotImplementedError) as error:
            raise RejectedError(f"the wrapper is damaged: {error}", code=WRAPPER_UNREADABLE) from error


def _only_member(archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    """Return the single file of a zip within the limits; its name does not matter."""
    members = archive.infolist()
    if len(members) != 1 or members[0].is_dir():
        raise RejectedError(f"the zip holds {len(members)} members, not one file", code=WRAPPER_MEMBERS)
    member = members[0]
    if member.flag_bits & 1:
        raise RejectedError("the zip is encrypted", code=WRAPPER_UNREADABLE)
    if member.file_size > _allowed(member.compress_size):
        reason = f"{member.compress_size} bytes would unpack to {member.file_size}"
        raise RejectedError(reason, code=WRAPPER_TOO_LARGE)
    return member


def _check_size(packed: gzip.GzipFile, packed_size: int) -> None:
    """Unpack once without keeping anything: gzip does not say how much it holds, so it is counted."""
    allowed = _allowed(packed_size)
    while packed.read(_BLOCK):
        if packed.tell() > allowed:
            reason = f"{packed_size} bytes unpack to more than {allowed}"
            raise RejectedError(reason, code=WRAPPER_TOO_LARGE)
    packed.seek(0)


def _allowed(packed_size: int) -> int:
    """Return how many bytes may come out of so many."""
    return min(LIMITS.max_bytes, max(LIMITS.always_bytes, packed_size * LIMITS.max_ratio))


def guess_format(stream: BinaryIO, *, otherwise: str) -> str:
    """Return the format that the content begins like, or `otherwise`. The stream is left where it was."""
    head = stream.read(_PEEK)
    stream.seek(0)
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if re.match(rb'"?(100|200|250|300|900)"?\s*(,|$|\r|\n)', text):
        return "nem"
    if text.startswith(b"HDR"):
        layout = re.match(rb"HDR\|?([a-z_]+)\b", text)
        named = layout[1].decode().replace("_", "-") if layout else ""
        return named if named in ("masters", "topology", *ROLLOUT) else "billing-drop"
    return "cim" if text.startswith(b"<") else otherwise


def guess_format_by_name(name: str) -> str:
    """Return the format that a name suggests, or `unknown`."""
    lower = name.lower()
    if "nem1" in lower or ".csv" in lower:
        return "nem"
    if lower[:3] in _PREFIXES:
        return _PREFIXES[lower[:3]]
    return "cim" if lower.endswith(".xml") else "unknown"


_PREFIXES = {
    "bd_": "billing-drop",
    "mx_": "masters",
    "tp_": "topology",
    "sh_": "shipment",
    "fo_": "field-orders",
    "cr_": "completions",
    "rx_": "route",
    "mr_": "manual-reads",
}
"""What a file's name begins with (sftp/formats/file_names.py)."""
