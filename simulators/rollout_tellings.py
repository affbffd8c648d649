"""What the field says of an exchange: the truth where all went well, something else where the script wants it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from simulators.city_book import Meter
from simulators.local_days import at_local, midnight
from simulators.rollout_truth import FIELD_DAY, Exchange, Truth

Named = tuple[str, str]
"""Manufacturer and serial, as somebody wrote them down."""


@dataclass(frozen=True, slots=True)
class Telling:
    """One thing that the field says."""

    teller: str
    order: str
    usage_point: str
    name: str
    old: Named
    new: Named
    removed_at: datetime
    installed_at: datetime
    factor: int
    """Multiplier seen."""

    final: Mapping[str, int]
    """What each register of the old meter showed, in thousandths."""

    first: Mapping[str, int]
    outcome: str = "DONE"
    reason: str = ""


def truly(one: Exchange, orders: Mapping[str, str]) -> Telling:
    """Return what is said of an exchange where nothing goes wrong; `orders` are their ids by usage point."""
    return Telling(
        one.teller, orders.get(one.point.usage_point, ""), one.point.usage_point, one.point.name, named(one.old),
        named(one.new), one.at, one.at, one.new.multiplier, one.final, one.first,
    )  # fmt: skip


def first_told(truth: Truth, orders: Mapping[str, str]) -> list[Telling]:
    """Return what is said in the evening of the day, usage point by usage point."""
    crossed = {number: numbers for numbers in _crossed(truth) for number in numbers}
    by_number = {one.number: one for one in truth.visits}
    found = []
    for one in truth.visits:
        said = truly(one, orders)
        if one.number in crossed:
            numbers = crossed[one.number]
            other = by_number[numbers[(numbers.index(one.number) + 1) % len(numbers)]]
            said = swapped(said, truly(other, orders))
        elif one.kind is not None and one.kind.name in TOLD_OTHERWISE:
            said = TOLD_OTHERWISE[one.kind.name](said, truth)
        found.append(said)
    return found


def told_later(truth: Truth, orders: Mapping[str, str]) -> list[Telling]:
    """Return what is said once more when all that was said is known: corrected, contradicted, taken back."""
    found = []
    for one in truth.visits:
        said, kind = truly(one, orders), one.kind.name if one.kind is not None else ""
        if kind == "clock-told-anew":
            found.append(said)
        elif kind == "another-digit":
            found.append(replace(said, final={name: count + 1000 for name, count in said.final.items()}))
        elif kind == "put-back":
            found.append(replace(said, outcome="REVERSED", removed_at=PUT_BACK, installed_at=PUT_BACK))
    return found


def told_again(truth: Truth, orders: Mapping[str, str]) -> list[Telling]:
    """Return what is said a second time word for word."""
    return [truly(one, orders) for one in truth.visits if one.kind is not None and one.kind.name == "told-again"]


def swapped(said: Telling, other: Telling) -> Telling:
    """Return what is said where the sheet of another usage point was filled in."""
    return replace(other, teller=said.teller, order=said.order, usage_point=said.usage_point, name=said.name)


def _crossed(truth: Truth) -> Sequence[tuple[int, ...]]:
    return [case.numbers for case in truth.cases if case.kind.code == "8009"]


def _elsewhere(said: Telling, truth: Truth) -> Telling:
    """Name a meter that hangs where nobody exchanged one."""
    visited = {one.point.usage_point for one in truth.visits}
    alone = (one for one in truth.points if one.usage_point not in visited)
    other = next(one for one in alone if one.size == "HOME" and not one.export_stream)
    return replace(said, new=named(truth.old[other.usage_point]))


def _less(shown: Mapping[str, int], register: str) -> dict[str, int]:
    return {name: count for name, count in shown.items() if name != register}


def named(meter: Meter) -> Named:
    """Return what stands on a meter's plate."""
    return meter.manufacturer, meter.serial


PUT_BACK = at_local(FIELD_DAY, 16) + timedelta(minutes=30)
"""When the old meter hung again where the new one was taken down."""

MISREAD = "T3"
"""Register that is forgotten, or missing."""

TOLD_OTHERWISE: Mapping[str, Callable[[Telling, Truth], Telling]] = {
    "wrong-plate": lambda said, _: replace(said, old=(said.old[0], said.old[1].replace("KX", "KZ"))),
    "unknown-meter": lambda said, _: replace(said, new=(said.new[0], said.new[1].replace("BM", "BX"))),
    "hangs-elsewhere": _elsewhere,
    "two-makers": lambda said, _: replace(said, new=("", said.new[1])),
    "wrong-name": lambda said, _: replace(said, name=f"{said.name}-B"),
    "wrong-name-looked-at": lambda said, _: replace(said, name=f"{said.name}-B"),
    "wrong-factor": lambda said, _: replace(said, factor=said.factor * 20),
    "band-missing": lambda said, _: replace(said, first=_less(said.first, MISREAD)),
    "reading-missing": lambda said, _: replace(said, final=_less(said.final, MISREAD)),
    "clock-wrong": lambda said, _: replace(said, installed_at=said.removed_at - timedelta(hours=1)),
    "clock-told-anew": lambda said, _: replace(said, installed_at=said.removed_at - timedelta(hours=1)),
    "customer-moves": lambda said, _: replace(said, removed_at=midnight(FIELD_DAY), installed_at=midnight(FIELD_DAY)),
    "nobody-home": lambda said, _: replace(said, outcome="UNABLE", reason="NO_ACCESS"),
}
"""What is said where the field errs, by the name of the trouble."""
