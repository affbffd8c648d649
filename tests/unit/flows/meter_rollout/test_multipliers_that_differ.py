"""EX06: a multiplier that is not the configured one stops an exchange, unless the site said what counts."""

from dataclasses import replace
from decimal import Decimal

import pytest
from completion_world import NOW, POLICY, World, done, new
from completion_world import T as AT

from store import master_statements, reference
from store.session import Transaction


@pytest.fixture
def world(transaction: Transaction) -> World:
    return World(transaction)


def test_ex06_the_plates_say_another_multiplier(world: World) -> None:
    world.meter("ACME", "N1", multiplier="40")

    world.take(done(multiplier_seen=Decimal(1)))

    assert world.code() == "8006"


def test_ex06_the_cis_would_bill_by_another_multiplier(world: World) -> None:
    _told(world, "cis", "40")

    world.take(done())

    assert (world.code(), "cis says 40; 1 is configured" in world.result()["reason"]) == ("8006", True)
    assert world.work() == {("8006", "U1")}


@pytest.mark.parametrize(("policy", "kept"), [("IGNORE", "1"), ("APPLY", "40")])
def test_ex06_a_site_may_keep_or_overwrite_the_multiplier_and_a_person_knows(
    transaction: Transaction, policy: str, kept: str
) -> None:
    world = World(transaction, policy=replace(POLICY, multiplier_policy=policy))  # type: ignore[arg-type]

    world.take(done(multiplier_seen=Decimal(40)))

    assert (_hung_with(world), world.work()) == ([(kept, AT)], {("8006", "U1")})


def test_ex06_is_never_ignored_where_the_cis_would_bill_by_another_one(transaction: Transaction) -> None:
    world = World(transaction, policy=replace(POLICY, multiplier_policy="IGNORE"))
    _told(world, "cis", "40")

    world.take(done(multiplier_seen=Decimal(40)))

    assert (world.result()["state"], _hung_with(world), world.work()) == ("HELD", [], {("8006", "U1")})


def test_ex06_what_the_cis_told_goes_before_what_was_seen(transaction: Transaction) -> None:
    policy = replace(POLICY, multiplier_policy="APPLY", sources={"cis": frozenset({"cis"})})
    world = World(transaction, policy=policy)
    _told(world, "cis", "40")

    world.take(done(multiplier_seen=Decimal(80)))

    assert (_hung_with(world), world.work()) == ([("40", AT)], {("8006", "U1")})


def _told(world: World, system: str, multiplier: str) -> None:
    row = {
        "how": "told_us", "system": system, "message_id": "m1", "place": 0, "kind": "meter", "object_id": new(1),
        "usage_point": "", "verb": "create", "valid_from": AT, "valid_to": None, "facts": {"multiplier": multiplier},
        "said_at": None, "noted_at": NOW, "disposition": "APPLIED", "code": "", "reason": "", "delivery_id": "",
    }  # fmt: skip
    with world.transaction() as session:
        master_statements.note(session, [row])


def _hung_with(world: World) -> list[tuple[str, object]]:
    with world.transaction() as session:
        rows = reference.current(session, reference.INSTALLATION, "meter", {new(1)})
    return [(row["multiplier"], row["installed_at"]) for row in rows]
