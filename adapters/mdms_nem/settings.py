"""Settings of one NEM file provider, as the site file gives them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from canonical.codes.file import NEM_DAY_CLOCK
from canonical.codes.transport import SFTP_SETTINGS
from canonical.errors import MisconfiguredError
from sftp.mailbox import MailboxSettings, mailbox_settings


@dataclass(frozen=True, slots=True)
class Settings:
    """Where a provider's files lie, and by which clock they are written."""

    mailbox: MailboxSettings
    zone: ZoneInfo
    """The feed's own clock; its offset never changes."""

    source: str
    """Name of the feed in every reading that comes from it."""


def settings_from(given: Mapping[str, object]) -> Settings:
    """Return the settings of a role.

    Raises:
        MisconfiguredError: a setting is missing or unknown, or the zone is unknown or changes its offset.
    """
    values: dict[str, Any] = dict(given)
    if not values.get("zone"):
        raise MisconfiguredError("settings missing: zone", code=SFTP_SETTINGS, where="mdms_nem")
    zone, source = fixed_zone(str(values.pop("zone"))), str(values.pop("source", "mdms_nem"))
    return Settings(mailbox_settings(values, where="mdms_nem"), zone, source)


def fixed_zone(name: str) -> ZoneInfo:
    """Return the zone of a NEM feed.

    Raises:
        MisconfiguredError: the zone is unknown, or its offset changed between 2000 and 2050: a NEM day always has 1440
            minutes.
    """
    try:
        zone = ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise MisconfiguredError(f"zone {name!r} is unknown", code=NEM_DAY_CLOCK, where="zone") from error
    first = datetime(2000, 1, 1, tzinfo=UTC)
    offsets = {zone.utcoffset((first + timedelta(days=14 * n)).astimezone(zone)) for n in range(26 * 50)}
    if len(offsets) > 1:
        raise MisconfiguredError(f"zone {name!r} changes its offset", code=NEM_DAY_CLOCK, where="zone")
    return zone
