"""Settings of a provider of CIM files, as the site file gives them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from canonical.codes.configuration import BAD_ADAPTER_SETTINGS
from canonical.errors import MisconfiguredError
from iec61968.editions import EDITIONS, Edition
from iec61968.validation import Policy
from sftp.mailbox import MailboxSettings, mailbox_settings

NAMES = r"(?P<rest>[^/\s]+)\.xml"
"""Any name that ends in `.xml`, unpacked."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Where a provider's files lie, what they are called, and how strictly they are read."""

    mailbox: MailboxSettings
    names: re.Pattern[str]
    """What a name looks like without `.gz` or `.zip`; groups `sequence`, `receiver` and `env` are understood."""

    edition: Edition
    policy: Policy
    """What is done with a file that breaks its schema: `strict` refuses it whole."""

    source: str
    """Name of the feed in every reading that comes from it, and the sender of its files."""


def settings_from(given: Mapping[str, object]) -> Settings:
    """Return the settings of a role.

    Raises:
        MisconfiguredError: a setting is missing, unknown or has no meaning.
    """
    values: dict[str, Any] = dict(given)
    edition, policy = str(values.pop("edition", "2011")), str(values.pop("policy", "strict"))
    source = str(values.pop("source", "mdms_cim_files"))
    if edition not in EDITIONS:
        raise _wrong(f"edition {edition!r}, known are {', '.join(EDITIONS)}")
    if policy not in ("strict", "report", "off"):
        raise _wrong(f"policy {policy!r}")
    try:
        names = re.compile(str(values.pop("names", NAMES)))
    except re.error as error:
        raise _wrong(f"names: {error}") from error
    mailbox = mailbox_settings(values, where="mdms_cim_files")
    return Settings(mailbox, names, EDITIONS[edition], cast("Policy", policy), source)


def _wrong(reason: str) -> MisconfiguredError:
    return MisconfiguredError(reason, code=BAD_ADAPTER_SETTINGS, where="mdms_cim_files settings")
