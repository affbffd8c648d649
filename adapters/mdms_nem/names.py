"""What the names of a provider's files say (MDFF file names; `reference/1` of the CIS interface)."""

import re
from datetime import date

from canonical.codes.file import UNKNOWN_NAME
from canonical.errors import RejectedError
from canonical.messages import FileIdentity
from sftp.formats import masters

_PARTY = r"[^#\s]{1,36}"

_NEM = re.compile(
    rf"NEM1[23]#(?P<id>{_PARTY})#(?P<sender>{_PARTY})#(?P<receiver>{_PARTY}?)(\.csv)?(\.zip|\.gz)?",
    re.IGNORECASE,
)
"""`VERSION#UNIQUEID#FROM#TO.csv` or `.zip`, upper or lower case, no blanks."""

_METERS = re.compile(
    r"RF_(?P<sender>[A-Za-z0-9-]+)_(?P<receiver>[A-Za-z0-9-]+)_(?P<env>[A-Z]+)_METERS_"
    r"(?P<day>[0-9]{8})_(?P<sequence>[0-9]{6})_r(?P<revision>[0-9]{1,3})\.dat(\.gz)?"
)


def identity_from_name(name: str) -> FileIdentity:
    """Return what a name says: readings (NEM12, NEM13), meters' masters (reference), or all that it holds (masters).

    Raises:
        RejectedError: `UNKNOWN_NAME`.
    """
    if found := _NEM.fullmatch(name):
        return FileIdentity("readings", found["sender"].upper(), found["receiver"].upper())
    if found := _METERS.fullmatch(name):
        return FileIdentity(
            *("reference", found["sender"], found["receiver"], found["env"], "METERS"),
            business_date=_day(found["day"], name),
            sequence=int(found["sequence"]),
            revision=int(found["revision"]),
        )
    if name.startswith("MX_"):
        return masters.identify(name)
    reason = f"{name[:80]!r} is neither NEM12#ID#FROM#TO.csv (.zip) nor RF_..._METERS_....dat nor MX_....dat"
    raise RejectedError(reason, code=UNKNOWN_NAME, where=name)


def _day(text: str, name: str) -> date:
    """Return the business date in a name."""
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError as error:
        raise RejectedError(f"{text} is not a date", code=UNKNOWN_NAME, where=name) from error
