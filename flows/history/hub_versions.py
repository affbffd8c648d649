"""The hub's own versions as statements: since when and until when it believed each, who had said so, and by what."""

from collections.abc import Collection, Iterator, Mapping, Sequence
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
_NAMES: Mapping[str, str] = {"installation": "installed_at"}


@dataclass(frozen=True, slots=True)
class _By:
    """Who said what made or ended a version."""

    how: How = "recorded"
    source: str = ""
    message_id: str = ""
    said_at: datetime | None = None


def hub_statements(books: Books) -> Iterator[Statement]:
    """Yield the beginning, and the end, of every version that the hub ever held."""
    lines = _lines(books.changes)
    heard = {row["message_id"]: row for row in books.said if row["how"] != "we_told"}
    for kind, table, column in TABLES:
        for row in books.rows[table.name]:
            object_id = f"{row['usage_point']}/{row['meter']}" if kind == "installation" else str(row[column])
            yield from _version(kind, table.name, object_id, row, lines, heard)


def _version(
    kind: str,
    table: str,
    object_id: str,
    row: Row,
    lines: Mapping[tuple[str, str, datetime, datetime], Sequence[Row]],
    heard: Mapping[str, Row],
) -> Iterator[Statement]:
    """Yield that one version began to be believed, and that it ended; nothing of one that ended as it began."""
    if row["known_at"] == row["replaced_at"]:
        return
    start: datetime = row[_NAMES.get(kind, "valid_from")]
    part = table if table == "usage_point_location" else ""
    by = _by(_line(lines.get((kind, object_id, start, row["known_at"]), ()), table), row, heard)
    end: datetime | None = row["removed_at"] if kind == "installation" else row["valid_to"]
    yield Statement(
        UNNUMBERED, HUB, kind, object_id, "keeps", row["known_at"], row["known_at"], start, end,
        facts_of(kind, row), begins=True, part=part, how=by.how, source=by.source, message_id=by.message_id,
        said_at=by.said_at,
    )  # fmt: skip
    if row["replaced_at"] is not None:
        line = _line(lines.get((kind, object_id, start, row["replaced_at"]), ()), table)
        ended = _by(line, {}, heard)
        yield Statement(
            UNNUMBERED, HUB, kind, object_id, "drops", row["replaced_at"], row["replaced_at"], start, part=part,
            how=ended.how, source=ended.source, message_id=ended.message_id, said_at=ended.said_at,
        )  # fmt: skip


def facts_of(kind: str, row: Row, names: Collection[str] = ()) -> dict[str, str]:
    """Return the canonical texts of a row, or of some of its columns; what is empty is not held."""
    found = {}
    for name in FIELDS[kind]:  # type: ignore[index]
        value = row.get(name)
        if kind == "installation" and value is not None and name in ("manufacturer", "serial"):
            value = normal_serial(value)
        text = text_of(_TEXTS.get(value, value))
        if text and (not names or name in names):
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


def _by(line: Row | None, row: Row, heard: Mapping[str, Row]) -> _By:
    """Return who made a version: by the change log, else by what its fields remember of their messages."""
    message_id = line["message_id"] if line is not None else ""
    if not message_id and line is None:
        message_id = max((row.get("said") or {}).values(), default="").partition(" ")[2]
    said = heard.get(message_id)
    source = (line["source"] if line is not None else "") or (said["system"] if said is not None else "")
    said_at = line["said_at"] if line is not None else said["said_at"] if said is not None else None
    if said is not None:
        return _By(said["how"], source, message_id, said_at)
    return _By("file" if source else "recorded", source, message_id, said_at)
