"""What systems told the hub and were told by it, and what their own extracts said, as statements on what they hold."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import groupby
from operator import itemgetter

from flows.history.books import TABLES, Books
from flows.history.evidence import Act, Coverage, Extract, Statement
from flows.history.hub_versions import UNNUMBERED, facts_of
from flows.reconciliation.views import versions_of
from store.rows import Row

ACTS: Mapping[str, Act] = {"create": "states", "change": "states", "close": "ends", "delete": "never"}
LOST = "not kept any more"
"""State of a delivery that retention has dropped: nobody can say how it ended."""


def said_statements(books: Books, roles: Mapping[str, str]) -> Iterator[Statement]:
    """Yield what was said by message and by file of changes; `roles` gives the role of a caller."""
    for row in books.said:
        ours = row["how"] == "we_told"
        delivery = books.deliveries.get(row["delivery_id"]) if ours else None
        system = row["system"] if ours else roles.get(row["system"], row["system"])
        act = ACTS[row["verb"]]
        if row["how"] == "file" and row["verb"] == "create":
            act = "keeps"  # a file of holdings states whole versions with their spans
        yield Statement(
            UNNUMBERED, system, row["kind"], row["object_id"], act,
            _known(row, delivery) if ours else _earlier(row["said_at"], row["noted_at"]), row["noted_at"],
            row["valid_from"], row["valid_to"], row["facts"], begins=row["verb"] == "create", how=row["how"],
            source="hub" if ours else row["system"], message_id=row["message_id"], delivery_id=row["delivery_id"],
            state=_state(row, delivery), code=delivery["code"] if delivery else row["code"],
            reason=delivery["reason"] if delivery else row["reason"],
            said_at=delivery["sent_at"] if delivery else row["said_at"],
        )  # fmt: skip


def filed_statements(books: Books, roles: Mapping[str, str]) -> Iterator[Statement]:
    """Yield what the change log says that somebody said and no statement tells: rows of reference files, loads."""
    told = {(row["message_id"], row["object_id"]) for row in books.said if row["how"] != "we_told"}
    rows = _rows_by_version(books)
    for line in books.changes:
        if not line["source"] or line["effect"] == "ended" or (line["message_id"], line["object_id"]) in told:
            continue
        row = rows.get((line["kind"], line["object_id"], line["valid_from"], line["known_at"]))
        if row is None:
            continue
        end = row["removed_at"] if "removed_at" in row else row["valid_to"]
        yield Statement(
            UNNUMBERED, roles.get(line["source"], line["source"]), line["kind"], line["object_id"], "states",
            _earlier(line["said_at"], line["known_at"]), line["known_at"], line["valid_from"], end,
            facts_of(line["kind"], row, line["fields"].split(",")), begins=line["effect"] == "begun", how="file",
            source=line["source"], message_id=line["message_id"], state="APPLIED", said_at=line["said_at"],
        )  # fmt: skip


def extract_statements(books: Books) -> Iterator[Statement]:
    """Yield what extracts of systems said, and that one no longer had a thing."""
    names = books.files
    for (system, kind, object_id), group in groupby(books.extracts, key=itemgetter("system", "kind", "object_id")):
        if system == "hub":
            continue
        rows = list(group)
        for row, after in zip(rows, [*rows[1:], None], strict=True):
            held = tuple(
                Extract(datetime.fromisoformat(begin), datetime.fromisoformat(end) if end else None, facts)
                for begin, end, facts in versions_of(row["content"])
            )
            yield _held(system, kind, object_id, row["seen_at"], held, names)
            gone = row["replaced_at"]
            if gone is not None and (after is None or after["seen_at"] != gone):
                yield _held(system, kind, object_id, gone, (), names)


def coverage_of(books: Books) -> tuple[Coverage, ...]:
    """Return of which kinds, and from when on, the extracts of systems say everything."""
    return tuple(
        Coverage(row["system"], frozenset(k for k, n in row["counts"].items() if k != "fields" and n), row["watermark"])
        for row in books.snapshots
    )


def _held(
    system: str,
    kind: str,
    object_id: str,
    at: datetime,
    extract: tuple[Extract, ...],
    names: Mapping[tuple[str, datetime], str],
) -> Statement:
    return Statement(
        UNNUMBERED, system, kind, object_id, "holds", at, at, extract=extract, how="snapshot", source=system,
        message_id=names.get((system, at), ""), said_at=at,
    )  # fmt: skip


def _known(row: Row, delivery: Row | None) -> datetime | None:
    """Return when one that was told confirmed it; None while it did not, or nobody can say."""
    return delivery["confirmed_at"] if delivery is not None and delivery["state"] == "confirmed" else None


def _state(row: Row, delivery: Row | None) -> str:
    if row["how"] != "we_told":
        return str(row["disposition"])
    return str(delivery["state"]) if delivery is not None else LOST


def _earlier(said_at: datetime | None, noted_at: datetime) -> datetime:
    """Return when a teller believed what it told: when it said so, whose clock may run ahead of ours."""
    return noted_at if said_at is None else min(said_at, noted_at)


def _rows_by_version(books: Books) -> dict[tuple[str, str, datetime, datetime], Row]:
    """Return the hub's versions by thing, valid time and known time."""
    found: dict[tuple[str, str, datetime, datetime], Row] = {}
    for kind, table, column in TABLES:
        for row in books.rows[table.name]:
            hangs = kind == "installation"
            object_id = f"{row['usage_point']}/{row['meter']}" if hangs else str(row[column])
            key = (kind, object_id, row["installed_at" if hangs else "valid_from"], row["known_at"])
            found[key] = {**found.get(key, {}), **row}  # a usage point and where it lies are two rows
    return found
