"""A history of belief as text for a terminal."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from flows.history import THERE, Answer, History, Question, Statement, answers
from services.history_words import instant, pending, said, sources, span, subject, told_by, unheard, values, what

SAYS = {"holds": "holds", "holds_not": "holds not", "unknown": "unknown"}


def history_lines(history: History, question: Question | None) -> Iterator[str]:
    """Yield the answer to a question, or the whole time line without one."""
    if question is None:
        yield from _time_line(history)
    else:
        yield from _answer_lines(history, question)
    silent = unheard(history)
    if silent:
        yield f"unknown, because never told and never heard: {', '.join(silent)}"


def _answer_lines(history: History, question: Question) -> Iterator[str]:
    """Yield what each system believed, thing by thing."""
    yield f"{subject(history)} at {instant(question.at)}, as known at {instant(question.known_at)} (UTC)"
    found = answers(history, question)
    for (kind, object_id), group in groupby(found, key=lambda one: (one.kind, one.object_id)):
        rows = list(group)
        disputed = sorted({name for one in rows for name in one.disputed})
        marks = [("whether it is there" if name == THERE else name) for name in disputed]
        yield ""
        yield f"{kind} {object_id}" + (f"   DISPUTED: {', '.join(marks)}" if marks else "")
        yield from _rows(history, rows)
    if not found:
        yield "nobody knew anything of it by then"
    yield ""


def _rows(history: History, rows: Sequence[Answer]) -> Iterator[str]:
    """Yield the answers of all systems about one thing; those that nobody knows on one line."""
    for one in rows:
        if one.status == "unknown" and not one.pending:
            continue
        mark = "!" if THERE in one.disputed else ""
        yield f"  {one.system:<14} {SAYS[one.status] + mark:<10} {values(one.facts, disputed=one.disputed)}".rstrip()
        yield from (f"  {'':<25} {line}" for line in sources(history, one))
        yield from (f"  {'':<25} {pending(each)}" for each in one.pending)
    silent = [one.system for one in rows if one.status == "unknown" and not one.pending]
    if silent:
        yield f"  {'unknown':<14} {', '.join(silent)}"


def _time_line(history: History) -> Iterator[str]:
    """Yield every belief of every system, thing by thing, and what led to none."""
    counts = f"{len(history.things)} things, {len(history.statements)} statements, {len(history.beliefs)} beliefs"
    yield f"{subject(history)}: {counts}; times in UTC, ends excluded"
    for kind, object_id in history.things:
        own = [one for one in history.beliefs if (one.kind, one.object_id) == (kind, object_id)]
        idle = [one for one in _without_belief(history) if (one.kind, one.object_id) == (kind, object_id)]
        if not own and not idle:
            continue
        yield ""
        yield f"{kind} {object_id}"
        for system in history.systems:
            mine = [one for one in own if one.system == system]
            led_nowhere = [one for one in idle if one.system == system]
            if mine or led_nowhere:
                yield f"  {system}"
            for one in mine:
                if one.valid_from is None and one.facts is None and len(mine) > 1:
                    continue  # that it was not there before it began
                known = span(one.known_from, one.known_to, open_end="now")
                yield f"    valid {span(one.valid_from, one.valid_to, open_end='open')}   known {known}"
                yield f"      {values(one.facts) if one.facts is not None else 'not there'}"
                yield f"      {told_by(history, one)}"
            yield from (f"    {_idle_line(one)}" for one in led_nowhere)
    yield ""


def _without_belief(history: History) -> Sequence[Statement]:
    """Return what nobody can say was ever believed: told and not confirmed."""
    return [one for one in history.statements if one.known_at is None]


def _idle_line(one: Statement) -> str:
    """Return one statement that led to no belief."""
    return f"#{one.number} {instant(one.noted_at)} {what(one)}: {said(one)}"
