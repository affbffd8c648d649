"""What systems told the hub and were told by it, and what their own extracts said, as statements on what they hold."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import groupby
from operator import itemgetter

from flows.history.books import Books
from flows.history.evidence import HUB, Act, Coverage, Extract, Statement
from flows.history.hub_versions import UNNUMBERED, HubVersion
from flows.reconciliation.views import versions_of
from store.rows import Row

ACTS: Mapping[str, Act] = {"create": "states", "change": "states", "close": "ends", "delete": "never"}
FILE_NOUN = "Masters"
"""Noun under which files of changes go to subscribers: each object with all its versions."""

REFUSED, TAKEN = "REJECTED", "APPLIED"
LOST = "not kept any more"
"""State of a delivery that retention has dropped: nobody can say how it ended."""


def said_statements(books: Books, roles: Mapping[str, str]) -> Iterator[Statement]:
    """Yield what was said by message and by file of changes; `roles` gives the role of a caller."""
    filed: dict[tuple[str, str, str], list[Row]] = {}
    for row in books.said:
        delivery = books.deliveries.get(row["delivery_id"])
        if delivery is not None and delivery["noun"] == FILE_NOUN:
            filed.setdefault((row["delivery_id"], row["kind"], row["object_id"]), []).append(row)
        elif row["how"] == "we_told":
            yield _told(row, delivery, ACTS[row["verb"]])
        else:
            yield _heard(row, roles)
    for rows in filed.values():
        yield _told_by_file(rows, books.deliveries[rows[0]["delivery_id"]])


def _heard(row: Row, roles: Mapping[str, str]) -> Statement:
    """Return what a system told the hub; a file of holdings states whole versions with their spans."""
    whole = row["how"] == "file" and row["verb"] == "create"
    return Statement(
        UNNUMBERED, roles.get(row["system"], row["system"]), row["kind"], row["object_id"],
        "keeps" if whole else ACTS[row["verb"]], _earlier(row["said_at"], row["noted_at"]), row["noted_at"],
        row["valid_from"], row["valid_to"], row["facts"], begins=row["verb"] == "create", how=row["how"],
        source=row["system"], message_id=row["message_id"], state=row["disposition"], code=row["code"],
        reason=row["reason"], said_at=row["said_at"],
    )  # fmt: skip


def _told(row: Row, delivery: Row | None, act: Act) -> Statement:
    """Return what the hub told a system, who believes it once it has confirmed it and not refused this part of it."""
    refused, taken = row["disposition"] == REFUSED, row["disposition"] == TAKEN
    known = delivery["confirmed_at"] if delivery is not None and delivery["state"] == "confirmed" else None
    known = known or (row["noted_at"] if taken else None)
    fate = row if refused or taken or delivery is None else delivery
    return Statement(
        UNNUMBERED, row["system"], row["kind"], row["object_id"], act, None if refused else known, row["noted_at"],
        row["valid_from"], row["valid_to"], row["facts"], begins=row["verb"] == "create", how="we_told", source=HUB,
        message_id=row["message_id"], delivery_id=row["delivery_id"],
        state=row["disposition"] or (delivery["state"] if delivery is not None else LOST), code=fate["code"],
        reason=fate["reason"], said_at=delivery["sent_at"] if delivery is not None else None,
    )  # fmt: skip


def _told_by_file(rows: Sequence[Row], delivery: Row) -> Statement:
    """Return what a file of changes told of one thing: all its versions, or that it never was."""
    made: dict[datetime, Extract] = {}
    for row in rows:
        if row["verb"] == "create":
            made[row["valid_from"]] = Extract(row["valid_from"], row["valid_to"], row["facts"])
        elif row["verb"] == "change" and row["valid_from"] in made:  # where a usage point lies is said beside it
            same = made[row["valid_from"]]
            made[row["valid_from"]] = replace(same, facts={**same.facts, **row["facts"]})
    whole = _told(rows[-1], delivery, "never" if rows[-1]["verb"] == "delete" else "holds")
    return replace(whole, facts={}, valid_from=None, valid_to=None, extract=tuple(made.values()))


def filed_statements(books: Books, versions: Iterable[HubVersion], roles: Mapping[str, str]) -> Iterator[Statement]:
    """Yield what the hub's versions came from and no statement tells: rows of reference files, items of loads."""
    told = {(row["message_id"], row["object_id"]) for row in books.said if row["how"] != "we_told"}
    for version in versions:
        one = version.begun
        if one.how != "file" or not one.source or (one.message_id, one.object_id) in told:
            continue
        yield replace(
            one, system=roles.get(one.source, one.source), act="states", part="", state="APPLIED",
            known_at=_earlier(one.said_at, one.noted_at),
            facts={name: text for name, text in one.facts.items() if name in version.fields},
        )  # fmt: skip


def extract_statements(books: Books) -> Iterator[Statement]:
    """Yield what extracts of systems said, and that one no longer had a thing."""
    names = books.files
    for (system, kind, object_id), group in groupby(books.extracts, key=itemgetter("system", "kind", "object_id")):
        if system == HUB:
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


def _earlier(said_at: datetime | None, noted_at: datetime) -> datetime:
    """Return when a teller believed what it told: when it said so, whose clock may run ahead of ours."""
    return noted_at if said_at is None else min(said_at, noted_at)
