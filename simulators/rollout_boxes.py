"""What the manufacturer ships: the meters that are to be hung, those that trouble wants, and some to spare."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from simulators.city_book import Meter, Point
from simulators.rollout_tellings import MISREAD
from simulators.rollout_troubles import STRANGERS
from simulators.rollout_truth import Exchange, Truth

LOT_SIZE = 500
FAILED, FREED = "LF01", "LF02"
"""Lots that failed their test; of the second a person says later that it may be hung."""

OTHER_MAKER = "AURORA"


@dataclass(frozen=True, slots=True)
class Box:
    """One shipped meter."""

    meter: Meter
    point: Point
    """Usage point whose kind it fits."""

    lot: str
    has_keys: bool = True
    lacks: tuple[str, ...] = ()
    """Registers that the meters of its kind have, and it has not."""


def boxes_of(truth: Truth) -> Iterator[Box]:
    """Yield every meter of the shipment, each once."""
    for one in truth.visits:
        yield _box(one)
    for meter in spares(truth):
        yield Box(meter, truth.points[0], "L999")


def spares(truth: Truth) -> list[Meter]:
    """Return the meters that nobody hangs: strangers first, then namesakes of another maker, then a reserve."""
    like = truth.visits[0].new
    strangers = [replace(like, serial=f"BS{n:08d}") for n in range(STRANGERS)]
    twins = [
        replace(one.new, manufacturer=OTHER_MAKER)
        for one in truth.visits
        if one.kind is not None and one.kind.name == "two-makers"
    ]
    # A reserve for each meter that must not be hung: no wave is released that stock cannot serve.
    blocked = sum(one.kind is not None and one.kind.code == "8020" for one in truth.visits)
    return [*strangers, *twins, *(replace(like, serial=f"BR{n:08d}") for n in range(blocked))]


def strangers_of(truth: Truth) -> list[Meter]:
    """Return the meters that are heard though they hang nowhere."""
    return spares(truth)[:STRANGERS]


def lot_of(one: Exchange) -> str:
    """Return the lot of a visit's new meter."""
    kind = one.kind.name if one.kind is not None else ""
    return {"lot-failed": FAILED, "lot-freed": FREED}.get(kind, f"L{one.number // LOT_SIZE + 1:03d}")


def _box(one: Exchange) -> Box:
    kind = one.kind.name if one.kind is not None else ""
    lacks = {"band-missing": (MISREAD,), "export-unmeasured": ("B0", "B1", "R0")}.get(kind, ())
    return Box(one.new, one.point, lot_of(one), kind != "no-keys", lacks)
