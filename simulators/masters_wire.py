"""Files of masters as docs/formats/masters.md defines them, written and read by hand.

A system's whole holdings (`FULL`) or what it changed (`CHANGES`); the GIS writes the same `TOP` records under the name
and header of `topology/1`.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from simulators.cis_files import body_of, hash_of
from simulators.local_days import ZONE_NAME

HUB, ENV = "AMIHUB", "TEST"

NAMED_BY: Mapping[str, tuple[str, ...]] = {
    "CUS": ("customer",),
    "ACC": ("account",),
    "LOC": ("location",),
    "UPT": ("usage_point",),
    "MTR": ("manufacturer", "serial"),
    "INS": ("usage_point", "manufacturer", "serial"),
    "AGR": ("agreement",),
    "TOP": ("usage_point",),
    "CYC": ("cycle", "business_date"),
}
"""Record types in the order of a whole file, and the fields that name their things."""

FACTS: Mapping[str, tuple[str, ...]] = {
    "CUS": ("kind", "name", "telephone", "special_need"),
    "ACC": ("customer", "cycle"),
    "LOC": (
        *("street", "number", "suite", "town", "region", "postal_code", "country"),
        *("access_method", "needs_inspection"),
    ),
    "UPT": ("name", "zone", "commodity", "read_source", "district", "route", "location"),
    "MTR": ("commodity", "multiplier", "model", "firmware", "status"),
    "INS": (),
    "AGR": ("account", "usage_point", "customer_class", "tariff", "cycle", "tou_calendar", "net_metering"),
    "TOP": ("transformer", "feeder"),
    "CYC": (),
}
"""What is said of each thing, in the order of its line, before the span in which it holds."""

REGISTERS = "registers"
"""Fact of a meter: the fields of its REG lines behind the serial, one register a line."""

_TOTALS = (*list(NAMED_BY)[:5], "REG", *list(NAMED_BY)[5:], "DEL")
"""Record types in the order in which a trailer counts them."""


@dataclass(frozen=True, slots=True)
class Version:
    """One version of one thing; instants are texts in UTC ending in `Z`."""

    tag: str
    key: str
    """The fields that name it, joined by `/`."""

    start: str
    end: str
    """Empty while it is open."""

    facts: Mapping[str, str] = field(default_factory=dict)
    """Texts by field; a field that is not stated is absent."""


@dataclass(frozen=True, slots=True)
class Head:
    """What the header and the name of a file say."""

    sender: str
    mode: str
    """`FULL` or `CHANGES`."""

    sequence: int
    created: datetime
    watermark: datetime
    day: date
    zone: str = ZONE_NAME
    """Zone in which the writer states its instants."""

    layout: str = "masters"
    """`masters`, or `topology` for a GIS."""


class BadFileError(Exception):
    """A file of masters that cannot be taken: the text says why."""


def name_of(head: Head, *, receiver: str = HUB) -> str:
    """Return the file's name."""
    prefix = "MX" if head.layout == "masters" else "TP"
    return f"{prefix}_{head.sender}_{receiver}_{ENV}_{head.mode}_{head.day:%Y%m%d}_{head.sequence:06d}_r0.dat"


def write(head: Head, versions: Iterable[Version], *, withdrawn: Sequence[tuple[str, str, str]] = ()) -> bytes:
    """Return a file of these versions, in the order of a whole file; `withdrawn`: (record, object id, instant)."""
    zone, order = ZoneInfo(head.zone), list(NAMED_BY)
    lines, keys = [_header(head)], []
    counts: Counter[str] = Counter()
    ordered = sorted(versions, key=lambda version: (order.index(version.tag), version.key, version.start))
    for line in _lines(ordered, withdrawn, zone):
        lines.append(line)
        tag, first = line.split("|", 2)[:2]
        keys.append(first)
        counts[tag] += 1
    totals = _TOTALS if head.layout == "masters" else ("TOP",)
    lines.append("|".join(("TRL", *(str(counts[tag]) for tag in totals), hash_of(keys))))
    return body_of(lines)


def _header(head: Head) -> str:
    zone = ZoneInfo(head.zone)
    return "|".join(
        (
            *("HDR", head.layout, "1", f"{head.sender}-{head.layout}-{head.mode}-{head.sequence:06d}"),
            *(head.sender, HUB, ENV, stamp(head.created.isoformat(), zone), head.day.isoformat(), head.zone),
            *(str(head.sequence), head.mode, stamp(head.watermark.isoformat(), zone)),
        )
    )


def _lines(versions: Sequence[Version], withdrawn: Sequence[tuple[str, str, str]], zone: ZoneInfo) -> Iterator[str]:
    for version in versions:
        names = version.key.split("/")
        facts = [version.facts.get(name, "") for name in FACTS[version.tag]]
        span = [stamp(version.start, zone), stamp(version.end, zone)]
        yield "|".join((version.tag, *names, *facts, *span))
        for register in filter(None, version.facts.get(REGISTERS, "").split("\n")):
            yield "|".join(("REG", *names, register))
    for tag, object_id, at in withdrawn:
        yield f"DEL|{tag}|{object_id}|{stamp(at, zone)}"


def stamp(text: str, zone: ZoneInfo) -> str:
    """Return an instant as a file states it: ISO 8601 with the offset of the writer's zone; empty stays empty."""
    return datetime.fromisoformat(text).astimezone(zone).isoformat(timespec="seconds") if text else ""


def utc(text: str) -> str:
    """Return an instant of a file as text in UTC; empty stays empty."""
    if not text:
        return ""
    return datetime.fromisoformat(text).astimezone(ZoneInfo("UTC")).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(slots=True)
class Taken:
    """What a file of masters says."""

    mode: str
    versions: list[tuple[int, Version]]
    """(line, version)."""

    withdrawn: list[tuple[int, str, str, str]]
    """(line, record, object id, instant in UTC)."""


def read(path: Path) -> Taken:
    """Return what a file says, its trailer checked.

    Raises:
        BadFileError: it is no whole file of masters.
    """
    rows = [line.split("|") for line in path.read_bytes().decode().splitlines()]
    if len(rows) < 2 or rows[0][0] != "HDR" or rows[-1][0] != "TRL":
        raise BadFileError(f"{path.name}: no header or no trailer")
    body = rows[1:-1]
    if rows[-1][-1] != hash_of(row[1] for row in body):
        raise BadFileError(f"{path.name}: the trailer's hash is not that of the lines")
    counts = Counter(row[0] for row in body)
    if rows[0][1] == "masters" and [int(text) for text in rows[-1][1:-1]] != [counts[tag] for tag in _TOTALS]:
        raise BadFileError(f"{path.name}: the trailer counts other lines")
    taken = Taken(rows[0][11], [], [])
    for number, row in enumerate(body, 2):
        _take(taken, number, row)
    return taken


def _take(taken: Taken, number: int, row: list[str]) -> None:
    tag = row[0]
    if tag == "DEL":
        taken.withdrawn.append((number, row[1], row[2], utc(row[3])))
    elif tag == "REG":
        line, meter = taken.versions[-1]
        known = meter.facts.get(REGISTERS, "")
        registers = "\n".join(filter(None, (known, "|".join(row[3:]))))
        facts = {**meter.facts, REGISTERS: registers}
        taken.versions[-1] = (line, Version(meter.tag, meter.key, meter.start, meter.end, facts))
    elif tag in NAMED_BY:
        names = 1 + len(NAMED_BY[tag])
        fields = FACTS[tag]
        stated = {name: text for name, text in zip(fields, row[names:], strict=False) if text}
        start, end = row[names + len(fields) :]
        taken.versions.append((number, Version(tag, "/".join(row[1:names]), utc(start), utc(end), stated)))
    else:
        raise BadFileError(f"line {number}: {tag} is no record of masters")


def sha256_of(body: bytes) -> str:
    """Return the sha256 of a file's bytes, in hex."""
    return hashlib.sha256(body).hexdigest()
