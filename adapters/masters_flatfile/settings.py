"""Settings of a system that exchanges masters as files, as the site file gives them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from zoneinfo import ZoneInfo

from canonical.codes import configuration as codes
from canonical.errors import MisconfiguredError
from canonical.serials import SerialPolicy
from sftp.formats.file_names import PATTERNS, expression
from sftp.layout import Form
from sftp.layout_values import is_zone
from sftp.mailbox import MailboxSettings, mailbox_settings
from sftp.pgp import Pgp


@dataclass(frozen=True, slots=True)
class Settings:
    """Where a system's files lie, and how those are written that it is told by."""

    mailbox: MailboxSettings
    sender: str
    """Our code in names and headers of what is written."""

    receiver: str
    """The system's code; empty where it is told nothing by file."""

    env: str
    """`TEST` or `PROD`, as names say it."""

    zone: ZoneInfo
    """Zone of instants in what is written, and of its business date."""

    form: Form
    """Of what is written; what is read shows its own."""

    wrap: Literal["", "gz"]
    serials: SerialPolicy

    @property
    def locks(self) -> Pgp | None:
        """Keys with which files are signed and encrypted; None where the site names no key of the system."""
        pgp = self.mailbox.pgp
        return pgp if pgp is not None and pgp.recipient else None

    @property
    def suffix(self) -> str:
        """What the name of a file bears for its wrappers, the outermost last."""
        return (f".{self.wrap}" if self.wrap else "") + (".pgp" if self.locks else "")


def settings_from(given: Mapping[str, object]) -> Settings:
    """Return the settings of a role.

    Raises:
        MisconfiguredError: a setting is missing, unknown or impossible; the reason names it.
    """
    values: dict[str, Any] = dict(given)
    zone, form, wrap = (values.pop(*one) for one in (("zone", "UTC"), ("format", "delimited"), ("wrap", "")))
    names = {name: str(values.pop(name, usual)) for name, usual in _NAMES.items()}
    if not is_zone(str(zone)):
        raise _bad(f"zone {zone!r} is no IANA zone")
    if form not in ("delimited", "fixed"):
        raise _bad(f"format {form!r} is neither delimited nor fixed")
    if wrap not in ("", "gz"):
        raise _bad(f"wrap {wrap!r} is neither empty nor gz")
    for name, value in names.items():
        if value and expression(f"{{{name}}}").fullmatch(value) is None:
            raise _bad(f"{name} {value!r} cannot stand in the name {PATTERNS['masters']}")
    return Settings(
        zone=ZoneInfo(zone),
        form=form,
        wrap=wrap,
        serials=_serials(values.pop("serial_digits", {})),
        mailbox=mailbox_settings(values, where="masters_flatfile"),
        **names,
    )


_NAMES = {"sender": "AMIHUB", "receiver": "", "env": "PROD"}


def _serials(given: object) -> SerialPolicy:
    """Return how many digits a manufacturer's serials have."""
    if not isinstance(given, Mapping) or not all(isinstance(n, int) and n > 0 for n in given.values()):
        raise _bad("serial_digits is not a table of manufacturer = digits")
    return SerialPolicy(dict(given))


def _bad(reason: str) -> MisconfiguredError:
    """Return the error of a setting that cannot be used."""
    return MisconfiguredError(reason, code=codes.BAD_ADAPTER_SETTINGS, where="masters_flatfile")
