"""What anybody believed at any instant about any instant is what going through the statements again would give."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.history.evidence import Belief, Extract, Statement
from flows.history.replay import beliefs_of

pytestmark = pytest.mark.slow

T = datetime(2026, 1, 1, tzinfo=UTC)
FIELDS = ("multiplier", "status")
ABSENT = "absent"


def day(number: float) -> datetime:
    """Return an instant some days into the year."""
    return T + timedelta(days=number)


@dataclass
class Naive:
    """One version as a person would write it down."""

    start: datetime
    end: datetime | None
    own: dict[str, str]
    begins: bool
    whole: bool = False
    marker: bool = False
    facts: dict[str, str] = field(default_factory=dict)


def lives(book: Sequence[Naive]) -> list[list[Naive]]:
    """Return versions by the life that they belong to."""
    found: list[list[Naive]] = []
    for one in sorted(book, key=lambda each: each.start):
        if found and (found[-1][-1].end is None or found[-1][-1].end > one.start):
            found[-1].append(one)
        else:
            found.append([one])
    return found


def said(book: list[Naive], one: Statement) -> list[Naive]:
    """Return the book after one more statement."""
    at = one.valid_from or T
    match one.act:
        case "never":
            return []
        case "holds":
            return [Naive(each.valid_from, each.valid_to, dict(each.facts), True, True) for each in one.extract]
        case "drops":
            return [each for each in book if each.start != at]
        case "keeps":
            others = [each for each in book if each.start != at]
            return [*others, Naive(at, one.valid_to, dict(one.facts), one.begins, True)]
        case "states":
            return stated(book, one, at)
    return ended(book, at)


def stated(book: list[Naive], one: Statement, at: datetime) -> list[Naive]:
    """Return the book after fields were stated."""
    for each in book:
        if each.start == at:
            each.own |= one.facts
            each.begins = each.begins or one.begins
            if one.valid_to is not None or each.end == at:
                each.end = one.valid_to
            return book
    before = max((each for each in book if each.start < at), key=lambda each: each.start, default=None)
    end = one.valid_to
    if end is None and before is not None and before.end is not None and before.end > at:
        end = before.end
    return [*book, Naive(at, end, dict(one.facts), one.begins)]


def ended(book: list[Naive], at: datetime) -> list[Naive]:
    """Return the book after an end was said."""
    if any(each.end == at for each in book):
        return book
    for life in lives(book):
        last = life[-1].end
        if life[0].start <= at and (last is None or last > at):
            for each in life:
                each.end = at
            return [each for each in book if each not in life or each.start < at]
    following = min((each for each in book if each.start > at), key=lambda each: each.start, default=None)
    return [*book, Naive(at, at, {}, following is not None and following.begins)]


def brute_force(statements: Sequence[Statement], at: datetime, known_at: datetime) -> Mapping[str, str] | str | None:
    """Return values, ABSENT or None (nobody knows), by going through every statement believed by an instant."""
    heard = [one for one in statements if one.known_at is not None and one.known_at <= known_at]
    heard.sort(key=lambda one: (one.known_at, one.act != "drops", one.number))
    book: list[Naive] = []
    emptied = False
    for one in heard:
        before = bool(book)
        book = said(book, one)
        emptied = emptied or one.act in ("never", "holds") or (before and not book)
    ordered = sorted(book, key=lambda each: each.start)
    inherited: dict[str, str] = {}
    for number, each in enumerate(ordered):
        previous = ordered[number - 1] if number else None
        goes_on = previous is not None and (previous.end is None or previous.end > each.start)
        each.facts = {**(inherited if goes_on and not each.whole else {}), **each.own}
        inherited = each.facts
    begun = [each for each in ordered if each.start <= at]
    if begun:
        last = begun[-1]
        return last.facts if last.end is None or at < last.end else ABSENT
    if ordered:
        return ABSENT if ordered[0].begins else None
    return ABSENT if emptied else None


def answered(beliefs: Sequence[Belief], at: datetime, known_at: datetime) -> Mapping[str, str] | str | None:
    """Return the same from beliefs; two that cover one instant would be a lie."""
    found = [one for one in beliefs if one.covers(at, known_at)]
    assert len(found) <= 1, found
    return None if not found else ABSENT if found[0].facts is None else dict(found[0].texts or {})


def extracts(numbers: list[int], value: str) -> tuple[Extract, ...]:
    """Return versions that begin on some days; every other one ends before the next begins."""
    days = sorted(set(numbers))
    return tuple(
        Extract(day(number), day(number + 1) if number % 2 else None, {"multiplier": f"{value}{number}"})
        for number in days
    )


@st.composite
def statement(draw: Any, number: int) -> Statement:
    """Draw anything that can be said of one thing."""
    act = draw(st.sampled_from(("states", "states", "states", "ends", "never", "holds", "keeps", "drops")))
    start = draw(st.integers(0, 8))
    known = draw(st.one_of(st.none(), st.integers(0, 10))) if draw(st.integers(0, 9)) == 0 else draw(st.integers(0, 10))
    length = draw(st.one_of(st.none(), st.integers(0, 5)))
    facts = draw(st.dictionaries(st.sampled_from(FIELDS), st.sampled_from("abc"), max_size=2))
    extract = extracts(draw(st.lists(st.integers(0, 8), max_size=3)), draw(st.sampled_from("ab")))
    return Statement(
        number, "mdms", "meter", "M1", act, None if known is None else day(known), day(number), day(start),
        day(start + length) if length is not None and act in ("states", "keeps") else None,
        facts if act in ("states", "keeps") else {}, begins=draw(st.booleans()),
        extract=extract if act == "holds" else (),
    )  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_beliefs_answer_as_going_through_the_statements_again_does(data: st.DataObject) -> None:
    length = data.draw(st.integers(0, 14))
    statements = [data.draw(statement(number)) for number in range(1, length + 1)]
    beliefs = beliefs_of(data.draw(st.permutations(statements)))

    for known in range(-1, 12):
        for at in (-1.0, *(half / 2 for half in range(0, 20))):
            asked = day(at), day(known)
            assert answered(beliefs, *asked) == brute_force(statements, *asked), (at, known)


def test_what_changes_at_the_end_leaves_what_was_believed_of_before_untouched() -> None:
    told = [
        Statement(n, "cis", "meter", "M1", "states", day(n), day(n), day(n), facts={"status": str(n)}, begins=n == 1)
        for n in range(1, 4)
    ]

    beliefs = beliefs_of(told)

    first = [one for one in beliefs if one.texts == {"status": "1"}]
    assert [(one.valid_to, one.known_from, one.known_to) for one in first] == [
        (None, day(1), day(2)),
        (day(2), day(2), None),
    ]


def test_the_same_said_again_begins_no_new_belief() -> None:
    told = [
        Statement(n, "cis", "meter", "M1", "states", day(n), day(n), day(1), facts={"status": "a"}, begins=True)
        for n in range(1, 4)
    ]

    (before, held) = beliefs_of(told)

    assert (before.facts, held.by, held.known_from, held.known_to) == (None, 1, day(1), None)


def test_the_end_of_a_thing_that_nobody_told_of_is_all_that_is_known_of_it() -> None:
    end = Statement(1, "mdms", "installation", "U1/M1", "ends", day(5), day(5), day(3))

    (gone,) = beliefs_of([end])

    assert (gone.facts, gone.valid_from, gone.valid_to, gone.by) == (None, day(3), None, 1)


def test_each_value_names_the_statement_that_it_comes_from() -> None:
    told = [
        Statement(
            1,
            "cis",
            "meter",
            "M1",
            "states",
            day(1),
            day(1),
            day(1),
            facts={"status": "a", "multiplier": "1"},
            begins=True,
        ),
        Statement(2, "cis", "meter", "M1", "states", day(2), day(2), day(2), facts={"multiplier": "40"}),
    ]

    (now,) = [one for one in beliefs_of(told) if one.covers(day(3), day(3))]

    assert now.facts is not None
    assert {name: fact.by for name, fact in now.facts.items()} == {"status": 1, "multiplier": 2}
