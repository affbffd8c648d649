"""Texts as XML holds them: what it cannot hold is refused, never dropped."""

import re
from xml.sax.saxutils import escape

from canonical.codes import message as codes
from canonical.errors import RejectedError

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""Control characters, lone surrogates and non-characters (XML 1.0, production 2)."""

_PLAIN = re.compile("[^\x00-\x1f&<>\x7f-\U0010ffff]*")
"""Texts that stand in XML as they are."""


def text(value: str) -> str:
    """Return a text as element content.

    Raises:
        RejectedError: it holds characters that XML cannot.
    """
    if _PLAIN.fullmatch(value):
        return value
    return escape(clean(value), {"\r": "&#13;"})


def clean(value: str) -> str:
    """Return the value unchanged if XML can hold it.

    Raises:
        RejectedError: it holds control characters or lone surrogates.
    """
    if _FORBIDDEN.search(value):
        raise RejectedError(f"{value!r} cannot stand in XML", code=codes.EXPORT_IMPOSSIBLE)
    return value
