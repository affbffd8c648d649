"""From when on a message holds: ConfigurationEvent to an instant and back (ruling 7), on the partner's grid of time."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from canonical.codes import identity as codes
from canonical.codes import message
from canonical.errors import RejectedError
from canonical.periods import local_date, start_of_day
from iec61968.canonical_nouns.conventions import MasterDataReading
from iec61968.nouns.elements import ConfigurationEvent

NEVER = 9999
"""Year by which many systems say that something has no end."""

_INSTANT = timedelta(microseconds=1)


def stated_instant(
    event: ConfigurationEvent | None, conventions: MasterDataReading, *, where: str = ""
) -> datetime | None:
    """Return the instant that a ConfigurationEvent states, UTC and on the partner's grid; None when it states none.

    With `linkage_time` stated that one counts, and where it alone is missing the other; otherwise both must be equal.

    Raises:
        RejectedError: they differ and the partner's settings do not say which is meant (LINKAGE_TIME_UNCLEAR).
    """
    if event is None:
        return None
    effective, created = event.effective_date_time, event.created_date_time
    if conventions.linkage_time == "created":
        chosen = created or effective
    elif conventions.linkage_time == "effective" or created is None or effective is None:
        chosen = effective or created
    elif on_grid(effective, conventions) == on_grid(created, conventions):
        chosen = effective
    else:
        raise RejectedError(
            f"effective {effective.isoformat()}, created {created.isoformat()}",
            code=codes.LINKAGE_TIME_UNCLEAR,
            where=where,
        )
    return on_grid(chosen, conventions) if chosen is not None else None


def required_instant(event: ConfigurationEvent | None, conventions: MasterDataReading, *, where: str = "") -> datetime:
    """Return the instant that a ConfigurationEvent must state; else as `stated_instant`.

    Raises:
        RejectedError: both are missing (LINKAGE_TIME_MISSING), or as `stated_instant`.
    """
    found = stated_instant(event, conventions, where=where)
    if found is None:
        raise RejectedError("neither effective nor created", code=codes.LINKAGE_TIME_MISSING, where=where)
    return found


def on_grid(instant: datetime, conventions: MasterDataReading) -> datetime:
    """Return an instant cut to the partner's granularity, in UTC.

    A local day stands for its first instant, or where the day of change belongs to what ends, for that of the next day.

    Raises:
        RejectedError: it is so close to the beginning or the end of time that it has no local day.
    """
    try:
        return _on_grid(instant.astimezone(UTC), conventions)
    except OverflowError as error:
        raise RejectedError(instant.isoformat(), code=message.BAD_XML_VALUE, where="instant") from error


def _on_grid(utc: datetime, conventions: MasterDataReading) -> datetime:
    """Return an instant cut to a granularity."""
    if conventions.granularity == "second":
        return utc.replace(microsecond=0)
    if conventions.granularity == "minute":
        return utc.replace(second=0, microsecond=0)
    zone = ZoneInfo(conventions.zone)
    if conventions.day_belongs_to == "new":
        return start_of_day(local_date(utc, zone), zone)
    day = local_date(utc, zone)
    return start_of_day(day + timedelta(days=1), zone)


def end_on_grid(instant: datetime | None, conventions: MasterDataReading) -> datetime | None:
    """Return an end as `on_grid` does; None for one that is not stated, or that stands for no end (the year 9999)."""
    return None if instant is None or instant.year == NEVER else on_grid(instant, conventions)


def said_at(instant: datetime, conventions: MasterDataReading) -> datetime:
    """Return the instant by which the partner is told of one of ours, so that it comes back as the same.

    Where its days belong to what ends, that is the first instant of the last day of what ended.
    """
    if conventions.granularity != "day":
        return on_grid(instant, conventions)
    zone = ZoneInfo(conventions.zone)
    back = _INSTANT if conventions.day_belongs_to == "old" else timedelta(0)
    return start_of_day(local_date(instant - back, zone), zone)


def event_of(instant: datetime, conventions: MasterDataReading, *, reason: str = "") -> ConfigurationEvent:
    """Return the ConfigurationEvent that states an instant: created and effective, equal."""
    told = said_at(instant, conventions)
    return ConfigurationEvent(created_date_time=told, effective_date_time=told, reason=reason or None)
