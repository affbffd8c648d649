"""The hub's own versions as statements: since when and until when it believed each, who had said so, and by what."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from canonical.holdings import FIELDS, text_of
from canonical.names import normal_serial
from flows.history.books import TABLES, Books
from flows.history.evidence import HUB, How, Statement
from store.rows import Row

UNNUMBERED = 0
"""Number of a statement before all of a history are in order."""

_TEXTS = {"[]": "", None: ""}
_MEASURING = ("multiplier", "registers")
_NAMES: Mapping[str, str] = {"installation": "installed_at"}


@dataclass(frozen=True, slots=True)
class HubVersion:
    """One version that the hub held."""

    begun: Statement
    ended: Statement | None
    """None while it is believed."""

    fields: frozenset[str]
    """Fields that differ from the version before, as the change log has it; of one that it has not, all."""


@dataclass(frozen=True, slots=True)
class _By:
    """Who said what made or ended a version."""

    how: How = "recorded"
    source: str = ""
    message_id: str = ""
    said_at: datetime | None = None


def hub_versions(books: Books) -> list[HubVersion]:
    """Return every version that the hub ever held, for however short a time."""
    lines, heard = _lines(books.changes), {row["message_id"]: row for row in books.said if row["how"] != "we_told"}
    found = []
    for kind, table, column in TABLES:
        for row in books.rows[table.name]:
            if row["known_at"] == row["replaced_at"]:
                continue
            object_id = f"{row['usage_point']}/{row['meter']}" if kind == "installation" else str(row[column])
            start: datetime = row[_NAMES.get(kind, "valid_from")]
            line = _line(lines.get((kind, object_id, start, row["known_at"]), ()), table.name)
            by = (
                _by(line, heard)
                if line is not None
                else _loaded(books, table.name, object_id, row) or _kept(row, heard)
            )
            last = _line(lines.get((kind, object_id, start, row["replaced_at"]), ()), table.name)
            found.append(_version(kind, table.name, object_id, row, by, _by(last, heard), line))
    return found


def _version(kind: str, table: str, object_id: str, row: Row, by: _By, last: _By, line: Row | None) -> HubVersion:
    """Return one version with who brought it and who ended it."""
    start: datetime = row[_NAMES.get(kind, "valid_from")]
    end: datetime | None = row["removed_at"] if kind == "installation" else row["valid_to"]
    part = table if table == "usage_point_location" else ""
    facts, ended = facts_of(kind, row), None
    begun = Statement(
        UNNUMBERED, HUB, kind, object_id, "keeps", row["known_at"], row["known_at"], start, end, facts, begins=True,
        part=part, how=by.how, source=by.source, message_id=by.message_id, said_at=by.said_at,
    )  # fmt: skip
    if row["replaced_at"] is not None:
        ended = Statement(
            UNNUMBERED, HUB, kind, object_id, "drops", row["replaced_at"], row["replaced_at"], start, part=part,
            how=last.how, source=last.source, message_id=last.message_id, said_at=last.said_at,
        )  # fmt: skip
    return HubVersion(begun, ended, frozenset(line["fields"].split(",")) if line is not None else frozenset(facts))


def hub_statements(versions: Iterable[HubVersion]) -> Iterator[Statement]:
    """Yield the beginning, and the end, of versions."""
    for one in versions:
        yield one.begun
        if one.ended is not None:
            yield one.ended


def facts_of(kind: str, row: Row) -> dict[str, str]:
    """Return the canonical texts of a row; what is empty is not held."""
    found = {}
    # What a meter measures with where it hangs parts the hub's installations, so it is told with them.
    for name in (*FIELDS[kind], *(_MEASURING if kind == "installation" else ())):  # type: ignore[index]
        value = row.get(name)
        if kind == "installation" and value is not None and name in ("manufacturer", "serial"):
            value = normal_serial(value)
        text = text_of(_TEXTS.get(value, value))
        if text:
            found[name] = text
    return found


def _lines(changes: Sequence[Row]) -> dict[tuple[str, str, datetime, datetime], list[Row]]:
    """Return the lines of the change log by thing, valid time and known time."""
    found: dict[tuple[str, str, datetime, datetime], list[Row]] = {}
    for line in changes:
        found.setdefault((line["kind"], line["object_id"], line["valid_from"], line["known_at"]), []).append(line)
    return found


def _line(lines: Sequence[Row], table: str) -> Row | None:
    """Return the line of a version; usage points and where they lie have lines of one kind."""
    lies = table == "usage_point_location"
    fitting = [one for one in lines if not one["fields"] or ("location" in one["fields"].split(",")) == lies]
    return fitting[-1] if fitting else None


def _by(line: Row | None, heard: Mapping[str, Row]) -> _By:
    """Return who made or ended a version, by the change log."""
    if line is None:
        return _By()
    said = heard.get(line["message_id"])
    if said is not None:
        return _By(said["how"], line["source"] or said["system"], line["message_id"], said["said_at"])
    return _By("file" if line["source"] else "recorded", line["source"], line["message_id"], line["said_at"])


def _loaded(books: Books, table: str, object_id: str, row: Row) -> _By | None:
    """Return the file of a first-time load that brought a version: of its watermark, and of the thing's origin.

    None where none did, or where files of several systems have that watermark and none of them is the origin. Rows of
    installations keep no watermark: of these the origin's only file is meant, where it has one.
    """
    origin = books.origins.get((table, object_id))
    if table == "installation":
        mine = [one for one in books.loads if one["role"] == origin and one["watermark"] <= row["known_at"]]
    else:
        watermark = row.get("stated_at") or _latest(row)
        files = [one for one in books.loads if one["watermark"] == watermark]
        mine = [one for one in files if one["role"] == origin] or files
    if len({one["file_id"] for one in mine}) != 1:
        return None
    return _By("file", mine[0]["role"], mine[0]["file_id"], mine[0]["watermark"])


def _latest(row: Row) -> datetime | None:
    """Return when the last of the fields was stated that no message states; None where a message did."""
    stamp, _, message_id = max((row.get("said") or {}).values(), default="").partition(" ")
    return datetime.fromisoformat(stamp) if stamp and not message_id else None


def _kept(row: Row, heard: Mapping[str, Row]) -> _By:
    """Return who made a version of which the log has no line any more, by what its fields remember."""
    message_id = max((row.get("said") or {}).values(), default="").partition(" ")[2]
    said = heard.get(message_id)
    if said is None:
        return _By(message_id=message_id)
    return _By(said["how"], said["system"], message_id, said["said_at"])
