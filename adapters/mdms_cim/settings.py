"""Settings of an MDMS that speaks IEC 61968-9, as the site file gives them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from canonical.codes.configuration import BAD_ADAPTER_SETTINGS
from canonical.errors import MisconfiguredError
from iec61968.editions import EDITIONS, Edition
from iec61968.validation import Policy


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the MDMS is and how it is spoken to."""

    url: str
    """Address of its GetMeterReadings service."""

    events_url: str
    """Address of its ReceiveMeterReadings service."""

    user: str
    password: str
    ca_file: str
    """Certificates that may vouch for it; the machine's own store is not asked."""

    edition: Edition
    batch: int
    """Usage points in one question."""

    policy: Policy
    """What is done with an answer that breaks its schema."""

    source: str
    """Name of the feed in every reading that comes from it."""

    sender: str
    """Source in the headers of what is sent."""


_DEFAULTS: Mapping[str, object] = {
    "edition": "2011",
    "batch": 200,
    "policy": "strict",
    "source": "mdms",
    "sender": "AMIHUB",
    "ca_file": "",
}


def settings_from(given: Mapping[str, object]) -> Settings:
    """Return the settings of a role.

    Raises:
        MisconfiguredError: a setting is missing, unknown or has no meaning.
    """
    values: dict[str, Any] = {**_DEFAULTS, **given}
    names = tuple(Settings.__slots__)
    missing = [name for name in ("url", "events_url", "user", "password") if not values.get(name)]
    unknown = sorted(set(values) - set(names))
    if missing or unknown:
        what = f"missing: {', '.join(missing)}" if missing else f"unknown: {', '.join(unknown)}"
        raise _wrong(what)
    for name in ("url", "events_url"):
        if not str(values[name]).startswith("https://"):
            raise _wrong(f"{name} must begin with https://")
        if "@" in str(values[name]).removeprefix("https://").split("/")[0]:
            raise _wrong(f"{name} must not carry user or password: they belong into the settings of that name")
    if str(values["edition"]) not in EDITIONS:
        raise _wrong(f"edition {values['edition']!r}, known are {', '.join(EDITIONS)}")
    if values["policy"] not in ("strict", "report", "off"):
        raise _wrong(f"policy {values['policy']!r}")
    if not isinstance(values["batch"], int) or not 1 <= values["batch"] <= 10_000:
        raise _wrong(f"batch {values['batch']!r} is not 1 to 10000")
    texts = {
        name: str(values[name]) for name in ("url", "events_url", "user", "password", "ca_file", "source", "sender")
    }
    return Settings(
        edition=EDITIONS[str(values["edition"])],
        batch=values["batch"],
        policy=cast("Policy", values["policy"]),
        **texts,
    )


def _wrong(reason: str) -> MisconfiguredError:
    return MisconfiguredError(reason, code=BAD_ADAPTER_SETTINGS, where="mdms_cim settings")
