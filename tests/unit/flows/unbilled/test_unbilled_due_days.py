"""Which days the register is still to be counted for."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime

import pytest
from unbilled_world import ZONE, at

from flows.unbilled import Policy, due_days, run
from store.session import Session, Transaction

POLICY = Policy(zone=ZONE.key)


def due(transaction: Transaction, now: datetime) -> tuple[str, ...]:
    return tuple(day.isoformat() for day in due_days(POLICY, transaction=transaction, now=now))


def test_a_register_that_was_never_counted_begins_with_yesterday(transaction: Transaction) -> None:
    assert due(transaction, at("2026-07-10", 1)) == ("2026-07-09",)


def test_a_day_is_due_from_its_local_end_on_and_not_before(transaction: Transaction) -> None:
    run(POLICY, transaction=transaction, now=at("2026-07-10", 1), day=date(2026, 7, 9))

    assert due(transaction, at("2026-07-10", 23)) == ()
    assert due(transaction, at("2026-07-11")) == ("2026-07-10",)


def test_days_that_were_missed_are_due_oldest_first(transaction: Transaction) -> None:
    run(POLICY, transaction=transaction, now=at("2026-07-07", 1), day=date(2026, 7, 6))

    assert due(transaction, at("2026-07-10", 5)) == ("2026-07-07", "2026-07-08", "2026-07-09")


def test_a_day_that_was_counted_while_it_ran_is_due_when_it_is_over(transaction: Transaction) -> None:
    run(POLICY, transaction=transaction, now=at("2026-07-09", 1), day=date(2026, 7, 8))
    run(POLICY, transaction=transaction, now=at("2026-07-09", 19))

    assert due(transaction, at("2026-07-10", 0)) == ("2026-07-09",)


def test_a_day_whose_count_died_is_due_again(transaction: Transaction) -> None:
    run(POLICY, transaction=transaction, now=at("2026-07-09", 1), day=date(2026, 7, 8))

    with pytest.raises(_KilledError):
        run(POLICY, transaction=_dying(transaction), now=at("2026-07-10", 1), day=date(2026, 7, 9))

    assert due(transaction, at("2026-07-10", 2)) == ("2026-07-09",)


class _KilledError(Exception):
    """The process ended here."""


def _dying(transaction: Transaction) -> Transaction:
    """Return a transaction of which the second is never begun."""
    begun: list[None] = []

    @contextmanager
    def killed() -> Iterator[Session]:
        if begun:
            raise _KilledError
        begun.append(None)
        with transaction() as session:
            yield session

    return killed
