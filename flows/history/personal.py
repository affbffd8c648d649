"""Personal data of a history: held back unless somebody asks for it, so that what differs still shows."""

from collections.abc import Mapping
from dataclasses import replace

from canonical.holdings import FIELDS
from flows.history.evidence import Belief, Fact, History, Statement

PERSONAL: Mapping[str, frozenset[str]] = {
    "customer": frozenset({"name", "telephone", "special_need"}),
    "location": frozenset(FIELDS["location"]) - {"needs_inspection"},
}
"""Fields, by kind, that tell of a person: who it is, how to reach it, where it lives, what it suffers from."""


def without_personal(history: History) -> History:
    """Return the history with each personal value replaced by `withheld` and a number; equal values, equal numbers."""
    numbers: dict[tuple[str, str, str], int] = {}

    def held_back(kind: str, name: str, text: str) -> str:
        if not text or name not in PERSONAL.get(kind, ()):
            return text
        return f"withheld {numbers.setdefault((kind, name, text), 1 + sum(key[:2] == (kind, name) for key in numbers))}"

    def statement(one: Statement) -> Statement:
        if one.kind not in PERSONAL:
            return one
        facts = {name: held_back(one.kind, name, text) for name, text in one.facts.items()}
        extract = tuple(
            replace(each, facts={name: held_back(one.kind, name, text) for name, text in each.facts.items()})
            for each in one.extract
        )
        return replace(one, facts=facts, extract=extract)

    def belief(one: Belief) -> Belief:
        if one.kind not in PERSONAL or one.facts is None:
            return one
        facts = {name: Fact(held_back(one.kind, name, fact.text), fact.by) for name, fact in one.facts.items()}
        return replace(one, facts=facts)

    return replace(
        history,
        statements=tuple(statement(one) for one in history.statements),
        beliefs=tuple(belief(one) for one in history.beliefs),
    )
