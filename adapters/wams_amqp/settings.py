"""Settings of a work system behind a queue, as the site file gives them (docs/adapters/wams.md)."""

from collections.abc import Mapping
from dataclasses import dataclass

from iec61968.canonical_nouns.conventions import MasterDataReading
from iec61968.canonical_nouns.outgoing import Speech
from iec61968.partner_settings import SPEECH, speech_from, wrong
from messaging.partner_queue import SETTINGS, PartnerQueue, partner_queue_from

_WHERE = "wams_amqp settings"


@dataclass(frozen=True, slots=True)
class Settings:
    """Which queue the work system reads, how it is spoken to, and how its messages are to be understood."""

    place: PartnerQueue
    speech: Speech

    @property
    def reading(self) -> MasterDataReading:
        """Return how its messages are to be understood."""
        return self.speech.conventions


def settings_from(given: Mapping[str, object]) -> Settings:
    """Return the settings of a role.

    Raises:
        MisconfiguredError: a setting is missing, unknown or has no meaning, or the site has no such queue.
    """
    unknown = sorted(set(given) - {*SETTINGS, *SPEECH})
    if unknown:
        raise wrong(f"unknown: {', '.join(unknown)}", _WHERE)
    speech = speech_from({"form": "request", **given}, where=_WHERE)
    return Settings(partner_queue_from(given, where=_WHERE), speech)
