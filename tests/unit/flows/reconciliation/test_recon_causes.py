"""Each difference has a cause that the books show: late, lost, refused or wrongly translated, changed out of band."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from recon_by_hand import METERS, NOW, OWNERS, World, agreement, meter, point, supply

from canonical.messages import Header, Message, Outcome, Parcel
from flows.delivery import relay_once
from flows.reconciliation.policy import Policy
from store import deliveries, master_changes, master_statements, master_subscribers
from store.master_changes import Provenance
from store.session import Transaction

pytestmark = pytest.mark.slow

EARLIER = NOW - timedelta(days=1)
FED = Policy(owners=OWNERS, feeds={"mdms": ("mdms_feed",)}, feed_kinds={"mdms_feed": frozenset({"usage_point"})})


@pytest.fixture
def world(transaction: Transaction) -> World:
    """A hub that is told of another route of a usage point by the CIS."""
    world = World(transaction)
    world.believes(point("U1"), point("U2"), at=NOW - timedelta(days=9), by=Provenance(is_load=True))
    return world


def rerouted(world: World, *, at: datetime = EARLIER) -> None:
    """Let the CIS move a usage point to route R2."""
    world.believes(point("U1", route="R2"), at=at, by=Provenance("cis", "m1", at))


@dataclass(frozen=True, slots=True)
class Answering:
    """An MDMS that answers every parcel alike."""

    outcome: Outcome

    def encode(self, message: Message[Any], *, spool: Path) -> Parcel:
        """Say nothing: what is carried was made by hand."""
        raise NotImplementedError

    def carry(self, parcels: Sequence[Parcel], *, spool: Path, timeout_s: float) -> Sequence[Outcome]:
        """Answer."""
        return [self.outcome for _ in parcels]


def told(world: World, outcome: Outcome | None, *, at: datetime = EARLIER) -> None:
    """Let the hub tell the MDMS of route R2 by a message, with what came of it."""
    parcel = Parcel("x", "text/xml", "0" * 64, 1, b"x", key="t1")
    header = Header("t1", "hub", "change", "UsagePointConfig")
    with world.transaction() as session:
        delivery = deliveries.enqueue(session, header=header, parcel=parcel, destination="mdms", now=at)
        row = {
            "how": "we_told", "system": "mdms", "message_id": "t1", "delivery_id": delivery, "place": 0,
            "kind": "usage_point", "object_id": "U1", "usage_point": "U1", "verb": "change", "valid_from": at,
            "valid_to": None, "facts": {"route": "R2"}, "said_at": at, "noted_at": at,
        }  # fmt: skip
        master_statements.note(session, [row])
    if outcome is not None:
        relay_once({"mdms": Answering(outcome)}, transaction=world.transaction, spool=Path(), now=at, machine_now=at)


def fed(world: World, state: str, *, answered: datetime | None = EARLIER, code: str = "") -> None:
    """Let the MDMS have been told of the usage point by its feed."""
    row = {
        "subscriber": "mdms_feed", "kind": "usage_point", "object_id": "U1", "called": "U1", "state": state,
        "sequence": 1, "telling": "f1", "times": 1, "told_at": EARLIER, "answered_at": answered, "code": code,
        "reason": "", "is_known": True,
    }  # fmt: skip
    with world.transaction() as session:
        master_subscribers.note(session, [row])


def only(world: World, **drop: Any) -> Mapping[str, Any]:
    """Let the MDMS drop what it holds of the route, compare, and return the one difference."""
    route = drop.pop("route", "R1")
    world.drops("mdms", [point("U1", route=route), point("U2")], **drop)
    world.runs()
    (row,) = world.rows()
    return row


def test_what_the_hub_never_told_is_lost(world: World) -> None:
    rerouted(world)

    row = only(world)

    assert (row["klass"], row["cause"], row["evidence"]["messages"]) == ("FIELD_DIFF", "lost", ["m1"])
    assert "never told mdms" in row["why"]


def test_what_the_hub_learned_after_the_extract_is_late(world: World) -> None:
    rerouted(world, at=NOW - timedelta(minutes=10))

    row = only(world, at=NOW - timedelta(hours=1))

    assert (row["klass"], row["cause"]) == ("LATE", "late")


def test_what_was_told_long_ago_and_is_still_under_way_is_a_difference_for_being_late(world: World) -> None:
    world.policy = FED
    rerouted(world)
    fed(world, "awaiting", answered=None)

    row = only(world)

    assert (row["klass"], row["cause"]) == ("FIELD_DIFF", "late")


def test_what_is_on_its_way_for_less_than_the_site_allows_is_late_only(world: World) -> None:
    world.policy = Policy(owners=OWNERS, feeds=FED.feeds, feed_kinds=FED.feed_kinds, in_transit=timedelta(hours=25))
    rerouted(world)
    fed(world, "awaiting", answered=None)

    row = only(world)

    assert (row["klass"], row["cause"], row["evidence"]["messages"]) == ("LATE", "late", ["f1"])


def test_what_was_told_and_confirmed_and_is_held_as_before_is_lost(world: World) -> None:
    world.policy = FED
    rerouted(world)
    fed(world, "synchronized")

    row = only(world)

    assert (row["klass"], row["cause"]) == ("FIELD_DIFF", "lost")
    assert row["why"] == "it was told and confirmed, and is not held"


def test_what_the_system_refused_is_mapping_with_its_code(world: World) -> None:
    world.policy = FED
    rerouted(world)
    fed(world, "error", code="C102")

    row = only(world)

    assert (row["cause"], row["why"]) == ("mapping", "mdms refused it: C102")


def test_a_value_that_nobody_ever_told_is_out_of_band_though_the_right_one_was_confirmed(world: World) -> None:
    world.policy = FED
    rerouted(world)
    fed(world, "synchronized")

    row = only(world, route="R77")

    assert (row["cause"], row["why"]) == ("out_of_band", "nobody ever told the value that it holds")


def test_what_a_system_held_right_in_an_earlier_extract_was_changed_out_of_band(world: World) -> None:
    world.policy = FED
    rerouted(world)
    fed(world, "synchronized")
    world.drops("mdms", [point("U1", route="R2"), point("U2")], at=NOW - timedelta(hours=2))
    world.runs()

    row = only(world)

    assert (row["cause"], row["why"]) == ("out_of_band", "the system held the right state before")


def test_where_no_message_ever_told_anything_it_was_changed_out_of_band(world: World) -> None:
    row = only(world, route="R77")

    assert (row["klass"], row["cause"], row["why"]) == ("FIELD_DIFF", "out_of_band", "no message ever told it")


@pytest.mark.parametrize(
    ("outcome", "cause"),
    [
        (Outcome("rejected", "C1", "bad route"), "mapping"),
        (Outcome("confirmed"), "lost"),
        (None, "late"),
    ],
)
def test_the_delivery_of_a_message_shows_the_cause(world: World, outcome: Outcome | None, cause: str) -> None:
    rerouted(world)
    told(world, outcome)

    row = only(world)

    assert row["cause"] == cause
    assert row["evidence"]["messages"] == ["t1"]


def test_where_the_system_of_record_changed_without_a_word_the_hub_differs_out_of_band(world: World) -> None:
    world.drops("cis", [point("U1", route="R5"), point("U2")])

    world.runs()

    (row,) = world.rows()
    assert (row["system"], row["cause"], row["why"]) == ("hub", "out_of_band", "cis never told the hub")


def test_what_the_hub_refused_of_the_system_of_record_is_mapping(world: World) -> None:
    row = {
        "how": "told_us", "system": "cis", "message_id": "m9", "delivery_id": "", "place": 0, "kind": "usage_point",
        "object_id": "U1", "usage_point": "U1", "verb": "change", "valid_from": EARLIER, "valid_to": None,
        "facts": {"route": "R5"}, "said_at": EARLIER, "noted_at": EARLIER, "disposition": "REJECTED",
        "code": "3014 NOT_VALID_THEN", "reason": "no",
    }  # fmt: skip
    with world.transaction() as session:
        master_statements.note(session, [row])
    world.drops("cis", [point("U1", route="R5"), point("U2")])

    world.runs()

    (found,) = world.rows()
    assert (found["system"], found["cause"], found["evidence"]["messages"]) == ("hub", "mapping", ["m9"])


def test_one_value_that_is_always_held_as_another_is_a_wrong_translation(world: World) -> None:
    numbers = range(10, 16)
    world.believes(*(meter(n, model="E220") for n in numbers), meter(20, model="E350"), by=Provenance(is_load=True))

    world.drops("hes", [*(meter(n, model="E-2") for n in numbers), meter(20, model="E350")])
    world.runs()
    first = {row["cause"] for row in world.rows()}
    world.runs(now=NOW + timedelta(minutes=1))

    assert first == {"mapping"}
    assert {row["cause"] for row in world.rows()} == {"mapping"}


def test_the_same_slip_in_some_objects_of_a_value_is_no_translation(world: World) -> None:
    numbers = range(10, 16)
    world.believes(*(meter(n, model="E220") for n in (*numbers, 20)), by=Provenance(is_load=True))

    world.drops("hes", [*(meter(n, model="E-2") for n in numbers), meter(20, model="E220")])
    world.runs()

    assert {row["cause"] for row in world.rows()} == {"out_of_band"}


def test_a_thing_that_came_with_the_load_and_is_gone_elsewhere_was_dropped_out_of_band(world: World) -> None:
    world.believes(supply("U1"), supply("U2"), by=Provenance(is_load=True))

    world.drops("oms", [supply("U1")])
    world.runs()

    (row,) = world.rows()
    assert (row["klass"], row["cause"], row["object_id"]) == ("MISSING_IN_X", "out_of_band", "U2")


def test_the_cause_of_a_thing_that_is_missing_follows_from_who_was_told(world: World) -> None:
    world.believes(meter(1), at=EARLIER, by=Provenance("wams", "m2", EARLIER))
    world.believes(agreement("G1", "U1"), at=EARLIER, by=Provenance("cis", "m3", EARLIER))

    world.drops("mdms", [meter(2)])
    world.runs()

    causes = {(row["klass"], row["object_id"]): row["cause"] for row in world.rows() if row["system"] == "mdms"}
    assert causes == {("MISSING_IN_X", METERS[1]): "lost", ("EXTRA_IN_X", METERS[2]): "out_of_band"}


def test_what_a_feed_has_not_read_yet_is_late_and_not_lost(world: World) -> None:
    world.policy = FED
    with world.transaction() as session:
        master_subscribers.begin(session, "mdms_feed", position=master_changes.last(session), full=False, now=EARLIER)
    rerouted(world)

    row = only(world)

    assert (row["cause"], row["why"]) == ("late", "its feed has not come so far")


def test_a_system_that_told_the_hub_one_thing_and_holds_another_was_changed_out_of_band(world: World) -> None:
    world.believes(point("U1", route="R2"), at=EARLIER, by=Provenance("mdms", "m7", EARLIER))

    row = only(world)

    assert (row["cause"], row["why"]) == ("out_of_band", "it said otherwise itself, and holds this now")
