"""The history of one usage point: gathered from the books when somebody asks, never kept beside them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from canonical.granularity import Grain
from flows.history import books
from flows.history.books import Books
from flows.history.evidence import HUB, History, Statement
from flows.history.hub_versions import hub_statements, hub_versions
from flows.history.replay import beliefs_of
from flows.history.subject import usage_point_of
from flows.history.told import coverage_of, extract_statements, filed_statements, said_statements
from flows.history.whole_files import whole_file_statements
from flows.master_data_feed import Subscriber
from store.session import Transaction


def history(
    word: str,
    *,
    transaction: Transaction,
    now: datetime,
    at: datetime | None = None,
    roles: Mapping[str, str] | None = None,
    systems: Sequence[str] = (),
    subscribers: Sequence[Subscriber] = (),
    grains: Mapping[str, Grain] | None = None,
) -> History:
    """Return what every system held of the usage point that a word means, who told it, and by what.

    `word` is its mRID or name, a meter (mRID, serial, or manufacturer/serial), an agreement or an account; of several
    usage points the one to which it belongs at the valid instant `at` (default `now`, business time). `systems` are
    the roles of the site that may hold masters, `roles` gives the role of a caller that is named otherwise,
    `subscribers` are those that may have begun with a whole file, `grains` says how finely roles keep time.

    Raises:
        RejectedError: the word means nothing (UNKNOWN_USAGE_POINT), or several usage points (AMBIGUOUS_SUBJECT).
    """
    known = roles or {}
    with transaction() as session:
        point = usage_point_of(session, word, at=at or now, systems={*systems, *known})
        found = books.read(session, point, systems=systems)
        whole = list(whole_file_statements(session, found, subscribers))
    return replace(composed(found, whole, roles=known, systems=systems), grains=grains or {})


def composed(found: Books, whole: Sequence[Statement], *, roles: Mapping[str, str], systems: Sequence[str]) -> History:
    """Return the history that the books, and whole files to subscribers, tell; pure."""
    versions = hub_versions(found)
    drafts = [
        *hub_statements(versions),
        *said_statements(found, roles),
        *filed_statements(found, versions, roles),
        *extract_statements(found),
        *whole,
    ]
    statements = _numbered(drafts)
    names = dict.fromkeys((HUB, *systems, *sorted({one.system for one in statements})))
    trade = [row["name"] for row in found.rows["usage_point"] if row["name"]]
    return History(
        found.usage_point,
        trade[-1] if trade else "",
        tuple(names),
        found.things,
        statements,
        beliefs_of(statements),
        coverage_of(found),
    )


def _numbered(drafts: Iterable[Statement]) -> tuple[Statement, ...]:
    """Return statements in the order in which they were believed, or else noted, each with its number."""
    ordered = sorted(drafts, key=lambda one: (one.known_at or one.noted_at, one.noted_at, one.act != "drops"))
    return tuple(replace(one, number=number) for number, one in enumerate(ordered, 1))
