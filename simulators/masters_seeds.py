"""The changes of the masters' day and the fifty differences that come of them, each with its cause.

Every class and every cause of a difference occurs: what a system was told and lost, refused, or has not taken in yet,
and what somebody changed by hand.
"""

from collections.abc import Iterator
from dataclasses import replace

from simulators import masters_script as script
from simulators.city_book import Meter, Point
from simulators.masters_city import Truth, hung, location, new_usage_point, supply, usage_point
from simulators.masters_plan import Day, Difference, entry_of, plain_points, standard_day, today
from simulators.masters_wire import Version
from simulators.script import Moment

KNOB_OF = {"lost": "lose", "mapping": "refuse", "late": "slow"}


def plan_day(truth: Truth) -> Day:
    """Return the planned day of a city."""
    day = Day(truth)
    standard_day(day)
    pool = plain_points(truth)
    _during_the_load(day, pool)
    _told_changes(day, pool)
    _connections(day)
    _exchanges(day, pool)
    _removals(day, pool)
    _by_hand(day, pool)
    _waived(day, pool)
    return day


def _during_the_load(day: Day, pool: Iterator[tuple[int, Point]]) -> None:
    """Plan changes that are committed while the load runs: they must not be lost, and must not be undone."""
    for _ in range(3):
        _reroute(day, *next(pool), moment=script.DURING_LOAD, step="during the load")
    for _ in range(3):
        _rehome(day, *next(pool), moment=script.DURING_LOAD, step="during the load")


def _told_changes(day: Day, pool: Iterator[tuple[int, Point]]) -> None:
    """Plan changes that go well, and those that their receivers lose, refuse or are slow with."""
    for cause, routes, homes, addresses in (
        ("", 5, 5, 5),
        ("lost", 3, 4, 3),
        ("mapping", 3, 3, 2),
        ("late", 2, 4, 0),
    ):
        moment, step = (script.LAST_CHANGES, "last changes") if cause == "late" else (script.MORNING, "morning")
        for _ in range(routes):
            version = _reroute(day, *next(pool), moment=moment, step=step)
            _told(day, "mdms", version, cause, "route")
        for _ in range(homes):
            version = _rehome(day, *next(pool), moment=moment, step=step)
            _told(day, "oms", version, cause, "transformer")
        for _ in range(addresses):
            version = _readdress(day, *next(pool), moment=moment, step=step)
            _told(day, "wams", version, cause, "street")


def _told(day: Day, system: str, version: Version, cause: str, fact: str, sort: str = "FIELD_DIFF") -> None:
    """Note what comes of a change that a system is told of; without a cause all goes well."""
    day.right.append((system, version))
    if cause:
        day.turn_knob(system, KNOB_OF[cause], version)
        kind = "LATE" if cause == "late" else sort
        day.differences.append(
            Difference(system, version.tag, version.key, kind, cause, fact, repaired=cause != "late")
        )


def _reroute(day: Day, number: int, point: Point, *, moment: Moment, step: str) -> Version:
    """Let the CIS move a usage point to another route from today on."""
    known = usage_point(number, point)
    version = replace(known, start=today(), facts={**known.facts, "route": "R90"})
    day.put("cis", moment, step, version)
    return version


def _rehome(day: Day, number: int, point: Point, *, moment: Moment, step: str) -> Version:
    """Let the GIS connect a usage point to another transformer of its feeder from today on."""
    known = supply(point.usage_point, number, since=today())
    version = replace(known, facts={**known.facts, "transformer": f"TX{900 + number % 7:06d}"})
    day.put("gis", moment, step, version)
    return version


def _readdress(day: Day, number: int, point: Point, *, moment: Moment, step: str) -> Version:
    """Let the CIS rename the street of a premise from today on."""
    known = location(number)
    version = replace(known, start=today(), facts={**known.facts, "street": "Founders Street"})
    day.put("cis", moment, step, version)
    return version


def _connections(day: Day) -> None:
    """Plan new usage points, each with a meter from stock; not every system takes every one of them in."""
    for spare, (system, cause) in enumerate(
        (
            *(("", ""), ("", "")),
            *(("mdms", "lost"), ("mdms", "lost"), ("mdms", "mapping")),
            *(("hes", "lost"), ("hes", "lost"), ("hes", "mapping")),
        )
    ):
        number = len(day.truth.points) + spare
        mrid = new_usage_point(day.truth.seed, spare)
        point = replace(day.truth.points[0], usage_point=mrid, name=f"QB{90_000_000 + spare}")
        upt, top = usage_point(number, point), supply(mrid, number, since=today())
        day.put("cis", script.MORNING, "morning", replace(location(number), start=today()), replace(upt, start=today()))
        day.put("gis", script.MORNING, "morning", top)
        meter = _from_stock(day.truth, spare, mrid, today(2, 30))
        day.put("wams", script.MORNING, "morning", meter)
        for receiver in ("mdms", "hes"):
            _told(day, receiver, meter, cause if receiver == system else "", "", "MISSING_IN_X")
        day.right.append(("oms", top))
        day.no_agreement.append(mrid)


def _from_stock(truth: Truth, spare: int, mrid: str, installed_at: str) -> Version:
    """Return the hanging of a meter from stock at a usage point."""
    meter = truth.spare(spare)
    return Version("INS", f"{mrid}/{meter.manufacturer}/{meter.serial}", installed_at, "")


def _exchanges(day: Day, pool: Iterator[tuple[int, Point]]) -> None:
    """Plan exchanges of meters this morning: the old one comes down at the minute at which the new one goes up."""
    for spare in range(8, 12):
        number, point = next(pool)
        old = hung(point.usage_point, day.truth.meters[point.usage_point][-1], number)
        ended = replace(old, end=today(2, 30))
        new = _from_stock(day.truth, spare, point.usage_point, today(2, 30))
        day.put("wams", script.MORNING, "morning", ended, new)
        for receiver in ("mdms", "hes"):
            day.right.extend(((receiver, ended), (receiver, new)))


def _removals(day: Day, pool: Iterator[tuple[int, Point]]) -> None:
    """Plan meters that come down while the agreement goes on: what flows there is billed to nobody."""
    for _ in range(2):
        number, point = next(pool)
        old = hung(point.usage_point, day.truth.meters[point.usage_point][-1], number)
        ended = replace(old, end=today(2, 40))
        day.put("wams", script.MORNING, "morning", ended)
        day.right.extend((("mdms", ended), ("hes", ended)))
        day.no_meter.append(point.agreement)


def _by_hand(day: Day, pool: Iterator[tuple[int, Point]]) -> None:
    """Plan what somebody changes in a book, telling nobody."""
    for system, tag, fact, text in (
        ("oms", "TOP", "feeder", "FD999"),
        ("oms", "TOP", "feeder", "FD999"),
        ("wams", "LOC", "street", "Wrong Street"),
        ("mdms", "UPT", "route", "R77"),
        ("cis", "AGR", "tariff", "TOU-OLD"),
    ):
        version = _thing(day.truth, tag, *next(pool))
        _silently(day, system, put=[replace(version, facts={fact: text})])
        # Of a tariff the CIS is right, whatever it told: the hub is what differs.
        _seed(day, "hub" if system == "cis" else system, version, "FIELD_DIFF", fact, repaired=system != "cis")
    for system, tag, days in (("mdms", "INS", 3), ("mdms", "INS", 5), ("oms", "TOP", 40), ("oms", "TOP", 41)):
        version = _thing(day.truth, tag, *next(pool))
        _silently(day, system, move=[replace(version, start=today(days=-days))])
        _seed(day, system, version, "EFFECTIVE_DATE_DIFF", repaired=tag == "TOP")
    for system, tag in (("oms", "TOP"), ("wams", "LOC")):
        version = _thing(day.truth, tag, *next(pool))
        _silently(day, system, drop=[version])
        _seed(day, system, version, "MISSING_IN_X", repaired=True)
    spare = Version("MTR", f"NORTHMETER/{day.truth.spare(20).serial}", today(), "")
    _silently(day, "mdms", drop=[spare])
    _seed(day, "mdms", spare, "MISSING_IN_X")
    _strangers(day)


def _strangers(day: Day) -> None:
    """Plan things of which nobody but one system has ever heard."""
    nobody = [new_usage_point(day.truth.seed, 900 + number) for number in range(3)]
    for serial in ("GH00000001", "GH00000002"):
        facts = {"commodity": "ELECTRICITY", "firmware": "1.0.0"}
        _extra(day, "hes", Version("MTR", f"NORTHMETER/{serial}", today(), "", facts))
    for usage_point_id in nobody[:2]:
        facts = {"transformer": "TX000001", "feeder": "FD000"}
        _extra(day, "oms", Version("TOP", usage_point_id, today(), "", facts))
    facts = {"zone": "America/Toronto", "commodity": "ELECTRICITY", "read_source": "AMI", "route": "R1"}
    _extra(day, "mdms", Version("UPT", nobody[2], today(), "", facts))


def _waived(day: Day, pool: Iterator[tuple[int, Point]]) -> None:
    """Plan differences that a person lets stand."""
    for system, fact, text in (("oms", "name", "OLD-NAME"), ("oms", "name", "OLD-NAME"), ("mdms", "district", "D9")):
        version = _thing(day.truth, "UPT", *next(pool))
        _silently(day, system, put=[replace(version, facts={fact: text})])
        _seed(day, system, version, "KNOWN_WAIVED", fact)


def _thing(truth: Truth, tag: str, number: int, point: Point) -> Version:
    """Return the version that everybody holds of the premise, supply, usage point, agreement or meter's hanging."""
    if tag == "INS":
        meter: Meter = truth.meters[point.usage_point][-1]
        return hung(point.usage_point, meter, number)
    return next(version for version in truth.of_point(number, point) if version.tag == tag)


def _silently(day: Day, system: str, **what: list[Version]) -> None:
    entries = {kind: [entry_of(version) for version in versions] for kind, versions in what.items()}
    day.act(system, script.DIFFERENCES, "differences", **entries)


def _seed(day: Day, system: str, version: Version, sort: str, fact: str = "", *, repaired: bool = False) -> None:
    """Note a difference that somebody made by hand."""
    day.differences.append(Difference(system, version.tag, version.key, sort, "out_of_band", fact, repaired))
    if repaired:
        day.right.append((system, version))


def _extra(day: Day, system: str, version: Version) -> None:
    _silently(day, system, put=[version])
    _seed(day, system, version, "EXTRA_IN_X")
