"""A history as a page that needs nothing else, as JSON of a stable schema, and as text; values escaped."""

import json
import re
import time
from datetime import datetime, timedelta
from typing import Any

import pytest
from belief_world import BeliefWorld, T, day, link, meter, point
from lxml import etree

from flows.history import HUB, History, Question, Statement, without_personal
from flows.history.replay import beliefs_of
from services.history_json import SCHEMA, history_json
from services.history_page import history_page
from services.history_text import history_lines
from store.session import Transaction

pytestmark = pytest.mark.slow

NOW = T + timedelta(days=4000)
NASTY = "<script>alert('x')</script> & \"]]>"


def made(*statements: Statement, systems: tuple[str, ...] = (HUB, "cis", "mdms")) -> History:
    """Return the history of statements about one meter."""
    return History("U1", f"N {NASTY}", systems, (("meter", "M1"),), statements, beliefs_of(statements))


def said(number: int, system: str, value: str, *, known: float, start: float = 0, **more: Any) -> Statement:
    """Return that a system says a status."""
    given = {"how": "told_us", "source": system, "message_id": f"m-{number}", "begins": True}
    return Statement(
        number, system, "meter", "M1", "states", day(known), day(known), day(start), facts={"status": value},
        **{**given, **more},
    )  # fmt: skip


def elements(page: str) -> etree._Element:
    """Return the page as elements: it is well-formed XML too."""
    return etree.fromstring(page.encode(), etree.XMLParser(resolve_entities=False, no_network=True))


def boxes(page: str, kind: str) -> list[etree._Element]:
    """Return the spans of a class."""
    return [one for one in elements(page).iter("svg") if kind in (one.get("class") or "").split()]


def test_the_page_is_well_formed_and_every_value_is_escaped() -> None:
    told = said(1, "cis", NASTY, known=1, source=NASTY, message_id=NASTY, code=NASTY, state=NASTY)

    page = history_page(made(told), None, now=NOW)

    root = elements(page)
    assert NASTY.replace('"', "") in "".join(map(str, root.itertext())).replace('"', "")
    assert [one.get("type") for one in root.iter("script")] == ["application/json", None]


def test_the_page_needs_no_network() -> None:
    page = history_page(made(said(1, "cis", "a", known=1)), None, now=NOW)

    references = {value for one in elements(page).iter() for value in (one.get("href"), one.get("src")) if value}
    assert all(one.startswith("#") for one in references)
    assert not re.search(r"https?://|@import|url\(", page)


def test_the_page_shows_what_is_believed_at_the_known_time_asked_for() -> None:
    history = made(said(1, "cis", "old", known=1), said(2, "cis", "new", known=5))

    then, now = (history_page(history, Question(day(3), day(known)), now=NOW) for known in (2, 6))

    for page, visible in ((then, "old"), (now, "new")):
        shown = [one for one in boxes(page, "b") if "past" not in one.get("class", "") and one.find("text") is not None]
        assert visible in {one.findtext("text") for one in shown}
    assert len(boxes(then, "past")) == len(boxes(now, "past")) == 1


def test_disputed_spans_are_marked_only_while_the_dispute_lasts() -> None:
    history = made(said(1, "cis", "a", known=1), said(2, "mdms", "b", known=2), said(3, "cis", "b", known=5))

    during, after = (history_page(history, Question(day(3), day(known)), now=NOW) for known in (3, 6))

    assert len(boxes(during, "fight")) == 2
    assert boxes(after, "fight") == []
    assert {one.get("data-x") for one in boxes(after, "b")} >= {"1-2"}


def test_equal_values_have_equal_colors_whoever_holds_them() -> None:
    history = made(said(1, "cis", "a", known=1), said(2, "mdms", "a", known=2), said(3, "mdms", "b", known=3, start=9))

    page = history_page(history, None, now=NOW)

    color = {
        (one.findtext("title") or "").partition(" valid")[0].splitlines()[0]: one.get("class", "").split()[1]
        for one in boxes(page, "b")
        if "absent" not in one.get("class", "")
    }
    assert color["cis: status a"] == color["mdms: status a"] != color["mdms: status b"]


def test_every_span_leads_to_the_statement_that_brought_it() -> None:
    page = history_page(made(said(1, "cis", "a", known=1), said(2, "mdms", "b", known=2)), None, now=NOW)

    root = elements(page)
    anchors = {one.get("id") for one in root.iter("tr")}
    assert {one.get("href", "")[1:] for one in root.iter("a")} <= anchors


def test_a_thousand_spans_are_drawn_in_a_moment() -> None:
    statements = [
        said(n, ("cis", "mdms", HUB)[n % 3], f"S{n % 17}", known=n, start=3 * n + n % 5) for n in range(1, 1001)
    ]

    began = time.perf_counter()
    page = history_page(made(*statements), None, now=NOW)
    took = time.perf_counter() - began

    assert len(boxes(page, "b")) >= 1000
    assert took < 10  # a fraction of a second on a quiet machine


def test_unknown_systems_are_named_as_unknown_in_text_and_page(transaction: Transaction) -> None:
    world = BeliefWorld(transaction)
    world.tell("cis", "create", point(), heard=day(1))
    history = world.history()

    text = "\n".join(history_lines(history, Question(day(2), day(2))))
    page = history_page(history, None, now=NOW)

    assert "unknown        wams, hes" in text
    assert "unknown, because never told and never heard: wams, hes" in text
    assert "unknown: mdms, wams, hes" in page


def test_text_tells_who_told_it_by_which_message_and_what_is_in_dispute(transaction: Transaction) -> None:
    world = BeliefWorld(transaction)
    for thing in (point(), meter("1"), link("1")):
        world.tell("cis", "create", thing, heard=day(1))
    world.answer("mdms", at=day(2))
    gone = world.tell("wams", "close", link("1"), at=day(3), heard=day(4))

    line = "\n".join(history_lines(world.history(), None))
    asked = "\n".join(history_lines(world.history(), Question(day(5), day(4.5))))

    assert f"told by wams, message {gone}" in line
    assert "valid 2026-01-04 .. open   known 2026-01-05 .. now" in line
    assert "DISPUTED: whether it is there" in asked
    assert re.search(r"mdms +holds! .*\n.*we told it for message cis-3, delivery \S+ confirmed", asked)
    assert re.search(r"not confirmed by then: #\d+ ended at 2026-01-04; we told it", asked)


def test_json_has_the_documented_shape(transaction: Transaction) -> None:
    world = BeliefWorld(transaction)
    world.tell("cis", "create", point(), heard=day(1))
    world.answer("mdms", at=day(2))

    asked = json.loads(history_json(without_personal(world.history()), Question(day(3), day(3)), personal=False))
    whole = json.loads(history_json(world.history(), None, personal=True))

    assert (asked["schema"], asked["personal"], whole["answers"], whole["asked"]) == (SCHEMA, False, None, None)
    assert set(asked) == {
        "schema", "usage_point", "name", "personal", "asked", "systems", "things", "answers", "beliefs",
        "statements", "coverage",
    }  # fmt: skip
    mdms = next(one for one in asked["answers"] if one["system"] == "mdms")
    assert (mdms["status"], mdms["facts"]["name"]["value"]) == ("holds", "NMI-U1")
    brought = asked["statements"][mdms["facts"]["name"]["statement"] - 1]
    assert (brought["how"], brought["state"], brought["known_at"]) == ("we_told", "confirmed", "2026-01-03T00:00:00Z")
    assert [one["number"] for one in asked["statements"]] == list(range(1, len(asked["statements"]) + 1))


@pytest.mark.parametrize("known", [day(-1), day(1)])
def test_a_history_of_nothing_has_a_page_all_the_same(known: datetime) -> None:
    history = History("U1", "", (HUB,), (), (), ())

    page = history_page(history, Question(known, known), now=NOW)

    assert "Nobody knew anything of it by then." in page
    elements(page)
