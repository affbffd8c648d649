"""A history of belief as one HTML page that needs nothing else: no network, scripts only to go back in known time."""

import json
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import datetime
from html import escape
from itertools import groupby

from flows.history import THERE, Answer, Belief, History, Question, Statement, answers
from services.history_drawing import Axis, axis_of, drawing, lanes_of
from services.history_style import SCRIPT, STYLE
from services.history_words import instant, pending, said, sources, span, stated, subject, unheard, values

STATUS = {"holds": "holds", "holds_not": "holds not", "unknown": "unknown"}


def history_page(history: History, question: Question | None, *, now: datetime) -> str:
    """Return the page; `now` is business time, where no valid instant is asked for."""
    asked = question or Question(now, now)
    knowns = sorted({at for one in history.beliefs for at in (one.known_from, one.known_to) if at is not None})
    shown = bisect_right(knowns, asked.known_at) - 1
    body = "\n".join(
        (*_head(history, asked, knowns, shown), "<main>", *_main(history, asked, knowns, shown), "</main>")
    )
    title = escape(f"History of {history.usage_point}")
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8"/>\n<title>{title}</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>\n'
        f"<style>{STYLE}</style>\n</head>\n<body>\n{body}\n<script>\n//<![CDATA[\n{SCRIPT}\n//]]>\n</script>\n"
        "</body>\n</html>"
    )


def _head(history: History, asked: Question, knowns: Sequence[datetime], shown: int) -> Iterator[str]:
    """Yield what the page is about, and the switch of known time."""
    counts = f"{len(history.things)} things, {len(history.systems)} systems, {len(history.statements)} statements"
    yield f"<header><h1>{escape(subject(history))}</h1>"
    yield f'<p class="soft">{counts}. Times in UTC, ends excluded. The dashed line is {instant(asked.at)}.</p>'
    if knowns:
        # Characters that would end the element, or an entity, are written as JSON escapes.
        listed = json.dumps([instant(at) for at in knowns])
        yield (
            f'<div class="switch" hidden="hidden"><button id="earlier" type="button">earlier</button>'
            f'<input id="known" type="range" min="0" max="{len(knowns) - 1}" value="{max(shown, 0)}" '
            f'aria-label="known time"/><button id="later" type="button">later</button>'
            f'<output id="known-label">as known {instant(asked.known_at)}</output></div>'
            f'<script id="knowns" type="application/json">{listed}</script>'
        )
    yield "</header>"


def _main(history: History, asked: Question, knowns: Sequence[datetime], shown: int) -> Iterator[str]:
    """Yield lanes, the answers at the instants asked for, and statements."""
    yield "<h2>What each system believed, along valid time</h2>"
    yield (
        '<p class="soft key"><span>same color: same values</span><span><i class="k-fight"></i>another system believed '
        'otherwise</span><span><i class="k-absent"></i>believed not to be there</span><span><i class="k-unknown"></i>'
        "unknown</span><span>room by duration and by changes, each half</span></p>"
    )
    axis = axis_of(history)
    by_thing: dict[tuple[str, str], list[Belief]] = {}
    for one in history.beliefs:
        by_thing.setdefault((one.kind, one.object_id), []).append(one)
    for thing in history.things:
        if thing in by_thing:
            yield from _thing(history, thing, by_thing[thing], axis, knowns, shown, asked)
    yield from _answers(history, asked)
    yield from _statements(history, knowns, shown)


def _answers(history: History, asked: Question) -> Iterator[str]:
    """Yield the table of who believed what at the valid and known instants asked for."""
    yield f"<h2>At {instant(asked.at)}, as known {instant(asked.known_at)}</h2>"
    found = answers(history, asked)
    if not found:
        yield "<p>Nobody knew anything of it by then.</p>"
        return
    yield '<div class="wide"><table><thead><tr><th>thing</th><th>system</th><th>says</th><th>values</th><th>told</th>'
    yield "</tr></thead><tbody>"
    for (kind, object_id), group in groupby(found, key=lambda one: (one.kind, one.object_id)):
        rows = list(group)
        silent = [one.system for one in rows if one.status == "unknown" and not one.pending]
        speaking = [one for one in rows if one.system not in silent]
        for place, one in enumerate(speaking):
            yield _answer_row(history, one, f"{kind} {object_id}" if place == 0 else "", len(speaking) + bool(silent))
        if silent:
            yield f'<tr><td class="soft" colspan="4">unknown: {escape(", ".join(silent))}</td></tr>'
    yield "</tbody></table></div>"
    silent = unheard(history)
    if silent:
        yield f'<p class="soft">Never told and never heard, so unknown: {escape(", ".join(silent))}.</p>'


def _answer_row(history: History, one: Answer, thing: str, rows: int) -> str:
    """Return one system's answer about one thing; the first row names the thing."""
    head = f'<td rowspan="{rows}">{escape(thing)}</td>' if thing else ""
    mark = ' class="bad"' if THERE in one.disputed else ""
    told = "".join(f"<div>{_linked(line)}</div>" for line in sources(history, one))
    told += "".join(f"<div>{escape(pending(each))}</div>" for each in one.pending)
    return (
        f"<tr>{head}<td>{escape(one.system)}</td><td{mark}>{STATUS[one.status]}</td>"
        f'<td class="facts">{_values(one)}</td><td>{told}</td></tr>'
    )


def _values(one: Answer) -> str:
    """Return the values of an answer, those in dispute marked."""
    parts = []
    for name in sorted(one.facts, key=lambda each: each not in one.disputed):
        text = escape(values({name: one.facts[name]}))
        parts.append(f'<span class="bad">{text}</span>' if name in one.disputed else text)
    return ", ".join(parts)


def _linked(line: str) -> str:
    """Return a line that begins with the number of a statement, which leads there."""
    number, _, rest = line.partition(" ")
    return f'<a href="#s{escape(number[1:])}">{escape(number)}</a> {escape(rest)}'


def _thing(
    history: History,
    thing: tuple[str, str],
    own: Sequence[Belief],
    axis: Axis,
    knowns: Sequence[datetime],
    shown: int,
    asked: Question,
) -> Iterator[str]:
    """Yield the lanes of one thing, with the systems of which nothing is known of it."""
    silent = [name for name in history.systems if name not in {one.system for one in own}]
    note = f" <small>unknown: {escape(', '.join(silent))}</small>" if silent else ""
    yield f"<h3>{escape(' '.join(thing))}{note}</h3>"
    names = "".join(
        f"<li>{escape(system)}{' <small>' + escape(_part(part)) + '</small>' if part else ''}</li>"
        for system, part, _ in lanes_of(history, own)
    )
    picture = drawing(history, own, axis=axis, knowns=knowns, shown=shown, mark=asked.at)
    yield f'<div class="thing"><ol class="names">{names}</ol><div class="scroll">{picture}</div></div>'


def _part(part: str) -> str:
    return {"usage_point_location": "premise"}.get(part, part)


def _statements(history: History, knowns: Sequence[datetime], shown: int) -> Iterator[str]:
    """Yield the table of all that was said, in the order in which it was believed."""
    yield "<h2>Everything that was said</h2>"
    yield '<div class="wide"><table><thead><tr><th>#</th><th>believed from</th><th>bears on</th><th>thing</th>'
    yield "<th>what</th><th>valid</th><th>who and how</th></tr></thead><tbody>"
    for one in history.statements:
        at = -1 if one.known_at is None else bisect_right(knowns, one.known_at) - 1
        later = ' class="later"' if at < 0 or at > shown else ""
        when = (
            "never"
            if one.known_at is None
            else f'<button type="button" data-known="{max(at, 0)}">' + (f"{instant(one.known_at)}</button>")
        )
        yield (
            f'<tr id="s{one.number}" data-k="{at}"{later}><td>{one.number}</td><td class="when">{when}</td>'
            f"<td>{escape(one.system)}</td><td>{escape(f'{one.kind} {one.object_id}')}</td>"
            f'<td class="facts">{escape(stated(one))}</td><td class="when">{escape(_valid(one))}</td>'
            f"<td>{escape(said(one))}</td></tr>"
        )
    yield "</tbody></table></div>"


def _valid(one: Statement) -> str:
    """Return the valid time of a statement."""
    if one.act in ("holds", "never"):
        return ""
    if one.act in ("ends", "drops"):
        return f"at {instant(one.valid_from)}" if one.act == "ends" else f"from {instant(one.valid_from)}"
    return span(one.valid_from, one.valid_to, open_end="open")
