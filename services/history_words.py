"""Words for histories of belief: instants, values, and how somebody came to believe something."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from canonical.holdings import FIELDS
from flows.history import HUB, Answer, Belief, Fact, History, Statement

LONGEST = 60
"""Characters of a value that are shown where there is little room."""

_PLACES = {name: place for place, name in enumerate(dict.fromkeys(name for kind in FIELDS.values() for name in kind))}

ACTS = {
    "states": "says",
    "ends": "ended",
    "never": "never was",
    "holds": "all of it:",
    "keeps": "version begins",
    "drops": "version replaced",
}
"""What a statement does, in a word or two."""


def instant(at: datetime | None, *, none: str = "") -> str:
    """Return an instant in UTC, to the second; of midnight the date alone."""
    if at is None:
        return none
    utc = at.astimezone(UTC)
    return f"{utc:%Y-%m-%d}" if (utc.hour, utc.minute, utc.second) == (0, 0, 0) else f"{utc:%Y-%m-%dT%H:%M:%SZ}"


def span(start: datetime | None, end: datetime | None, *, open_end: str) -> str:
    """Return a span with its end excluded, whose open start is `ever` and whose open end is as given."""
    return f"{instant(start, none='ever')} .. {instant(end, none=open_end)}"


def value(name: str, text: str) -> str:
    """Return a value as it is shown where there is little room: registers by their names, long texts cut."""
    if name == "registers" and text.startswith("["):
        return " ".join(str(one[0]) for one in json.loads(text))
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def values(facts: Mapping[str, str] | Mapping[str, Fact], *, disputed: Iterable[str] = ()) -> str:
    """Return fields with their values on one line, those in dispute first and marked."""
    marked = set(disputed)
    texts = {name: fact.text if isinstance(fact, Fact) else fact for name, fact in facts.items()}
    ordered = sorted(texts, key=lambda name: (name not in marked, _PLACES.get(name, len(_PLACES))))
    return ", ".join(
        f"{name}{'!' if name in marked else ''} {value(name, texts[name]) or '(empty)'}" for name in ordered
    )


def said(one: Statement) -> str:
    """Return who said something, by what, and how it went."""
    if one.how == "we_told":
        sent = f", sent {instant(one.said_at)}" if one.said_at else ""
        confirmed = f", confirmed {instant(one.known_at)}" if one.known_at else ""
        cause = f" for message {one.message_id}" if one.message_id else ""
        why = f" {one.code}" if one.code else ""
        return f"we told it{cause}, delivery {one.delivery_id} {one.state}{sent}{confirmed}{why}"
    if one.how == "snapshot":
        return f"its own extract of {instant(one.known_at)}" + (f", file {one.message_id}" if one.message_id else "")
    if one.how == "recorded":
        return "recorded; nobody noted who said so"
    what = "file" if one.how == "file" else "message"
    fate = f", {one.state}" if one.state not in ("", "APPLIED") else ""
    return f"told by {one.source}, {what} {one.message_id or '?'}{fate}" + (f" {one.code}" if one.code else "")


def sources(history: History, answer: Answer) -> list[str]:
    """Return what an answer follows from, a line for each statement; with the fields where there are several."""
    by: dict[int, list[str]] = {}
    for name, fact in answer.facts.items():
        by.setdefault(fact.by, []).append(name)
    if not by:
        by = {one.by: [] for one in answer.beliefs}
    alone = len(by) == 1
    return [
        (f"#{number} " if alone or not names else f"#{number} {', '.join(names)}: ") + said(history.statement(number))
        for number, names in sorted(by.items())
    ]


def stated(one: Statement) -> str:
    """Return what a statement says."""
    if one.act != "holds":
        return f"{ACTS[one.act]} {values(one.facts)}".rstrip()
    if not one.extract:
        return "not there any more"
    versions = (f"{span(v.valid_from, v.valid_to, open_end='open')}: {values(v.facts)}" for v in one.extract)
    return f"{ACTS[one.act]} {'; '.join(versions)}"


def what(one: Statement) -> str:
    """Return what a statement says, and from when on."""
    if one.valid_from is None:
        return stated(one)
    return f"{stated(one)} {'at' if one.act == 'ends' else 'from'} {instant(one.valid_from)}"


def pending(one: Statement) -> str:
    """Return what somebody was told and had not confirmed."""
    return f"not confirmed by then: #{one.number} {what(one)}; {said(one)}"


def told_by(history: History, one: Belief) -> str:
    """Return what brought a belief."""
    return f"#{one.by} {said(history.statement(one.by))}"


def subject(history: History) -> str:
    """Return what a history is about, in one line."""
    name = f" ({history.name})" if history.name else ""
    return f"usage point {history.usage_point}{name}"


def unheard(history: History) -> list[str]:
    """Return the systems of which nothing is known at all."""
    heard = {one.system for one in history.statements} | {one.system for one in history.coverage}
    return [system for system in history.systems if system not in heard and system != HUB]
