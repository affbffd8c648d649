"""Whether enough meters lie in stock for the orders that are in the field and those that are to go there."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from flows.meter_rollout.rules import Hardware, WaveRules, rules_from
from store import rollout_stock, rollout_waves
from store.session import Session

IN_FIELD = ("RELEASED", "DISPATCHED")


@dataclass(frozen=True, slots=True)
class Lack:
    """A model of which fewer meters lie in stock than are needed."""

    model: str
    configuration: str
    needed: int
    """By the orders that are to be released and those that are in the field, of every wave."""

    in_stock: int

    def __str__(self) -> str:
        """Return the lack as people read it."""
        said = f" ({self.configuration})" if self.configuration else ""
        return f"{self.model}{said}: {self.needed} needed, {self.in_stock} in stock"


def lacks(session: Session, rules: WaveRules, days: Collection[str]) -> list[Lack]:
    """Return what is lacking for the eligible orders of some days (empty: all) of a wave, with all that is promised."""
    needed: Counter[Hardware] = Counter()
    _add(needed, rules, rollout_stock.asked_for(session, rules.wave, states=("ELIGIBLE",), days=days))
    wanted = {(one.model, one.configuration) for one in needed}
    for wave in rollout_waves.in_states(session, "RELEASED", "RUNNING", "PAUSED"):
        others = rules_from(wave["rules"])
        _add(needed, others, rollout_stock.asked_for(session, wave["wave"], states=IN_FIELD))
    by_kind: Counter[tuple[str, str]] = Counter()
    for one, number in needed.items():
        by_kind[one.model, one.configuration] += number
    stock = rollout_stock.in_stock(session)
    found = [Lack(*kind, by_kind[kind], _lying(stock, *kind)) for kind in sorted(wanted)]
    return [one for one in found if one.in_stock < one.needed]


def _add(needed: Counter[Hardware], rules: WaveRules, orders: dict[tuple[str, str], int]) -> None:
    for (klass, commodity), number in orders.items():
        hung = rules.hardware_for(klass, commodity)
        if hung is not None:
            needed[hung] += number


def _lying(stock: dict[tuple[str, str], int], model: str, configuration: str) -> int:
    """Return how many meters of a model lie in stock; without a configuration, of any."""
    return sum(n for (one, made), n in stock.items() if one == model and configuration in ("", made))
