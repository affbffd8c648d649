"""The troubles of the rollout as a script: what goes wrong at which exchange, and what must come of it.

Every class of exception is there at least once, and again for each further thousand exchanges or so: about 3 of 100.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from random import Random
from typing import Literal

Ends = Literal["DONE", "STOPPED", "SILENT", "HELD", "BLOCKED", "REVERSED", "IN_VAIN"]
"""What the systems hold of it in the end: all of it; nothing; all but that it speaks; all but what the CIS is told
before its bill; all but a service at the head-end; what was before; nothing, for nobody did anything."""

Teller = Literal["", "crews", "wams"]
Where = Literal["home", "solar", "excluded", "billed"]
SHARE = 0.03
"""Of all exchanges."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of trouble."""

    name: str
    code: str = ""
    """Of the work that must be there; empty: it needs nobody."""

    ends: Ends = "STOPPED"
    state: str = "REJECTED"
    """Of its order in the end."""

    is_over: bool = False
    """Whether its work is ended rightly: by a person, or because the field told it right."""

    members: int = 1
    """Exchanges that belong together."""

    where: Where = "home"
    is_once: bool = False
    """Whether it happens once however large the city is: a person deals with each by hand."""

    teller: Teller = ""
    """Who tells of it, whoever made it; empty for either."""


KINDS = (
    Kind("wrong-plate", "8001"),
    Kind("unknown-meter", "8002"),
    Kind("hangs-elsewhere", "8003"),
    Kind("two-makers", "8004"),
    Kind("wrong-name", "8005", teller="crews"),  # a message of the work system names no premise
    Kind("wrong-name-looked-at", "8005", "DONE", "CLOSED", is_over=True, is_once=True, teller="crews"),
    Kind("wrong-factor", "8006"),
    Kind("band-missing", "8007"),
    Kind("reading-missing", "8008"),
    Kind("crossed-pair", "8009", "DONE", "CLOSED", is_over=True, members=2, is_once=True),
    Kind("crossed-three", "8009", "DONE", "CLOSED", is_over=True, members=3, is_once=True),
    Kind("crossed-open", "8009", members=2),
    Kind("clock-wrong", "8010"),
    Kind("clock-told-anew", "8010", "DONE", "CLOSED", is_over=True),
    Kind("being-billed", "", "HELD", "VERIFIED", where="billed"),
    Kind("customer-moves", "8012"),
    Kind("told-again", "", "DONE", "CLOSED"),
    Kind("another-digit", "8014", "DONE", "CLOSED"),
    Kind("silent", "8015", "SILENT", "HES_COMMISSIONED"),
    Kind("old-one-reads", "8017", "DONE", "CLOSED"),
    Kind("excluded-done", "8018", "DONE", "CLOSED", where="excluded"),
    Kind("export-unmeasured", "8019", "DONE", "CLOSED", where="solar", is_once=True),
    Kind("no-keys", "8020", "BLOCKED", "CIS_EXCHANGED"),
    Kind("lot-failed", "8020", "BLOCKED", "CIS_EXCHANGED"),
    Kind("lot-freed", "8020", "DONE", "CLOSED", is_over=True),
    Kind("nobody-home", "8047", "IN_VAIN", "UNABLE"),
    Kind("put-back", "8008", "REVERSED", "REVERSED", teller="wams"),
)
"""Every kind, in the order of its rule. EX16 is no exchange: meters of `STRANGERS` speak that nobody hung."""

BY_NAME: Mapping[str, Kind] = {kind.name: kind for kind in KINDS}
STRANGERS = 3
"""Shipped meters that are heard and hang nowhere."""

HEARD_UNINSTALLED = "8016"


@dataclass(frozen=True, slots=True)
class Case:
    """One trouble that happens."""

    kind: Kind
    numbers: tuple[int, ...]
    """Of its usage points."""


def script(seed: int, places: Mapping[Where, Sequence[int]], exchanges: int) -> list[Case]:
    """Return the troubles of a city; `places` are the usage points at which each may happen.

    Where there is no place left for a kind it is left out: a very small city has not every trouble.
    """
    dice = Random(f"{seed}/troubles")
    free = {where: dice.sample(list(some), len(some)) for where, some in places.items()}
    rounds = max(1, round(SHARE * exchanges / sum(kind.members for kind in KINDS if not kind.is_once)))
    found = [Case(BY_NAME["being-billed"], (number,)) for number in free.pop("billed")]
    for number, kind in ((number, kind) for number in range(rounds) for kind in KINDS):
        is_wanted = kind.where in free and not (number and kind.is_once)
        if is_wanted and len(free[kind.where]) >= kind.members:
            found.append(Case(kind, tuple(sorted(free[kind.where].pop() for _ in range(kind.members)))))
    return found


def kinds_by_number(cases: Collection[Case]) -> dict[int, Kind]:
    """Return what goes wrong at each usage point that has its trouble."""
    return dict(chain.from_iterable(((number, case.kind) for number in case.numbers) for case in cases))
