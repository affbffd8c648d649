"""Five seeded differences of each class are found, named with their cause, and those allowed are repaired (T32)."""

from collections import Counter

import pytest
from comparing_systems import Site, System, point, supply

from flows.reconciliation import person
from flows.reconciliation.person import Wanted
from flows.reconciliation.policy import Allowed
from store.master_changes import Provenance
from store.session import Transaction

OWNERS = {"usage_point": "cis", "topology": "gis"}
ALLOWED = (
    Allowed(frozenset({"FIELD_DIFF"}), systems=frozenset({"mdms"})),
    Allowed(frozenset({"MISSING_IN_X", "EFFECTIVE_DATE_DIFF"}), frozenset({"topology"})),
)


pytestmark = pytest.mark.slow


@pytest.fixture
def site(transaction: Transaction) -> Site:
    """A site of sixty usage points that agrees."""
    site = Site(transaction, {name: System(name) for name in ("cis", "mdms", "oms")}, OWNERS, ALLOWED)
    names = [f"U{number:02d}" for number in range(60)]
    site.load(*(point(name) for name in names), *(supply(name) for name in names))
    assert site.compares().found == 0
    site.passes(1)
    return site


def some(first: int) -> list[str]:
    """Return five usage points."""
    return [f"U{number:02d}" for number in range(first, first + 5)]


def seed(site: Site) -> None:
    """Let systems lose, change by hand and delay, five times each."""
    cis, mdms, oms = (site.systems[name] for name in ("cis", "mdms", "oms"))
    for name in some(0):  # told and confirmed, and lost
        mdms.loses.add(("usage_point", name))
        told = (point(name, 0, 59), point(name, 59, route="R2"))
        cis.holds(*told)
        site.believes(*told, by=Provenance("cis", f"m-{name}", site.now))
    site.feeds()
    for name in some(5):
        del oms.book[("topology", name)]
    for name in some(10):
        oms.holds(supply(f"ghost-{name}"))
    for name in some(15):
        oms.holds(supply(name, 7))
    for name in some(20):
        mdms.holds(point(name, district="D9"))
        oms.holds(point(name, name="OLD"))
    site.passes(1)
    for system in (mdms, oms):
        system.is_slow = True
    for name in some(30):
        told = (point(name, 0, 60), point(name, 60, route="R3"))
        cis.holds(*told)
        site.believes(*told, by=Provenance("cis", f"m-{name}", site.now))
    site.feeds()
    site.passes(1)


def test_five_of_each_class_are_found_with_their_cause_and_those_allowed_are_repaired(site: Site) -> None:
    seed(site)

    site.compares()
    person.waive(
        Wanted(system="oms", field="name"), by="dana", reason="migrated next month", transaction=site.transaction,
        now=site.now,
    )  # fmt: skip
    site.compares()

    assert Counter((row["system"], row["klass"], row["cause"]) for row in site.named()) == {
        ("mdms", "FIELD_DIFF", "lost"): 5,
        ("mdms", "FIELD_DIFF", "out_of_band"): 5,
        ("mdms", "LATE", "late"): 5,
        ("oms", "MISSING_IN_X", "out_of_band"): 5,
        ("oms", "EXTRA_IN_X", "out_of_band"): 5,
        ("oms", "EFFECTIVE_DATE_DIFF", "out_of_band"): 5,
        ("oms", "KNOWN_WAIVED", "out_of_band"): 5,
        ("oms", "LATE", "late"): 5,
    }

    for system in site.systems.values():
        system.is_slow = False
        system.loses.clear()
        system.told.clear()
    done = site.repairs()
    site.passes(1)
    site.feeds()
    site.passes(1)
    site.compares()

    assert Counter((one.difference["system"], one.difference["klass"]) for one in done) == {
        ("mdms", "FIELD_DIFF"): 10,
        ("oms", "MISSING_IN_X"): 5,
        ("oms", "EFFECTIVE_DATE_DIFF"): 5,
    }
    repaired = [row for row in site.named("closed") if row["disposition"] == "repaired"]
    assert len(repaired) == 20
    assert {row["by"] for row in repaired} == {"hub"}
    assert {thing[0] for thing in site.systems["cis"].told} == set()
    left = Counter((row["system"], row["klass"]) for row in site.named() if row["cause"] != "late")
    assert left == {("oms", "EXTRA_IN_X"): 5, ("oms", "KNOWN_WAIVED"): 5}


def test_a_repair_that_does_not_hold_opens_the_difference_again(site: Site) -> None:
    mdms = site.systems["mdms"]
    mdms.holds(point("U01", route="R9"))
    site.compares()
    mdms.loses.add(("usage_point", "U01"))

    site.repairs()
    (sent,) = site.named()
    site.passes(1)
    site.feeds()
    site.passes(1)
    site.compares()

    (row,) = site.named()
    assert (sent["state"], sent["repair"]) == ("repairing", "feed mdms_feed")
    assert mdms.told == [("usage_point", "U01")]
    assert (row["state"], row["disposition"], row["seen"]) == ("open", "", 2)


def test_what_the_hub_has_wrong_is_taken_again_from_the_system_of_record(site: Site) -> None:
    site.systems["cis"].holds(point("U01", route="R9"))
    site.compares()
    rows = site.named()
    site.allowed = (Allowed(systems=frozenset({"hub"})),)
    site.passes(1)

    (done,) = site.repairs()
    site.passes(1)
    site.feeds()
    site.compares()

    assert [(row["system"], row["owner"], row["expected"]) for row in rows] == [("hub", "cis", "R9")]
    assert done.way == ("record", "cis")
    assert {row["disposition"] for row in site.named("closed")} == {"repaired"}
    assert site.systems["mdms"].book[("usage_point", "U01")][-1].facts["route"] == "R9"
