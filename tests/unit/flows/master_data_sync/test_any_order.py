"""Messages in any order that causality allows, with repeats, end alike; I1 holds after each of them."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import combinations
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from master_data_sync_by_hand import World, day, link, meter, point, told

from canonical.customers import CustomerAgreement
from canonical.master_data import MasterData, MasterThing, Verb
from canonical.messages import Message
from canonical.periods import Period
from store import reference_book
from store.session import open_engine, transactions

pytestmark = pytest.mark.slow

POINTS, SERIALS = ("U1", "U2", "U3"), ("1", "2", "3")


@dataclass
class History:
    """What masters said, in the order in which they said it, and what each statement follows."""

    messages: list[Message[MasterData]] = field(default_factory=list)
    follows: list[set[int]] = field(default_factory=list)
    last: dict[str, int] = field(default_factory=dict)
    """Number of the last message about each thing."""

    def say(self, verb: Verb, thing: MasterThing, at: float, *about: str, stated: frozenset[str] | None = None) -> None:
        """Add a message that comes after all earlier ones about the same things."""
        number = len(self.messages)
        more: dict[str, Any] = {"stated": (stated,)} if stated else {}
        self.messages.append(told(number, verb, thing, at=at, **more))
        self.follows.append({self.last[one] for one in about if one in self.last})
        self.last.update(dict.fromkeys(about, number))


def history_of(chance: random.Random) -> History:
    """Return a history in which meters move between usage points, and things change, some of it back-dated."""
    found = History()
    for name in POINTS:
        found.say("create", point(name), 0, f"point {name}")
    for serial in SERIALS:
        found.say("create", meter(serial), 0, f"meter {serial}")
    found.say("create", CustomerAgreement("G1", "A1", "U1", "", "R1", "", "", False, day(1), None), 1, "agreement")
    hangs: dict[str, str] = {}
    now = 1.0
    for _ in range(chance.randint(2, 9)):
        now += chance.randint(0, 3)
        serial, name = chance.choice(SERIALS), chance.choice(POINTS)
        if serial in hangs:
            where = hangs.pop(serial)
            now += 1
            found.say("close", link(serial, where), now, f"links {where}", f"links of {serial}")
        elif name not in hangs.values():
            hangs[serial] = name
            found.say("create", link(serial, name), now, f"links {name}", f"links of {serial}")
    for _ in range(chance.randint(0, 6)):
        when, name, serial = chance.randint(0, 30), chance.choice(POINTS), chance.choice(SERIALS)
        routed = point(name, route=f"R{when}", valid_from=day(when))
        found.say("change", routed, when, stated=frozenset({"route"}))
        found.follows[-1] = {POINTS.index(name)}
        ratio = meter(serial, multiplier=Decimal(chance.choice((1, 40))), registers=(), valid_from=day(when))
        found.say("change", ratio, when)
        found.follows[-1] = {len(POINTS) + SERIALS.index(serial)}
    return found


def shuffled(history: History, chance: random.Random) -> list[Message[MasterData]]:
    """Return the messages in another order that causality allows, some of them twice."""
    order: list[int] = []
    open_ones = set(range(len(history.messages)))
    while open_ones:
        ready = sorted(n for n in open_ones if not history.follows[n] & open_ones)
        order.append(chance.choice(ready))
        open_ones.discard(order[-1])
    for _ in range(len(order) // 3):
        place = chance.randrange(len(order))
        order.insert(chance.randint(place, len(order)) + 1, order[place])
    return [history.messages[n] for n in order]


def state(world: World) -> object:
    """Return what the hub holds, without the times at which it became known."""
    with world.transaction() as session:
        book = reference_book.open_book(session, set(POINTS))
    return book.usage_points, book.agreements, book.installations, world.waiting()


def assert_i1(world: World) -> None:
    """Assert that no two meters are at a usage point at once, and no meter at two."""
    stays = [one for found in world.hung(*POINTS).values() for one in found]
    for one, other in combinations(stays, 2):
        if one.usage_point == other.usage_point or one.meter == other.meter:
            assert not _overlap(one.active, other.active), (one, other)


def _overlap(one: Period, other: Period) -> bool:
    return one.start < other.end and other.start < one.end and one.start != one.end and other.start != other.end


def played(messages: Sequence[Message[MasterData]], databases: Callable[[], str]) -> tuple[object, World]:
    engine = open_engine(databases())
    world = World(transactions(engine))
    for message in messages:
        assert world.take(message).result == "OK", message
        assert_i1(world)
    found = state(world)
    engine.dispose()
    return found, world


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_every_order_that_causality_allows_ends_alike(seed: int, sqlite_databases: Callable[[], str]) -> None:
    chance = random.Random(seed)  # noqa: S311
    history = history_of(chance)

    straight, world = played(history.messages, sqlite_databases)
    other, shuffled_world = played(shuffled(history, chance), sqlite_databases)

    assert other == straight
    # What comes after a later statement of the same instant is superseded, and told to nobody (seed 425421778).
    assert len(shuffled_world.sent) <= len(world.sent)


@pytest.mark.slow
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_many_orders_that_causality_allows_end_alike(seed: int, sqlite_databases: Callable[[], str]) -> None:
    chance = random.Random(seed)  # noqa: S311
    history = history_of(chance)

    assert played(shuffled(history, chance), sqlite_databases)[0] == played(history.messages, sqlite_databases)[0]
