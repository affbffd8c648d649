"""What really happens in the rollout: which usage point gets which meter, when, and who tells the hub of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from random import Random

from simulators.city_book import CityBook, Meter, Point
from simulators.local_days import at_local
from simulators.masters_city import customer
from simulators.mdms_xml import RECEIVED
from simulators.meter_face import Stream, export_face, face, stream_of
from simulators.rollout_city import BILLED, BILLED_SOON, has_opted_out, is_piloted
from simulators.rollout_troubles import Case, Kind, Where, kinds_by_number, script

MAKER = "BOREALIS"
FIELD_DAY = date(2026, 11, 17)
SHIPPED = at_local(date(2026, 11, 10), 9)
MODELS = {"RESIDENTIAL": "B200", "COMMERCIAL": "B400"}
"""Model that is hung, by customer class."""

CREWS, WAMS = "crews", "wams"
"""Who tells of completions: contractors by files, the work system by messages."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One exchange, as it was made."""

    number: int
    """Of its usage point in the city."""

    point: Point
    old: Meter
    """Removed at the instant of the exchange."""

    new: Meter
    teller: str
    final: Mapping[str, int]
    """What each register of the old meter showed, in thousandths."""

    first: Mapping[str, int]
    kind: Kind | None = None
    """What went wrong; None: nothing."""

    @property
    def at(self) -> datetime:
        """Return the instant of the exchange, in UTC."""
        return datetime.fromisoformat(self.new.installed_at)


class Truth:
    """Every exchange of the city, in the order of its usage points."""

    def __init__(self, city: CityBook) -> None:
        """Derive it from the city's seed."""
        self.seed, self.points = city.seed, list(city.points().values())
        self.old = {point: meters[0] for point, meters in city.meters().items()}
        """The meter that hangs at each usage point before the rollout."""

        self.cases = script(self.seed, places_of(self.points), len(self.points))
        """What goes wrong."""

        kinds = kinds_by_number(self.cases)
        self.visits = [
            exchange(self.seed, number, point, self.old[point.usage_point], kinds.get(number))
            for number, point in enumerate(self.points)
            if number in kinds or not is_left_alone(number, point)
        ]
        """Where crews were; where they could do nothing, it is what they wanted to do."""

        self.exchanges = [one for one in self.visits if one.kind is None or one.kind.ends != "IN_VAIN"]
        """What is done in the field."""

    @property
    def ordered(self) -> list[Exchange]:
        """Return the visits that were planned."""
        return [one for one in self.visits if not is_left_alone(one.number, one.point)]

    def members(self, case: Case) -> list[Exchange]:
        """Return the exchanges of a trouble."""
        return [one for one in self.visits if one.number in case.numbers]


def is_left_alone(number: int, point: Point) -> bool:
    """Return whether nobody exchanges a meter there: a life depends on supply, nobody wants one, or AMI reads it."""
    return has_opted_out(number) or is_piloted(number) or "special_need" in customer(number, point).facts


def places_of(points: Sequence[Point]) -> dict[Where, list[int]]:
    """Return where troubles may happen: never in the cycle that is billed."""
    found: dict[Where, list[int]] = {"home": [], "solar": [], "excluded": [], "billed": []}
    for number, point in enumerate(points):
        if point.cycle == BILLED or point.size != "HOME" or is_piloted(number):
            continue
        where: Where = "solar" if point.export_stream else "billed" if point.cycle == BILLED_SOON else "home"
        found["excluded" if is_left_alone(number, point) else where].append(number)
    return found


def exchange(seed: int, number: int, point: Point, old: Meter, kind: Kind | None = None) -> Exchange:
    """Return the exchange at a usage point: between nine and four, one after the other."""
    at = at_local(FIELD_DAY, 9) + timedelta(minutes=number * 7 % 420, seconds=number // 60 % 60)
    dice = Random(f"{seed}/{number}/new")
    new = Meter(
        usage_point=point.usage_point, manufacturer=MAKER, serial=f"BM{number:08d}", installed_at=at.isoformat(),
        removed_at="", multiplier=old.multiplier, dials=6, start_count=dice.randrange(0, 9_000),
        base_at=at.isoformat(),
    )  # fmt: skip
    gone = replace(old, removed_at=at.isoformat())
    streams = streams_of(seed, point)
    final, first = (faces(meter, point, streams, at) for meter in (gone, new))
    if kind is not None and kind.where == "solar":
        del first[RECEIVED]
    teller = (kind.teller if kind is not None else "") or (CREWS if number % 10 < 7 else WAMS)
    return Exchange(number, point, gone, new, teller, final, first, kind)


def streams_of(seed: int, point: Point) -> tuple[Stream, Stream | None]:
    """Return what a usage point takes, and what it feeds in."""
    taken = stream_of(seed, point.stream, point.size)
    return taken, stream_of(seed, point.export_stream, "SOLAR") if point.export_stream else None


def faces(meter: Meter, point: Point, streams: tuple[Stream, Stream | None], at: datetime) -> dict[str, int]:
    """Return what every counting register of a meter shows at an instant, in thousandths."""
    taken, fed = streams
    shown = dict(face(meter, taken, at, commodity=point.commodity))
    return shown | ({RECEIVED: export_face(meter, fed, at)} if fed is not None else {})


def text_of(thousandths: int) -> str:
    """Return a count as a meter shows it."""
    return f"{thousandths // 1000}.{thousandths % 1000:03d}"
