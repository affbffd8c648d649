"""The versions of a thing follow from what was said of it, in whatever order it came."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from flows.master_data_sync import timeline
from flows.master_data_sync.timeline import Version

T = datetime(2026, 1, 1, tzinfo=UTC)
NOTHING = {"route": "", "district": ""}


def day(number: int) -> datetime:
    return T + timedelta(days=number)


def said(versions: tuple[Version, ...], number: int, stamp: str, **fields: str) -> tuple[Version, ...]:
    found, _ = timeline.state(versions, day(number), fields, stamp=stamp, begins=True, defaults=NOTHING)
    return found


def shown(versions: tuple[Version, ...]) -> list[tuple[int, str, str]]:
    return [((one.valid_from - T).days, one.fields["route"], one.fields["district"]) for one in versions]


def test_a_partial_change_fills_only_what_it_says() -> None:
    versions = said((), 1, "a", route="R1", district="N")

    assert shown(said(versions, 5, "b", route="R2")) == [(1, "R1", "N"), (5, "R2", "N")]


def test_a_back_dated_change_reaches_what_later_versions_do_not_say_themselves() -> None:
    versions = said(said((), 1, "a", route="R1", district="N"), 9, "b", route="R9")

    assert shown(said(versions, 5, "c", route="R5", district="S")) == [
        (1, "R1", "N"),
        (5, "R5", "S"),
        (9, "R9", "S"),
    ]


def test_every_order_of_the_same_statements_ends_alike() -> None:
    statements = [
        (5, "c", {"route": "R5"}),
        (9, "d", {"district": "S"}),
        (5, "e", {"route": "R6"}),
        (5, "b", {"route": "R5", "district": "M"}),
    ]
    ends = set()
    for order in permutations(statements):
        versions = said((), 1, "a", route="R1", district="N")
        for number, stamp, fields in order:
            versions = said(versions, number, stamp, **fields)
        ends.add(str(shown(versions)))

    assert ends == {str([(1, "R1", "N"), (5, "R6", "M"), (9, "R6", "S")])}


@pytest.mark.parametrize(
    ("fields", "stamp", "effect"),
    [
        ({"route": "R1"}, "a", "DUPLICATE"),
        ({"route": "R1"}, "z", "DUPLICATE"),
        ({"route": "R2"}, "0", "SUPERSEDED"),
        ({"route": "R2"}, "z", "APPLIED"),
    ],
)
def test_of_two_statements_for_one_instant_the_later_said_counts(
    fields: dict[str, str], stamp: str, effect: str
) -> None:
    versions = said((), 1, "a", route="R1")

    found, done = timeline.state(versions, day(1), fields, stamp=stamp, begins=False, defaults=NOTHING)

    assert done == effect
    assert found[0].fields["route"] == ("R2" if effect == "APPLIED" else "R1")


def test_what_does_not_exist_then_is_not_changed_or_ended() -> None:
    versions = said((), 5, "a", route="R1")

    assert timeline.state(versions, day(1), {}, stamp="b", begins=False, defaults=NOTHING)[1] == "NOT_THERE"
    assert timeline.end(versions, day(1))[1] == "NOT_THERE"


def test_an_end_ends_every_version_and_a_repeat_of_it_changes_nothing() -> None:
    versions = said(said((), 1, "a", route="R1"), 9, "b", route="R2")

    ended, first = timeline.end(versions, day(5))
    again, second = timeline.end(ended, day(5))

    assert (first, second) == ("APPLIED", "DUPLICATE")
    assert [(one.valid_from, one.valid_to) for one in ended] == [(day(1), day(5))]
    assert again == ended


def test_a_change_told_late_lies_inside_the_life_that_has_ended_already() -> None:
    ended, _ = timeline.end(said((), 1, "a", route="R1"), day(9))

    assert [one.valid_to for one in said(ended, 5, "b", route="R2")] == [day(9), day(9)]


def test_a_second_life_takes_nothing_over_from_the_first() -> None:
    ended, _ = timeline.end(said((), 1, "a", route="R1", district="N"), day(5))

    reborn = said(ended, 7, "b", route="R7")

    assert shown(reborn) == [(1, "R1", "N"), (7, "R7", "")]
    assert timeline.holding(reborn, day(6)) is None
