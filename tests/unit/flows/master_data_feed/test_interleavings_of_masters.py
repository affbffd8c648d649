"""A load, changes, repeats and back-dated events: every interleaving ends alike, and I1 to I8 hold all the way."""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from itertools import combinations
from typing import Any

import pytest
from billed_by_hand import Bills
from feed_by_hand import Desk
from file_changes_by_hand import ACME, give, held, hung, meter_held, point_held
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from load_office import Office
from master_data_sync_by_hand import NOW, REGISTER, World, day, link, meter, point, told
from watched_by_hand import Watch

from canonical.customers import CustomerAgreement
from canonical.holdings import FIELDS, Holding, Withdrawn, registers_text
from canonical.messages import Item
from flows.holdings import held_by_hub
from flows.master_data_feed import Subscriber
from flows.routing import Routes
from store import master_changes
from store.master_statements import MASTER_STATEMENT
from store.rows import rows_of
from store.session import open_engine, transactions
from store.work import WORK_ITEM

pytestmark = pytest.mark.slow
POINTS, SERIALS = ("U1", "U2", "U3"), ("1", "2", "3")
MAPS = Subscriber("maps", "gis", mode="batch", interval=timedelta(minutes=1))

BASE = (
    held("customer", "C1", 0, kind="residential"),
    held("account", "A1", 0, customer="C1"),
    *(point_held(name) for name in POINTS),
    *(meter_held(serial, registers=registers_text((REGISTER,))) for serial in SERIALS),
    *(hung("1", "U1", 1), hung("2", "U2", 1)),
    held("agreement", "G1", 1, account="A1", usage_point="U1", tariff="R1", net_metering="false"),
    *(held("topology", name, transformer="T0", feeder="F0") for name in POINTS),
)
"""What the first-time load brings, in the order of a FULL file."""

Say = Callable[[World], Counter[str]]
"""Says one thing to a hub, and returns how many objects ended in which verdict."""


@dataclass
class Story:
    """What systems say, in the order in which they say it, and what each saying follows."""

    sayings: list[Say] = field(default_factory=list)
    follows: list[set[int]] = field(default_factory=list)
    last: dict[str, int] = field(default_factory=dict)

    def say(self, saying: Say, *about: str) -> None:
        """Add a saying that comes after all earlier ones about the same things."""
        number = len(self.sayings)
        self.sayings.append(saying)
        self.follows.append({self.last[one] for one in about if one in self.last})
        self.last.update(dict.fromkeys(about, number))


def by_message(number: int, verb: str, thing: Any, at: float, **more: Any) -> Say:
    """Return what says a thing by message."""

    def say(world: World) -> Counter[str]:
        reply = world.take(told(number, verb, thing, at=at, **more))  # type: ignore[arg-type]
        assert reply.result == "OK", reply
        return Counter({name: int(count) for name, count in reply.details.items()})

    return say


def by_file(number: int, *items: Holding | Withdrawn, batch: int) -> Say:
    """Return what says things by a file of changes."""

    def say(world: World) -> Counter[str]:
        verdicts = give(world, number, items, batch=batch)
        assert "REJECTED" not in {one.verdict for one in verdicts}, verdicts
        return Counter(one.verdict for one in verdicts)

    return say


def story_of(chance: random.Random) -> Story:
    """Return meters that move, and things that change, much of it back-dated, by message or by file."""
    found, number = Story(), 0
    hangs, now = {"1": "U1", "2": "U2"}, 2.0
    for _ in range(chance.randint(1, 6)):
        now, number = now + chance.randint(1, 3), number + 1
        serial, name = chance.choice(SERIALS), chance.choice(POINTS)
        if serial in hangs:
            where = hangs.pop(serial)
            found.say(by_message(number, "close", link(serial, where), now), where, serial)
        elif name not in hangs.values():
            hangs[serial] = name
            found.say(by_message(number, "create", link(serial, name), now), name, serial)
    for _ in range(chance.randint(2, 8)):
        number, at = number + 1, chance.randint(0, 40)
        name, serial, word = chance.choice(POINTS), chance.choice(SERIALS), f"W{chance.randint(1, 3)}"
        found.say(
            chance.choice(
                [
                    by_message(number, "change", point(name, route=word, valid_from=day(at)), at,
                               stated=(frozenset({"route"}),)),
                    by_message(number, "change", meter(serial, multiplier=Decimal(40), registers=(),
                                                       valid_from=day(at)), at, stated=(frozenset({"multiplier"}),)),
                    by_message(number, "change", CustomerAgreement("G1", "", "", "", word, "", "", False,
                                                                   day(at + 1), None), at + 1,
                               stated=(frozenset({"tariff"}),)),
                    by_file(number, held("usage_point", name, at, district=word), batch=1),
                    by_file(number, held("topology", name, at, at + 5, transformer=word),
                            held("topology", name, at + 5, feeder=word), batch=9),
                ]
            )
        )  # fmt: skip
    return found


def shuffled(story: Story, chance: random.Random) -> list[Say]:
    """Return the sayings in another order that causality allows, some of them twice."""
    order: list[int] = []
    open_ones = set(range(len(story.sayings)))
    while open_ones:
        ready = sorted(n for n in open_ones if not story.follows[n] & open_ones)
        order.append(chance.choice(ready))
        open_ones.discard(order[-1])
    for _ in range(len(order) // 3):
        place = chance.randrange(len(order))
        order.insert(chance.randint(place, len(order)) + 1, order[place])
    return [story.sayings[n] for n in order]


def load_steps(office: Office, chunk: int) -> list[Callable[[], object]]:
    """Return a first-time load as its steps: chunks, the end of its file, and its own end."""
    office.start("cis_north")
    file = office.file("cis_north", len(BASE), day(99))
    with office.transaction() as session:
        office.handler.begin(session, file)
    items = [Item(line, one.object_id, one) for line, one in enumerate(BASE, 2)]

    def take(at: int) -> Callable[[], object]:
        def step() -> None:
            with office.transaction() as session:
                office.handler.handle(session, file, items[at : at + chunk], now=NOW)

        return step

    def finish() -> None:
        with office.transaction() as session:
            office.handler.finish(session, file, now=NOW)

    def end() -> None:
        assert office.advance() == "done"

    return [*(take(at) for at in range(0, len(items), chunk)), finish, end]


def played(
    sayings: Sequence[Say], databases: Callable[[], str], *, chance: random.Random | None = None
) -> dict[str, list[Holding]]:
    """Return what a hub holds after a load and sayings: the load first, or both interleaved by chance."""
    url = databases()
    engine, watch = open_engine(url), Watch(open_engine(url))
    world = World(watch.over(transactions(engine)), routes=Routes())
    desk, bills, clock = Desk(world, [MAPS]), Bills(world), NOW
    bills.load()
    desk.feed(clock)
    steps: list[Callable[[], object]] = load_steps(
        Office(world.transaction), chunk=chance.choice((1, 4)) if chance else 99
    )
    own: list[Callable[[], object]] = [lambda say=say: account(world, say) for say in sayings]  # type: ignore[misc]
    queue = steps + own if chance is None else interleaved(steps, own, chance)
    seen: set[str] = set()
    for step in queue:
        step()
        seen = assert_invariants(world, seen)
        bills.assert_all()
        if chance is None or chance.random() < 0.3:
            clock += timedelta(minutes=2)
            desk.feed(clock)
    world.advance(clock + timedelta(days=1))
    desk.feed(clock + timedelta(days=1))
    assert world.waiting() == 0
    found = all_held(world)
    assert_told(desk, found, world)
    assert watch.commits > len(queue)
    assert watch.tellings or not desk.files
    watch.engine.dispose()
    engine.dispose()
    return found


def interleaved(
    one: list[Callable[[], object]], other: list[Callable[[], object]], chance: random.Random
) -> list[Callable[[], object]]:
    """Return two sequences as one, each in its own order."""
    places = sorted(chance.sample(range(len(one) + len(other)), len(one)))
    rest = iter(other)
    steps = dict(zip(places, one, strict=True))
    return [steps[n] if n in steps else next(rest) for n in range(len(one) + len(other))]


def account(world: World, say: Say) -> None:
    """Say something, and assert that each of its objects ends in exactly one disposition (I5)."""
    before = statements(world)
    said = say(world)
    assert sum(said.values()) >= 1
    assert all(disposition in DISPOSITIONS for _, disposition in statements(world) - before)


DISPOSITIONS = ("APPLIED", "DUPLICATE", "SUPERSEDED", "WAITING")


def statements(world: World) -> Counter[tuple[str, str]]:
    """Return what was said to the hub, with what became of it."""
    with world.transaction() as session:
        rows = rows_of(session, MASTER_STATEMENT.select().where(MASTER_STATEMENT.c.how != "we_told"))
    keys = Counter((row["system"], row["message_id"], row["place"], row["object_id"]) for row in rows)
    assert set(keys.values()) <= {1}, "a statement has two dispositions"
    return Counter((row["message_id"], row["disposition"]) for row in rows)


def assert_invariants(world: World, seen: set[str]) -> set[str]:
    """Assert I1 and I8, and that the log is in order; return the work that is open."""
    stays = [one for found in world.hung(*POINTS).values() for one in found]
    for one, other in combinations(stays, 2):
        if one.usage_point == other.usage_point or one.meter == other.meter:
            apart = one.active.end <= other.active.start or other.active.end <= one.active.start
            assert apart or one.active.start == one.active.end, (one, other)
    with world.transaction() as session:
        work = {row["work_id"] for row in rows_of(session, WORK_ITEM.select())}
        lines = [line["sequence"] for line in master_changes.after(session, 0, limit=10_000)]
    assert seen <= work, "work vanished"
    assert lines == sorted(set(lines))
    return work


def all_held(world: World) -> dict[str, list[Holding]]:
    """Return everything that the hub holds, versions that say the same as the one before drawn together."""
    with world.transaction() as session:
        return {kind: drawn_together(held_by_hub(session, kind)) for kind in FIELDS}


def drawn_together(versions: Any) -> list[Holding]:
    """Return versions without those at which nothing changes."""
    found: list[Holding] = []
    for one in versions:
        last = found[-1] if found else None
        if last and (last.object_id, last.valid_to, last.facts) == (one.object_id, one.valid_from, one.facts):
            found[-1] = replace(last, valid_to=one.valid_to)
        else:
            found.append(one)
    return found


def assert_told(desk: Desk, found: dict[str, list[Holding]], world: World) -> None:
    """Assert that whoever keeps what the files of changes say holds what the hub holds of whatever changed."""
    book: dict[tuple[str, str], list[Holding]] = {}
    for _, _, items in desk.files:
        for key in {(one.kind, one.object_id) for one in items}:
            book[key] = [one for one in items if (one.kind, one.object_id) == key and isinstance(one, Holding)]
    with world.transaction() as session:
        lines = master_changes.after(session, 0, limit=10_000)
    changed = {(line["kind"], line["object_id"]) for line in lines if line["kind"] != "load"}
    assert changed == set(book)
    for (kind, object_id), versions in book.items():
        assert drawn_together(versions) == [one for one in found[kind] if one.object_id == object_id]


@settings(max_examples=1, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_every_interleaving_with_a_load_ends_alike(seed: int, sqlite_databases: Callable[[], str]) -> None:
    chance = random.Random(seed)  # noqa: S311
    story = story_of(chance)

    straight = played(story.sayings, sqlite_databases)

    assert played(shuffled(story, chance), sqlite_databases, chance=chance) == straight
    assert straight["installation"][0].object_id == f"U1/{ACME['1']}"


@pytest.mark.slow
@pytest.mark.timeout(900)
@settings(max_examples=18, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32))
def test_many_interleavings_with_a_load_end_alike(seed: int, sqlite_databases: Callable[[], str]) -> None:
    chance = random.Random(seed)  # noqa: S311
    story = story_of(chance)

    straight = played(story.sayings, sqlite_databases)

    assert played(shuffled(story, chance), sqlite_databases, chance=chance) == straight
