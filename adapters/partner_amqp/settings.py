"""Settings of a partner that is reached over a queue, as the site file gives them."""

from collections.abc import Mapping
from dataclasses import dataclass

from iec61968.canonical_nouns.outgoing import Speech
from iec61968.partner_settings import SPEECH, speech_from, wrong
from messaging.partner_queue import SETTINGS, PartnerQueue, partner_queue_from

_WHERE = "partner_amqp settings"


@dataclass(frozen=True, slots=True)
class Settings:
    """Which queue the partner reads, and how it is spoken to."""

    place: PartnerQueue
    speech: Speech


def settings_from(given: Mapping[str, object]) -> Settings:
    """Return the settings of a role.

    Raises:
        MisconfiguredError: a setting is missing, unknown or has no meaning, or the site has no such queue.
    """
    unknown = sorted(set(given) - {*SETTINGS, *SPEECH})
    if unknown:
        raise wrong(f"unknown: {', '.join(unknown)}", _WHERE)
    speech = speech_from({"form": "event", **given}, where=_WHERE)
    return Settings(partner_queue_from(given, where=_WHERE), speech)
