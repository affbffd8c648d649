"""Identifiers that the hub mints: the same business key gives the same id, in every run and on every machine."""

import re
from datetime import UTC, datetime
from hashlib import sha1
from uuid import UUID

from canonical.names import normal_serial

NAMESPACE = UUID("6f5ad1a8-0c4c-5d0e-9f0e-2f3a54f0c9d1")
"""Namespace of every id that the hub mints. Never change it: ids already sent would change."""

_EIGHT_DIGITS = re.compile("[0-9a-fA-F]{8}")


def mint(kind: str, *fields: str | int | datetime) -> str:
    """Return the id of the `kind` of thing that `fields` (its business key, in a fixed order) name.

    uuid5 of kind and fields joined by U+001F; instants count as UTC ISO seconds.
    """
    texts = [kind]
    for one in fields:
        texts.append(one if type(one) is str else _field_text(one))
    return _uuid5("\x1f".join(texts))


def mint_near(near: str, kind: str, *fields: str | int | datetime) -> str:
    """Return the id of what `fields` name, beginning as the id `near` does: of what it belongs to.

    Things that are written together then lie together in every index, so that a batch of some touches as few pages of
    a large store as of a small one. Eight digits are those of `near`, the others those of `mint`: a UUID of one's own
    making (RFC 9562, 5.8). Where `near` does not begin with eight hexadecimal digits, it is the id of `mint`.
    """
    own = mint(kind, *fields)
    begin = _EIGHT_DIGITS.match(near)
    return f"{begin[0].lower()}{own[8:14]}8{own[15:]}" if begin is not None else own


def _field_text(field: str | int | datetime) -> str:
    """Return a field as it counts in a business key."""
    return field.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(field, datetime) else str(field)


_STARTED = sha1(NAMESPACE.bytes, usedforsecurity=False)
_VARIANT = {digit: "89ab"[int(digit, 16) & 0x3] for digit in "0123456789abcdef"}
"""The digit that stands for a random one where its upper two bits say which variant of UUID it is."""


def _uuid5(name: str) -> str:
    """Return the uuid5 of a name in our namespace as text (RFC 9562, 5.5); `uuid.uuid5` takes twice as long."""
    hashed = _STARTED.copy()
    hashed.update(name.encode())
    text = hashed.hexdigest()
    return f"{text[:8]}-{text[8:12]}-5{text[13:16]}-{_VARIANT[text[16]]}{text[17:20]}-{text[20:32]}"


def meter_mrid(manufacturer: str, serial: str) -> str:
    """Return the mRID of the meter with this manufacturer and serial (a serial alone is not unique)."""
    return mint("meter", manufacturer.strip().upper(), normal_serial(serial))
