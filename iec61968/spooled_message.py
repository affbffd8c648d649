"""A message that lies in a file, on its way to a partner: wrapped in his binding as it is read, never held."""

from collections.abc import Iterator
from pathlib import Path

from lxml import etree

from iec61968.bindings import wrap
from iec61968.message_client import Peer

_CHUNK = 65_536
_DECLARATION = b"?>"


class SpooledBody:
    """The bytes that carry a message of a file, as something that an HTTP client reads; its length is known."""

    def __init__(self, path: Path, peer: Peer) -> None:
        """Find out what stands around the message in the partner's binding, and how long it all is."""
        self._path = path
        self._is_text = peer.binding == "string"
        mark = b"&lt;amihub-mark/&gt;" if self._is_text else b"<amihub-mark/>"
        around = wrap(etree.Element("amihub-mark"), peer.binding, operation=peer.operation)
        self._before, _, self._behind = around.partition(mark)
        self._length = sum(map(len, self._pieces()))
        self._rest = b""
        self._source = self._pieces()

    def __len__(self) -> int:
        """Return the number of bytes."""
        return self._length

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes, none at the end."""
        while size < 0 or len(self._rest) < size:
            piece = next(self._source, None)
            if piece is None:
                break
            self._rest += piece
        end = len(self._rest) if size < 0 else size
        found, self._rest = self._rest[:end], self._rest[end:]
        return found

    def _pieces(self) -> Iterator[bytes]:
        """Yield everything in its order."""
        yield self._before
        with self._path.open("rb") as file:
            head = file.read(_CHUNK)
            if head.startswith(b"<?xml"):
                head = head.partition(_DECLARATION)[2].lstrip()
            while head:
                yield _escaped(head) if self._is_text else head
                head = file.read(_CHUNK)
        yield self._behind


def _escaped(data: bytes) -> bytes:
    """Return a piece of XML as text inside XML."""
    return data.replace(b"&", b"&amp;").replace(b"<", b"&lt;").replace(b">", b"&gt;").replace(b"\r", b"&#13;")
