"""When the demo lets the hub make a pass: the business events of the script, in order."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from simulators.local_days import at_local

BOTH = ("mass", "interval")


@dataclass(frozen=True, slots=True)
class Event:
    """One business event."""

    at: datetime
    text: str
    """What happens, for the person who watches."""

    passes: Sequence[str] = BOTH
    """Billing interfaces that make a pass."""


_DAY: tuple[tuple[int, int, str, Sequence[str]], ...] = (
    (7, 5, "request files are there: taken in, MDMS asked, first parts", BOTH),
    (7, 40, "what was missing is asked of the meters again; acknowledgements", BOTH),
    (10, 0, "late files, one hour's rung of the ladder", BOTH),
    (15, 10, "two hours before the deadline: the MDMS may estimate", BOTH),
    (17, 2, "the window closes: every item is answered, the run is closed", BOTH),
    (18, 40, "the CIS has billed: the billed extract comes back", BOTH),
    # Whichever interface claimed the extract, the one that it concerns tells the MDMS in its next pass.
    (19, 0, "what was billed is told to the MDMS", BOTH),
)

_SECOND_DAY: tuple[tuple[int, int, str, Sequence[str]], ...] = (
    (9, 10, "the CIS answers its lost part; late actual reads after the bill: correction notices", BOTH),
    (9, 40, "cancelled and asked for again: rebills", BOTH),
)


def events(days: Sequence[date], *, calm: bool = False) -> Iterator[Event]:
    """Yield every business event of the demo in order; a calm day has no troubles to wait for."""
    yield Event(at_local(days[0], 6, 30), "tariff calendar of the CIS, interval readings", ("mass",))
    for number, day in enumerate(days):
        todays = [*_DAY] if number == 0 else [entry for entry in _DAY if entry[0] != 10] + [*_SECOND_DAY]
        if calm:
            todays = [_DAY[0], _DAY[1], _DAY[4], _DAY[5], _DAY[6]]
        for hour, minute, text, passes in sorted(todays, key=lambda entry: entry[:2]):
            yield Event(at_local(day, hour, minute), text, passes)
