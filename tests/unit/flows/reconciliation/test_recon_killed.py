"""A pass that dies between two transactions is taken up by the next one, and ends as if it had not died."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from recon_by_hand import NOW, World, meter, point

from store.session import Session, Transaction


class KilledError(Exception):
    """The process is gone."""


class Mortal:
    """An opener of transactions that dies before the one with a number, or in it."""

    def __init__(self, transaction: Transaction, number: int, *, inside: bool) -> None:
        self.transaction, self.left, self.inside = transaction, number, inside

    @contextmanager
    def __call__(self) -> Iterator[Session]:
        self.left -= 1
        if self.left == 0 and not self.inside:
            raise KilledError
        with self.transaction() as session:
            yield session
            if self.left == 0:
                raise KilledError


def outcome(world: World) -> list[tuple[object, ...]]:
    """Return what is known at the end, without times."""
    rows = sorted(world.rows("open", "closed", "waived", "repairing"), key=lambda row: str(row["difference_id"]))
    return [
        (row["object_id"], row["system"], row["klass"], row["field"], row["cause"], row["state"], row["found"])
        for row in rows
    ]


@pytest.mark.slow
@pytest.mark.parametrize("inside", [True, False])
def test_a_pass_killed_at_any_boundary_ends_as_one_that_was_not(transaction: Transaction, inside: bool) -> None:
    world = World(transaction)
    world.believes(point("U1"), point("U2"), meter(1))
    held = [point("U1", route="R9"), point("U3"), meter(1)]
    mended = [point("U1"), point("U2"), meter(1), meter(2)]
    expected = [("mdms", "EXTRA_IN_X")]
    later, number, killed = NOW, 0, True

    while killed:
        number += 1
        later += timedelta(hours=1)
        world.transaction = transaction
        world.drops("mdms", held if number % 2 else mended, at=later)
        world.transaction = Mortal(transaction, number, inside=inside)
        killed = False
        try:
            world.runs(now=later)
        except KilledError:
            killed = True
        world.transaction = transaction
        world.runs(now=later + timedelta(minutes=1))
        still = {(row["object_id"], row["klass"]) for row in world.rows("open")}
        if number % 2:
            assert still == {("U1", "FIELD_DIFF"), ("U2", "MISSING_IN_X"), ("U3", "EXTRA_IN_X")}
        else:
            assert [(row["system"], row["klass"]) for row in world.rows("open")] == expected

    assert number > 15
    closed = [row for row in outcome(world) if row[5] == "closed"]
    assert len(closed) + len(world.rows("open")) == 4
