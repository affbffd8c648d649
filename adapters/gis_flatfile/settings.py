"""Settings of a GIS whose topology travels as files, as the site file gives them: those of its folders alone."""

from collections.abc import Mapping
from dataclasses import dataclass

from sftp.mailbox import MailboxSettings, mailbox_settings


@dataclass(frozen=True, slots=True)
class Settings:
    """Where a GIS's files lie."""

    mailbox: MailboxSettings


def settings_from(given: Mapping[str, object]) -> Settings:
    """Return the settings of a role.

    Raises:
        MisconfiguredError: a setting is missing, unknown or impossible; the reason names it.
    """
    return Settings(mailbox_settings(dict(given), where="gis_flatfile"))
