"""What each system believed at one known instant about one valid instant, thing by thing, and where they disagree."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from canonical.granularity import SECOND
from flows.history.disputes import THERE, Side, disputed
from flows.history.evidence import HUB, Belief, Fact, History, Statement

Status = Literal["holds", "holds_not", "unknown"]
"""holds: it believed that the thing was there. holds_not: that it was not. unknown: nobody can say: it was never told,
told nothing of that time, and no extract of its own says anything."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one system believed of one thing."""

    system: str
    kind: str
    object_id: str
    status: Status
    facts: Mapping[str, Fact]
    """Values by field, with the number of the statement that each comes from."""

    beliefs: tuple[Belief, ...]
    """What it follows from; none where nothing is known, or where an extract has no such thing."""

    pending: tuple[Statement, ...] = ()
    """What it had been told by then of that time and had not confirmed: nobody can say whether it believed that."""

    disputed: frozenset[str] = frozenset()
    """Fields of which another system held another value; `*` where another held that the thing was (not) there."""


@dataclass(frozen=True, slots=True)
class Question:
    """A valid instant and a known instant, both UTC."""

    at: datetime
    known_at: datetime


def answers(history: History, question: Question) -> tuple[Answer, ...]:
    """Return one answer for each system and thing, things in their order, the hub's answer first.

    A thing that nobody knew anything of by then is left out.
    """
    known: dict[tuple[str, str, str], list[Belief]] = {}
    for one in history.beliefs:
        if one.is_held(question.known_at):
            known.setdefault((one.system, one.kind, one.object_id), []).append(one)
    pending = _pending(history, question)
    found: list[Answer] = []
    for kind, object_id in history.things:
        own = [_answer(history, question, system, kind, object_id, known, pending) for system in history.systems]
        if any(one.beliefs or one.pending for one in own):
            found += _disputed(history, question, own, known)
    return tuple(found)


def _answer(
    history: History,
    question: Question,
    system: str,
    kind: str,
    object_id: str,
    known: Mapping[tuple[str, str, str], Sequence[Belief]],
    pending: Mapping[tuple[str, str, str], Sequence[Statement]],
) -> Answer:
    """Return what one system believed of one thing; of the parts of a thing, its own row says whether it is there."""
    key = (system, kind, object_id)
    there = [one for one in known.get(key, ()) if one.covers(question.at, question.known_at)]
    own = tuple(sorted(there, key=lambda one: one.part))
    waits = tuple(pending.get(key, ()))
    if own:
        whole = [one for one in own if not one.part] or [one for one in own if one.facts is not None]
        facts = {name: fact for one in own if one.facts is not None for name, fact in one.facts.items()}
        if whole and whole[0].facts is not None:
            return Answer(*key, "holds", facts, own, waits)
        return Answer(*key, "holds_not", {}, own, waits)
    covered = any(
        one.system == system and kind in one.kinds and one.known_at <= question.known_at for one in history.coverage
    )
    # The hub knows its own belief: what it has no row of, it did not hold.
    return Answer(*key, "holds_not" if system == HUB or covered else "unknown", {}, (), waits)


def _pending(history: History, question: Question) -> dict[tuple[str, str, str], list[Statement]]:
    """Return what systems had been told of that time by then, and had not confirmed, nor heard anew since."""
    told: dict[tuple[str, str, str], list[Statement]] = {}
    for one in history.statements:
        told.setdefault((one.system, one.kind, one.object_id), []).append(one)
    found = {}
    for key, own in told.items():
        waits = [one for one in own if _is_pending(one, question)]
        found[key] = [one for one in waits if not _is_settled(one, own, question)]
    return found


def _is_pending(one: Statement, question: Question) -> bool:
    """Return whether a system had been told something of that time by then, and had not confirmed it."""
    if one.how != "we_told" or one.noted_at > question.known_at or one.state == "cancelled":
        return False
    if one.known_at is not None and one.known_at <= question.known_at:
        return False
    starts = one.valid_from is None or one.valid_from <= question.at
    return starts and (one.valid_to is None or question.at < one.valid_to)


def _is_settled(one: Statement, own: Sequence[Statement], question: Question) -> bool:
    """Return whether a system said or confirmed later, by then, what makes an unconfirmed telling beside the point."""
    fields = set(one.facts)
    for other in own:
        if other.known_at is None or not one.noted_at < other.known_at <= question.known_at:
            continue
        if other.act != "states":
            return True
        fields -= set(other.facts)
    return bool(one.facts) and not fields


def _disputed(
    history: History,
    question: Question,
    own: Sequence[Answer],
    known: Mapping[tuple[str, str, str], Sequence[Belief]],
) -> list[Answer]:
    """Return the answers about one thing with the fields marked of which systems held different values."""
    sides = [
        Side(
            one.system,
            {THERE: one.status, **{name: fact.text for name, fact in one.facts.items()}},
            known.get((one.system, one.kind, one.object_id), ()),
            history.grains.get(one.system, SECOND),
        )
        for one in own
        if one.status != "unknown"
    ]
    marked = disputed(sides, question.at)
    return [replace(one, disputed=marked.get(one.system, frozenset())) for one in own]
