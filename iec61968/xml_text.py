"""Texts as XML holds them: what it cannot hold is refused, never dropped."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from xml.sax.saxutils import escape

from canonical.codes import message as codes
from canonical.errors import RejectedError

_EPOCH, _SECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(seconds=1)
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


def header_instant(at: datetime) -> str:
    """Return an aware instant as the Header of a message says it: in UTC, in whole seconds, the fraction cut off."""
    return _second_text((at - _EPOCH) // _SECOND)


@lru_cache(maxsize=64)
def _second_text(second: int) -> str:
    """Return a second since 1970 UTC; the answers of one second share its text."""
    return f"{(_EPOCH + second * _SECOND).isoformat()[:19]}Z"
