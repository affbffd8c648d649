"""Settings of a partner whose messages are files, as the site file gives them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from canonical.codes.configuration import BAD_ADAPTER_SETTINGS
from canonical.errors import MisconfiguredError
from iec61968.canonical_nouns.outgoing import Form
from iec61968.editions import EDITIONS, Edition
from sftp.mailbox import MailboxSettings, mailbox_settings

NAMES = r"[^/\s]+\.xml"
"""Any name that ends in `.xml`, unpacked."""

Confirms = Literal["file", "reply"]
"""What confirms a delivery: that the file lies there, or the partner's own ResponseMessage."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Where a partner's messages lie, what they are called, and how the partner is spoken to."""

    mailbox: MailboxSettings
    names: re.Pattern[str]
    """What a name looks like without `.gz`, `.zip` or `.pgp`."""

    edition: Edition
    sender: str
    """Source in the headers of what is sent."""

    form: Form
    """Whether the partner is told (created), asked (create), or as each message has it."""

    confirms: Confirms
    packed: bool
    """Whether what is sent goes gzipped; answers never do."""


_DEFAULTS: Mapping[str, object] = {
    "names": NAMES,
    "edition": "2011",
    "sender": "AMIHUB",
    "form": "event",
    "confirms": "file",
    "packed": False,
}


def settings_from(given: Mapping[str, object]) -> Settings:
    """Return the settings of a role.

    Raises:
        MisconfiguredError: a setting is missing, unknown or has no meaning.
    """
    values: dict[str, Any] = {**_DEFAULTS, **given}
    own = {name: values.pop(name) for name in _DEFAULTS}
    if str(own["edition"]) not in EDITIONS:
        raise _wrong(f"edition {own['edition']!r}, known are {', '.join(EDITIONS)}")
    if own["form"] not in ("event", "request", "as_sent"):
        raise _wrong(f"form {own['form']!r}")
    if own["confirms"] not in ("file", "reply"):
        raise _wrong(f"confirms {own['confirms']!r}")
    if not isinstance(own["packed"], bool):
        raise _wrong(f"packed {own['packed']!r}")
    try:
        names = re.compile(str(own["names"]))
    except re.error as error:
        raise _wrong(f"names: {error}") from error
    return Settings(
        mailbox=mailbox_settings(values, where="partner_files"),
        names=names,
        edition=EDITIONS[str(own["edition"])],
        sender=str(own["sender"]),
        form=cast("Form", own["form"]),
        confirms=cast("Confirms", own["confirms"]),
        packed=own["packed"],
    )


def _wrong(reason: str) -> MisconfiguredError:
    return MisconfiguredError(reason, code=BAD_ADAPTER_SETTINGS, where="partner_files settings")
