"""What a partner refuses object by object, in the one text that a delivery keeps as its reason; written and read back.

Such a text is `Meter m-1 2.4 no such type; Meter m-2 5.3 busy; and 3 more`.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

MOST = 1000
"""Refusals that a reason names; messages of many objects bear at most a hundred each. What is left out is counted."""

OPERATION = "Operation"
"""Kind under which an operation of a set is refused, by its number."""

SHOWN = 20
"""Refusals that a person is shown where a line must do."""

_BETWEEN = "; "
_MORE = re.compile(r"; and (\d+) more$")
_REASON = 200
"""Letters of one refusal's reason that are kept."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One object of a message that was not taken."""

    kind: str
    """Kind of object, as the partner calls it; empty where it does not say."""

    name: str
    """What the partner calls it: mRID, serial, id; empty where it names none."""

    code: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """Which objects of a message a reason refuses."""

    named: Mapping[str, str]
    """Code and reason by object."""

    is_whole: bool
    """Whether every refusal names an object of the message: only then the others were taken."""


def refusals_to_text(refusals: Iterable[Refusal]) -> str:
    """Return refusals as one text; those beyond MOST are counted."""
    found = iter(refusals)
    parts = [_part(one) for one in islice(found, MOST)]
    left = sum(1 for _ in found)
    return _BETWEEN.join(parts) + (f"; and {left} more" if left else "")


def refused_in(text: str, objects: Mapping[str, Collection[str]]) -> Refused:
    """Return which objects a text of refusals is about; `objects` are the names by which each of a message goes."""
    meant = {name: own for own, names in objects.items() for name in (own, *names) if name}
    named: dict[str, list[str]] = {}
    is_whole = _MORE.search(text) is None
    for part in _MORE.sub("", text).split(_BETWEEN):
        words = part.split()
        at = next((n for n in (1, 0) if words[n : n + 1] and words[n] in meant), None)
        if at is None:
            is_whole = False
        else:
            named.setdefault(meant[words[at]], []).append(" ".join(words[at + 1 :]))
    return Refused({own: _BETWEEN.join(said) for own, said in named.items()}, is_whole)


@lru_cache(maxsize=64)
def refused_operations(text: str) -> Mapping[int, str]:
    """Return code and reason by number of the operations of a set that a text refuses.

    Empty where a refusal names no operation, or some are only counted: then nobody knows which were carried out.
    """
    found: dict[int, str] = {}
    if _MORE.search(text):
        return found
    for part in text.split(_BETWEEN):
        kind, _, rest = part.partition(" ")
        number, _, why = rest.partition(" ")
        if kind != OPERATION or not number.isdecimal():
            return {}
        before = found.get(int(number))
        found[int(number)] = f"{before}{_BETWEEN}{why}" if before else why
    return found


def shown(text: str, most: int = SHOWN) -> str:
    """Return a reason for a line that a person reads: its first refusals, and how many more there are."""
    more = _MORE.search(text)
    parts = _MORE.sub("", text).split(_BETWEEN)
    left = len(parts) - most
    if left <= 0:
        return text
    return f"{_BETWEEN.join(parts[:most])}; and {left + (int(more[1]) if more else 0)} more"


def _part(one: Refusal) -> str:
    """Return one refusal: words with one space between, and nothing that would look like the next one."""
    text = " ".join(f"{one.kind} {one.name} {one.code} {one.reason}".replace(";", ",").split())
    return text if len(text) <= _REASON else f"{text[: _REASON - 3]}..."
