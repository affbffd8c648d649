"""One partner's folders on its SFTP server: what it offers, where that goes when done, what we lay down for it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

from canonical.codes.file import SPOOL_FILE_MISSING
from canonical.codes.transport import SFTP_SETTINGS
from canonical.errors import MisconfiguredError, RejectedError, UnavailableError
from canonical.messages import FetchedFile, FileIdentity, OfferedFile, Outcome, Parcel
from sftp import exchange
from sftp.manifest import manifest_from_json
from sftp.names import control_name, join
from sftp.pgp import Pgp
from sftp.session import SftpSession, SftpSettings, open_session
from sftp.wrapping import unwrap


@dataclass(frozen=True, slots=True)
class MailboxSettings:
    """Where a partner's files lie."""

    sftp: SftpSettings
    outbox: str
    """Folder in which the partner writes and we read."""

    inbox: str
    """Folder in which we write and the partner reads."""

    archive: str
    """Folder to which files go that were taken in."""

    reject: str
    """Folder to which refused files and duplicates go."""

    archive_by_date: bool
    """Whether both have a folder `YYYYMMDD` for each business date; a file that bears none stays above them."""

    pgp: Pgp | None
    """Keys that open encrypted files and lock ours; None where the site names none."""


def mailbox_settings(values: dict[str, Any], *, where: str) -> MailboxSettings:
    """Return the settings of a partner's folders; all of `values` is used up, `where` names the role's adapter.

    Raises:
        MisconfiguredError: a setting is missing, unknown or impossible; the reason names it.
    """
    missing = [name for name in ("host", "user", "host_keys") if not values.get(name)]
    if missing:
        raise _bad(f"settings missing: {', '.join(missing)}", where)
    if {"@", "/", ":"} & set(str(values["host"])) and not _is_ipv6(str(values["host"])):
        raise _bad("host is a name or an address alone; user, password and port have settings of their own", where)
    outbox = str(values.pop("outbox", "outbound"))
    by_date = values.pop("archive_by_date", False)
    if not isinstance(by_date, bool):
        raise _bad(f"archive_by_date {by_date!r} is neither true nor false", where)
    return MailboxSettings(
        outbox=outbox,
        inbox=str(values.pop("inbox", "inbound")),
        archive=str(values.pop("archive", f"{outbox}/archive")),
        reject=str(values.pop("reject", f"{outbox}/reject")),
        archive_by_date=by_date,
        pgp=_pgp(values.pop("pgp", None), where),
        sftp=_sftp(values, where),
    )


def _is_ipv6(host: str) -> bool:
    """Whether a host is an IPv6 address: the only one that has colons."""
    return set(host.lower()) <= set("0123456789abcdef:.%") and host.count(":") > 1


def _bad(reason: str, where: str) -> MisconfiguredError:
    """Return the error of a setting that cannot be used."""
    return MisconfiguredError(reason, code=SFTP_SETTINGS, where=where)


def _pgp(given: object, where: str) -> Pgp | None:
    """Return the keys of the interface, None where the site names none."""
    if given is None:
        return None
    if not isinstance(given, Mapping):
        raise _bad("pgp is not a table", where)
    try:
        keys = Pgp(**{**given, "signers": tuple(given.get("signers", ()))})
    except TypeError as error:
        raise _bad(f"pgp: {error}", where) from error
    if bool(keys.recipient) != bool(keys.own_key):
        raise _bad("pgp: recipient and own_key go together: what is encrypted is signed too", where)
    return keys


def _sftp(values: dict[str, Any], where: str) -> SftpSettings:
    """Return the settings of the connection: whatever is left."""
    unknown = values.keys() - {field.name for field in fields(SftpSettings)}
    if unknown:
        raise _bad(f"unknown setting: {', '.join(sorted(unknown))}", where)
    return SftpSettings(**{**values, "host_keys": tuple(values["host_keys"])})


class Mailbox:
    """The folders of one partner; nothing is connected before a method needs it."""

    def __init__(self, settings: MailboxSettings) -> None:
        """Keep where they are."""
        self._settings = settings

    def offered(self) -> Sequence[OfferedFile]:
        """Return the data files on offer, by name."""
        with open_session(self._settings.sftp) as session:
            return exchange.offered(session, self._settings.outbox)

    def fetch(self, files: Sequence[OfferedFile], into: Path) -> Iterator[FetchedFile]:
        """Bring files here, unpacked and decrypted; resume what was cut."""
        opened = partial(unwrap, pgp=self._settings.pgp)
        with open_session(self._settings.sftp) as session:
            yield from exchange.fetch(session, files, into, unwrap=opened)

    def retire(self, files: Sequence[OfferedFile], *, accepted: bool, identify: Callable[[str], FileIdentity]) -> None:
        """Move files to the partner's archive or reject folder; `identify` says the business date of a name."""
        top = self._settings.archive if accepted else self._settings.reject

        def folder(file: OfferedFile) -> str:
            day = _business_date(file.name, identify) if self._settings.archive_by_date else None
            return top if day is None else join(top, f"{day:%Y%m%d}")

        with open_session(self._settings.sftp) as session:
            for target, group in groupby(sorted(files, key=folder), key=folder):
                exchange.retire(session, tuple(group), target)

    def carry(self, parcels: Sequence[Parcel], *, spool: Path, timeout_s: float) -> Sequence[Outcome]:
        """Lay parcels into the partner's folder in one session, in order; what lies there already is done.

        A file of the spool goes with its control file and is `sent` until the partner's acknowledgement names it; an
        answer of ours is `confirmed` when it lies there.
        """
        sftp = self._settings.sftp
        sftp = replace(sftp, transfer_timeout_s=min(timeout_s, sftp.transfer_timeout_s))
        outcomes: list[Outcome] = []
        try:
            with open_session(sftp) as session:
                for parcel in parcels:
                    outcomes.append(self._carry_one(session, parcel, spool))
        except UnavailableError as error:
            away = Outcome("unavailable", str(error.code), error.reason)
            outcomes.extend([away] * (len(parcels) - len(outcomes)))
        return outcomes

    def _carry_one(self, session: SftpSession, parcel: Parcel, spool: Path) -> Outcome:
        """Put one parcel over."""
        folder = self._settings.inbox
        try:
            if parcel.body is not None:
                return Outcome("confirmed", reference=exchange.put_answer(session, parcel.body, folder, parcel.name))
            path = spool / parcel.path
            control = path.with_name(control_name(parcel.name))
            if not path.is_file() or not control.is_file():
                return Outcome("rejected", str(SPOOL_FILE_MISSING), f"{parcel.path} or its control file is gone")
            manifest = manifest_from_json(control.read_bytes(), where=control.name)
            exchange.put(session, path, folder, parcel.name, manifest)
        except RejectedError as error:
            return Outcome("rejected", str(error.code), error.reason)
        return Outcome("sent", reference=parcel.name)

    def ping(self) -> Sequence[str]:
        """Log in, list the outbox, and say what was found."""
        return (f"{self._settings.outbox}: {len(self.offered())} files on offer",)


def _business_date(name: str, identify: Callable[[str], FileIdentity]) -> date | None:
    """Return the business date that a name bears; None where it bears none or follows no pattern."""
    try:
        return identify(name).business_date
    except RejectedError:
        return None
