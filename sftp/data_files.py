"""Data files of a partner: what a site may set of how they are named and written, and the parcel of one of ours."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from canonical.codes import configuration as codes
from canonical.errors import MisconfiguredError
from canonical.messages import Manifest, Parcel
from canonical.serials import SerialPolicy
from sftp.formats.file_names import expression
from sftp.layout import Form
from sftp.layout_tally import Tally
from sftp.layout_values import is_zone
from sftp.mailbox import MailboxSettings, mailbox_settings
from sftp.outgoing import Wrapping, file_parcel

_NAMES = {"sender": "AMIHUB", "receiver": "", "env": "PROD"}


@dataclass(frozen=True, slots=True)
class FileSettings:
    """Where a partner's files lie, and how those are written that it is told by."""

    mailbox: MailboxSettings
    sender: str
    """Our code in names and headers of what is written."""

    receiver: str
    """The partner's code; empty where it is told nothing by data file."""

    env: str
    """`TEST` or `PROD`, as names say it."""

    zone: ZoneInfo
    """Zone of instants in what is written."""

    form: Form | None
    """Of what is written; None: the layout's own. What is read shows its own."""

    wrap: Literal["", "gz"]
    serials: SerialPolicy

    @property
    def wrapping(self) -> Wrapping:
        """In what files to the partner travel."""
        return Wrapping(self.wrap, self.mailbox.pgp)

    def told_as(self, where: str) -> Mapping[str, str]:
        """Return sender, receiver and env for the name and header of a file to the partner.

        Raises:
            MisconfiguredError: the role has no `receiver`, so that no file to it has a name.
        """
        if not self.receiver:
            raise _bad("settings missing: receiver, the partner's code in the names of files to it", where)
        return {"sender": self.sender, "receiver": self.receiver, "env": self.env}


def file_settings(given: Mapping[str, object], *, where: str) -> FileSettings:
    """Return the settings of a role; `where` names its adapter.

    Raises:
        MisconfiguredError: a setting is missing, unknown or impossible; the reason names it.
    """
    values: dict[str, Any] = dict(given)
    zone, form, wrap = (values.pop(*one) for one in (("zone", "UTC"), ("format", None), ("wrap", "")))
    names = {name: str(values.pop(name, usual)) for name, usual in _NAMES.items()}
    if not is_zone(str(zone)):
        raise _bad(f"zone {zone!r} is no IANA zone", where)
    if form not in (None, "delimited", "fixed"):
        raise _bad(f"format {form!r} is neither delimited nor fixed", where)
    if wrap not in ("", "gz"):
        raise _bad(f"wrap {wrap!r} is neither empty nor gz", where)
    for name, value in names.items():
        if value and expression(f"{{{name}}}").fullmatch(value) is None:
            raise _bad(f"{name} {value!r} cannot stand in the name of a file", where)
    return FileSettings(
        zone=ZoneInfo(zone),
        form=form,
        wrap=wrap,
        serials=serial_policy(values.pop("serial_digits", {}), where),
        mailbox=mailbox_settings(values, where=where),
        **names,
    )


def data_parcel(
    own: FileSettings,
    chunks: Iterator[bytes],
    *,
    name: str,
    tally: Tally,
    spool: Path,
    key: str,
    header: Mapping[str, Any],
) -> Parcel:
    """Return the parcel of a data file that is written into the spool with its control file.

    The same chunks give the same bytes; the parcel waits for the acknowledgement that names the file.

    Raises:
        RejectedError: a value cannot be said in the layout.
    """
    name += own.wrapping.suffix

    def manifest(size: int, sha256: str) -> Manifest:
        return Manifest(
            name=name,
            bytes=size,
            sha256=sha256,
            records=dict(tally.records),
            totals=dict(tally.totals),
            sequence=header.get("sequence", 0),
            layout=f"{tally.layout.layout_id}/{tally.layout.version}",
            produced_at=header["created"].isoformat(),
            zone=header["zone"],
        )

    return file_parcel(
        chunks, name, receiver=own.receiver, spool=spool, wrapping=own.wrapping, manifest=manifest, key=key
    )


def serial_policy(given: object, where: str) -> SerialPolicy:
    """Return how many digits a manufacturer's serials have; `where` names the adapter.

    Raises:
        MisconfiguredError: the setting is no table of digits by manufacturer.
    """
    if not isinstance(given, Mapping) or not all(isinstance(n, int) and n > 0 for n in given.values()):
        raise _bad("serial_digits is not a table of manufacturer = digits", where)
    return SerialPolicy(dict(given))


def _bad(reason: str, where: str) -> MisconfiguredError:
    """Return the error of a setting that cannot be used."""
    return MisconfiguredError(reason, code=codes.BAD_ADAPTER_SETTINGS, where=where)
