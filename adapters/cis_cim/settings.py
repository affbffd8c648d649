"""Settings of a CIS that speaks IEC 61968-9, as the site file gives them (docs/adapters/cis_cim.md)."""

from collections.abc import Mapping
from dataclasses import dataclass

from iec61968.canonical_nouns.conventions import MasterDataReading
from iec61968.partner import Partner
from iec61968.partner_settings import SETTINGS, partner_from, wrong

_WHERE = "cis_cim settings"


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the CIS is, how it is spoken to, and how its messages are to be understood."""

    partner: Partner
    source: str
    """Name of the feed in every reading that comes from it."""

    @property
    def reading(self) -> MasterDataReading:
        """Return how its messages are to be understood."""
        return self.partner.speech.conventions


def settings_from(given: Mapping[str, object]) -> Settings:
    """Return the settings of a role.

    Raises:
        MisconfiguredError: a setting is missing, unknown or has no meaning.
    """
    unknown = sorted(set(given) - {*SETTINGS, "source"})
    if unknown:
        raise wrong(f"unknown: {', '.join(unknown)}", _WHERE)
    return Settings(partner_from({"form": "event", **given}, where=_WHERE), str(given.get("source", "cis")))
