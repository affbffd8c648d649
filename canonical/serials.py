"""Meter serials that a spreadsheet has mangled: scientific notation, leading zeros gone (domain 0.2)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from canonical.codes import identity as codes
from canonical.messages import Rejection

_SCIENTIFIC = re.compile(r"[0-9](?:[.,][0-9]+)?[eE]\+?[0-9]+")


@dataclass(frozen=True, slots=True)
class SerialPolicy:
    """What the serials of manufacturers look like."""

    digits: Mapping[str, int] = field(default_factory=dict)
    """Manufacturer to the number of digits of its all-digit serials; a shorter one has lost leading zeros."""

    def fault(self, manufacturer: str, serial: str) -> str:
        """Return why a serial is mangled, or an empty text."""
        if _SCIENTIFIC.fullmatch(serial):
            return f"serial {serial!r} was turned into a number in scientific notation"
        digits = self.digits.get(manufacturer, 0)
        if serial.isdigit() and len(serial) < digits:
            return f"serial {serial!r} of {manufacturer} has lost leading zeros: {digits} digits are expected"
        return ""

    def rejection(self, manufacturer: str, serial: str, *, line: int, key: str, raw: str) -> Rejection | None:
        """Return the rejection of an item for its serial's sake, or None."""
        reason = self.fault(manufacturer, serial) if serial else ""
        return Rejection(line, str(codes.ID_MANGLED), reason, key=key, raw=raw) if reason else None
