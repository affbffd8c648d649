"""The zone of a usage point in a drop: the file names only its own, so a point's is found by the offsets it wrote."""

from datetime import datetime
from zoneinfo import ZoneInfo, available_timezones

KEPT = 20_000


class Zones:
    """Finds the zone that writes the same offsets again; the file's own wherever that does."""

    def __init__(self, own: str) -> None:
        """Start with the zone of the file's header."""
        self.own = own
        self.known: dict[tuple[str, ...], str] = {}

    def of(self, texts: tuple[str, ...]) -> str:
        """Return the first zone in which these instants are written as these texts."""
        key = texts
        zone = self.known.get(key)
        if zone is None:
            if len(self.known) >= KEPT:
                self.known.clear()
            zone = self.known[key] = self._find(key)
        return zone

    def _find(self, texts: tuple[str, ...]) -> str:
        """Return the file's zone, or by name the first other that agrees; the file's where none does."""
        if _writes(self.own, texts):
            return self.own
        return next((z for z in sorted(available_timezones()) if "/" in z and _writes(z, texts)), self.own)


def _writes(zone: str, texts: tuple[str, ...]) -> bool:
    """Whether a zone writes all the instants with the offsets that they have."""
    local = ZoneInfo(zone)
    for text in texts:
        instant = datetime.fromisoformat(text)
        if instant.astimezone(local).utcoffset() != instant.utcoffset():
            return False
    return True
