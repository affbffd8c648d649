"""Settings of a work system over IEC 61968-9, as the site file gives them (docs/adapters/wams.md)."""

from collections.abc import Mapping
from dataclasses import dataclass

from iec61968.canonical_nouns.conventions import MasterDataReading
from iec61968.partner import Partner
from iec61968.partner_settings import SETTINGS, partner_from, wrong

_WHERE = "wams_cim settings"


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the work system is, how it is spoken to, and how its messages are to be understood."""

    partner: Partner
    batch: int
    """Meters in one question."""

    source: str
    """Name of the feed in what it answers."""

    @property
    def reading(self) -> MasterDataReading:
        """Return how its messages are to be understood."""
        return self.partner.speech.conventions


def settings_from(given: Mapping[str, object]) -> Settings:
    """Return the settings of a role.

    Raises:
        MisconfiguredError: a setting is missing, unknown or has no meaning.
    """
    unknown = sorted(set(given) - {*SETTINGS, "batch", "source"})
    if unknown:
        raise wrong(f"unknown: {', '.join(unknown)}", _WHERE)
    batch = given.get("batch", 200)
    if not isinstance(batch, int) or not 1 <= batch <= 10_000:
        raise wrong(f"batch {batch!r} is not 1 to 10000", _WHERE)
    partner = partner_from({"form": "request", **given}, where=_WHERE)
    return Settings(partner, batch, str(given.get("source", "wams")))
