"""Time-of-use calendars of a reference file: TOU, SEA and HOL records, put together before they are given.

TOU is a window of the whole year, SEA the same for the days of one season.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, time
from typing import Any, BinaryIO

from canonical.codes import file as codes
from canonical.customers import TouCalendar, TouWindow
from canonical.messages import Item, Rejection
from sftp.layout_lines import Lines
from sftp.layout_read import Compiled, Group
from sftp.layout_record import Fault
from sftp.layout_values import is_zone
from sftp.layout_write import Record

Key = tuple[str, int]


@dataclass(slots=True)
class Draft:
    """A calendar while its rows are gathered."""

    line: int
    """Line of its first TOU or SEA row."""

    zone: str
    windows: dict[TouWindow, None] = field(default_factory=dict)
    holidays: set[date] = field(default_factory=set)
    fault: str = ""
    """Why it cannot be given."""


@dataclass(slots=True)
class Calendars:
    """The calendars of one file by id and version."""

    drafts: dict[Key, Draft]

    def item(self, group: Group, row: Mapping[str, Any]) -> Item[TouCalendar] | Rejection | None:
        """Return the calendar on the line of its first row, None for its other rows."""
        key = (row["calendar"], row["version"])
        name = "/".join(map(str, key))
        draft = self.drafts.get(key)
        if draft is None:
            reason = f"a holiday of calendar {name}, which this file does not give"
            return Rejection(group.line, str(codes.RECORD_OUT_OF_PLACE), reason, key=name, raw=group.raw)
        if draft.line != group.line:
            return None
        if draft.fault:
            return Rejection(group.line, str(codes.BAD_FIELD), f"calendar {name}: {draft.fault}", name, group.raw)
        windows, holidays = tuple(draft.windows), frozenset(draft.holidays)
        return Item(group.line, f"TOU {name}", TouCalendar(*key, draft.zone, windows, holidays), group.raw)


def calendars_in(stream: BinaryIO, compiled: Compiled) -> Calendars:
    """Return the calendars of a seekable stream, which is left at its start; they are few, so they are held."""
    drafts: dict[Key, Draft] = {}
    holidays: list[tuple[Key, date]] = []
    broken: list[Key] = []
    lines = Lines(stream)
    for line in lines:
        if not line.startswith(("TOU", "SEA", "HOL")):
            continue
        tag = line[:3]
        values = compiled.records[tag].read(line)
        if isinstance(values, Fault) or lines.fault is not None:
            broken.extend(_key_of(compiled.records[tag].texts(line)))
        elif tag == "HOL":
            holidays.append(((values[0], values[1]), values[2]))
        else:
            _add(drafts, values, lines.number)
    stream.seek(0)
    for key, day in holidays:
        if key in drafts:
            drafts[key].holidays.add(day)
    for key in broken:
        if key in drafts:
            drafts[key].fault = "one of its rows cannot be read"
    return Calendars(drafts)


def _key_of(texts: list[str]) -> Iterator[Key]:
    """Yield the calendar and version that a bad row names, as far as they can be read."""
    if len(texts) > 1 and texts[1].isdigit():
        yield texts[0], int(texts[1])


def _add(drafts: dict[Key, Draft], values: list[Any], line: int) -> None:
    """Add one TOU or SEA row to its calendar."""
    calendar, version, zone, *season, days, start, end, bucket = values
    draft = drafts.setdefault((calendar, version), Draft(line, zone))
    draft.windows[TouWindow(days, start, end, bucket, *season)] = None
    if zone != draft.zone:
        draft.fault = f"two zones, {draft.zone} and {zone}"
    elif not is_zone(zone):
        draft.fault = f"{zone!r} is no IANA zone"
    elif end != time(0) and end <= start:
        draft.fault = f"a window ends at {end:%H:%M}, not after its start {start:%H:%M}"
    for day in season[1:]:
        if not _is_day_of_year(day):
            draft.fault = f"{day!r} is no day of the year as MM-DD"


def _is_day_of_year(text: str) -> bool:
    """Return whether a text is MM-DD of a day that some year has."""
    if re.fullmatch(r"[0-9]{2}-[0-9]{2}", text) is None:
        return False
    try:
        date(2000, int(text[:2]), int(text[3:]))
    except ValueError:
        return False
    return True


def calendar_records(calendar: TouCalendar) -> Iterator[Record]:
    """Yield the records of a calendar: its windows as they stand, then its holidays by date."""
    key = (calendar.calendar, calendar.version)
    for window in calendar.windows:
        # 24:00 says the midnight that ends the day; 00:00 would read as the one that starts it.
        end = "24:00" if window.end == time(0) else window.end
        hours = (window.days, window.start, end, window.bucket)
        if window.season:
            season = (window.season, window.first_day, window.last_day)
            yield "SEA", (*key, calendar.zone, *season, *hours), ""
        else:
            yield "TOU", (*key, calendar.zone, *hours), ""
    for day in sorted(calendar.holidays):
        yield "HOL", (*key, day), ""
