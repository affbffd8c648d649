"""Settings of a partner that is reached over a queue, as the site file gives them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from canonical.codes.configuration import BAD_ADAPTER_SETTINGS
from canonical.errors import MisconfiguredError
from iec61968.canonical_nouns.outgoing import Form
from iec61968.editions import EDITIONS, Edition
from messaging.settings import Messaging

Confirms = Literal["broker", "reply"]
"""What confirms a delivery: that the broker holds it, or the partner's own ResponseMessage."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Which queue the partner reads, and how it is spoken to."""

    queue: str
    """Name in `[messaging.outbound]`."""

    messaging: Messaging
    """The site's queues; the hub adds it."""

    edition: Edition
    sender: str
    """Source in the headers of what is sent."""

    form: Form
    """Whether the partner is told (created), asked (create), or as each message has it."""

    confirms: Confirms
    packed: bool
    """Whether bodies go gzipped."""


_DEFAULTS: Mapping[str, object] = {
    "edition": "2011",
    "sender": "AMIHUB",
    "form": "event",
    "confirms": "broker",
    "packed": False,
}


def settings_from(given: Mapping[str, object]) -> Settings:
    """Return the settings of a role.

    Raises:
        MisconfiguredError: a setting is missing, unknown or has no meaning, or the site has no such queue.
    """
    values: dict[str, Any] = {**_DEFAULTS, **given}
    unknown = sorted(set(values) - set(Settings.__slots__))
    if unknown:
        raise _wrong(f"unknown: {', '.join(unknown)}")
    if not values.get("queue"):
        raise _wrong("missing: queue")
    if not isinstance(values.get("messaging"), Messaging):
        raise _wrong("the site has no [messaging]")
    if str(values["edition"]) not in EDITIONS:
        raise _wrong(f"edition {values['edition']!r}, known are {', '.join(EDITIONS)}")
    if values["form"] not in ("event", "request", "as_sent"):
        raise _wrong(f"form {values['form']!r}")
    if values["confirms"] not in ("broker", "reply"):
        raise _wrong(f"confirms {values['confirms']!r}")
    if not isinstance(values["packed"], bool):
        raise _wrong(f"packed {values['packed']!r}")
    messaging: Messaging = values["messaging"]
    messaging.topology.find(f"out.{values['queue']}")
    return Settings(
        queue=str(values["queue"]),
        messaging=messaging,
        edition=EDITIONS[str(values["edition"])],
        sender=str(values["sender"]),
        form=cast("Form", values["form"]),
        confirms=cast("Confirms", values["confirms"]),
        packed=values["packed"],
    )


def _wrong(reason: str) -> MisconfiguredError:
    return MisconfiguredError(reason, code=BAD_ADAPTER_SETTINGS, where="partner_amqp settings")
