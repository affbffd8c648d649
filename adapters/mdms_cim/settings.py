"""Settings of an MDMS that speaks IEC 61968-9, as the site file gives them (docs/adapters/mdms.md)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from iec61968.partner import Partner
from iec61968.partner_settings import SETTINGS, https_address, partner_from, wrong

_WHERE = "mdms_cim settings"
_OWN = ("events_url", "services_url", "batch", "source", "reply_address")


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the MDMS is and how it is spoken to."""

    partner: Partner
    """For everything that it is told; its conventions say how its master data is to be understood."""

    url: str
    """Address of its GetMeterReadings service."""

    events_url: str
    """Address of its ReceiveMeterReadings service."""

    batch: int
    """Usage points in one question."""

    source: str
    """Name of the feed in every reading that comes from it."""

    reply_address: str = ""
    """Address of ours to which it answers later; empty: it answers while we wait."""


def settings_from(given: Mapping[str, object]) -> Settings:
    """Return the settings of a role.

    With `services_url` every service stands below it; without, below the folder of `url`, but for the two named.

    Raises:
        MisconfiguredError: a setting is missing, unknown or has no meaning.
    """
    unknown = sorted(set(given) - {*SETTINGS, *_OWN})
    if unknown:
        raise wrong(f"unknown: {', '.join(unknown)}", _WHERE)
    base = str(given.get("services_url") or "").rstrip("/")
    if base:
        https_address(base, "services_url", _WHERE)
    elif not (given.get("url") and given.get("events_url")):
        raise wrong("missing: services_url, or url and events_url", _WHERE)
    url = https_address(given.get("url") or f"{base}/GetMeterReadings", "url", _WHERE)
    events_url = https_address(given.get("events_url") or f"{base}/ReceiveMeterReadings", "events_url", _WHERE)
    batch = given.get("batch", 200)
    if not isinstance(batch, int) or not 1 <= batch <= 10_000:
        raise wrong(f"batch {batch!r} is not 1 to 10000", _WHERE)
    named = given.get("urls", {})
    urls: dict[str, Any] = dict(named) if isinstance(named, Mapping) else {"urls": named}
    told = {name: value for name, value in given.items() if name in SETTINGS}
    places = {"GetMeterReadings": url, "ReceiveMeterReadings": events_url, **urls}
    partner = partner_from({**told, "url": base or url.rpartition("/")[0], "urls": places}, where=_WHERE)
    reply_address = str(given.get("reply_address", ""))
    if reply_address:
        https_address(reply_address, "reply_address", _WHERE)
    return Settings(partner, url, events_url, batch, str(given.get("source", "mdms")), reply_address)
