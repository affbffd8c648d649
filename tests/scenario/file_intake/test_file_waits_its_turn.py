"""Files before their day or behind a gap wait; numbers that do not rise are refused (domain 4.4, 4.5)."""

from datetime import datetime

import pytest
from file_partner import content, name
from polling_hub import Hub, problems

from canonical.codes import transport
from flows.file_intake import IntakePolicy
from flows.file_ledger import release


def test_a_file_dated_tomorrow_is_held_until_its_day_has_come(hub: Hub) -> None:
    hub.partner.offer(name(1, day="20260303"), content("a|1"))

    first, second = hub.poll(), hub.poll(60)

    assert [(p.code, p.state) for p in first.problems] == [(transport.BUSINESS_DATE_WRONG, "held")]
    assert (second.problems, second.waiting, hub.answers()) == ((), (name(1, day="20260303"),), [])
    assert [t.verdict for t in hub.poll(24 * 3600).taken] == ["ACCEPTED"]
    assert (hub.keys(), hub.partner.fetched) == (["a"], [name(1, day="20260303")])


def test_a_business_date_is_read_in_the_zone_of_the_interface(hub: Hub) -> None:
    hub.at = datetime.fromisoformat("2026-03-03T01:00:00+00:00")
    hub.partner.offer(name(1, day="20260303"), content("a|1"))

    report = hub.poll(zone="America/Toronto")

    assert problems(report) == [transport.BUSINESS_DATE_WRONG]


def test_a_file_from_long_ago_waits_for_a_person_who_releases_it(hub: Hub) -> None:
    hub.partner.offer(name(1, day="20251201"), content("a|1"))
    report = hub.poll()
    assert problems(report) == [transport.BUSINESS_DATE_WRONG]

    release(report.problems[0].file_id, person="kim", transaction=hub.transaction)

    assert [t.verdict for t in hub.poll().taken] == ["ACCEPTED"]


def test_files_behind_a_gap_wait_and_follow_in_order_when_it_closes(hub: Hub) -> None:
    hub.partner.offer(name(1), content("a|1"))
    hub.partner.offer(name(3), content("c|1"))
    first = hub.poll()
    hub.partner.offer(name(2), content("b|1"))

    second = hub.poll()

    assert [(p.code, p.state, p.name) for p in first.problems] == [(transport.SEQUENCE_GAP, "held", name(3))]
    assert [t.name for t in second.taken] == [name(2), name(3)]
    assert hub.keys() == ["a", "b", "c"]


def test_a_gap_that_lasts_is_told_again_and_the_file_stays_held_where_order_is_strict(hub: Hub) -> None:
    hub.partner.offer(name(1), content("a|1"))
    hub.partner.offer(name(3), content("c|1"))
    hub.poll()

    before, at, later = hub.poll(4 * 3600 - 1), hub.poll(1), hub.poll(3600)

    assert problems(before) == []
    assert [(p.code, p.state) for p in at.problems] == [(transport.SEQUENCE_GAP, "alert")]
    assert (problems(later), hub.keys(), later.waiting) == ([], ["a"], (name(3),))


def test_a_gap_that_lasts_is_passed_over_where_any_order_will_do_and_the_missing_file_is_taken_late(hub: Hub) -> None:
    hub.policy = IntakePolicy(order="any")
    hub.partner.offer(name(1), content("a|1"))
    hub.partner.offer(name(3), content("c|1"))
    hub.poll()

    report = hub.poll(4 * 3600)
    hub.partner.offer(name(2), content("b|1"))
    late = hub.poll()

    assert [(p.code, p.state) for p in report.problems] == [(transport.SEQUENCE_GAP, "alert")]
    assert [t.verdict for t in report.taken] == [t.verdict for t in late.taken] == ["ACCEPTED"]
    assert hub.keys() == ["a", "b", "c"]


@pytest.mark.parametrize(("sequence", "revision"), [(5, 1), (4, 0)], ids=["equal", "lower"])
def test_a_sequence_number_that_does_not_rise_is_refused(hub: Hub, sequence: int, revision: int) -> None:
    hub.partner.offer(name(5), content("a|1"))
    hub.poll()
    hub.partner.offer(name(sequence, revision=revision), content("b|1"))

    report = hub.poll()

    assert problems(report) == [transport.SEQUENCE_REGRESSION]
    assert hub.keys() == ["a"]


def test_a_wild_number_in_a_damaged_file_does_not_make_later_files_look_old(hub: Hub) -> None:
    hub.partner.offer(name(1), content("a|1"))
    hub.partner.offer(name(999999), content("b|1", trailer=""))
    hub.poll()
    hub.partner.offer(name(2), content("c|1"))

    assert [t.verdict for t in hub.poll().taken] == ["ACCEPTED"]
