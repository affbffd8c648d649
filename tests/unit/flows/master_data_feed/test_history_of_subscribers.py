"""What subscribers were told shows in histories: by file of changes, by whole file, and what they refused of one."""

from dataclasses import replace
from datetime import timedelta

import pytest
from feed_by_hand import Desk
from file_changes_by_hand import ACME, give, held, hung, meter_held, point_held
from master_data_sync_by_hand import NOW, World, day

from canonical.billing import ItemVerdict
from flows.history import Answer, Question, answers, history
from flows.master_data_feed import Subscriber
from flows.routing.routes import Routes
from store.session import Transaction

GIS_FILE = Subscriber("gis files", "gis", mode="batch", interval=timedelta(minutes=15))
LATER = NOW + timedelta(minutes=20)


@pytest.fixture
def world(transaction: Transaction) -> World:
    """Return a hub that knows nothing yet and passes nothing on."""
    return World(transaction, routes=Routes())


def asked(this: Desk, word: str, at: float) -> dict[tuple[str, str], Answer]:
    """Return what the GIS believed of an instant, as known long after."""
    found = history(
        word, transaction=this.world.transaction, now=LATER, systems=("cis_north", "gis"), subscribers=this.subscribers
    )
    known = LATER + timedelta(days=9)
    return {(one.kind, one.object_id): one for one in answers(found, Question(day(at), known)) if one.system == "gis"}


def test_a_file_of_changes_tells_all_versions_and_a_refused_object_is_no_belief(world: World) -> None:
    this = Desk(world, [GIS_FILE])
    this.feed()
    give(world, 1, [point_held(since=0, until=20), held("usage_point", "U1", 20, route="R2")])
    give(world, 2, [meter_held("1"), hung("1", "U1", 1)])
    this.feed(LATER)
    refused = ItemVerdict("INS U1/ACME/1", "REJECTED", "3010 ALREADY_LINKED", "no", 5)

    this.answer("gis", "MX_gis_CHANGES_1.dat", "ACCEPTED_WITH_ERRORS", refused, now=LATER)
    early, late = asked(this, "U1", 10), asked(this, "U1", 30)

    assert (early["usage_point", "U1"].status, "route" in early["usage_point", "U1"].facts) == ("holds", False)
    assert late["usage_point", "U1"].facts["route"].text == "R2"
    hangs = late["installation", f"U1/{ACME['1']}"]
    assert (hangs.status, [(one.state, one.code) for one in hangs.pending]) == (
        "unknown",
        [("REJECTED", "3010 ALREADY_LINKED")],
    )


def test_a_whole_file_told_all_that_the_hub_held_when_it_was_written(world: World) -> None:
    give(world, 1, [point_held("U1"), meter_held("1")])
    this = Desk(world, [replace(GIS_FILE, begins_full=True)])
    this.feed()
    give(world, 2, [held("usage_point", "U1", 20, route="R2")], now=NOW + timedelta(minutes=1))

    before = asked(this, "U1", 30)["usage_point", "U1"]
    this.answer("gis", "MX_gis_FULL_1.dat", "ACCEPTED", now=NOW + timedelta(minutes=2))
    after = asked(this, "U1", 30)["usage_point", "U1"]

    assert (before.status, [one.state for one in before.pending]) == ("unknown", ["pending"])
    assert (after.status, after.facts["name"].text, "route" in after.facts) == ("holds", "NMI-U1", False)
