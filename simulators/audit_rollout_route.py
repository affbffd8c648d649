"""The manual route behind the exchanges: who is handed out to the reader, and whether what was read was taken."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

from simulators.audit_masters import Check
from simulators.cis_files import read_acknowledgement
from simulators.rollout_billing import WALKED
from simulators.rollout_city import BILLED, is_piloted
from simulators.rollout_reader import READER, Stop, hangs, routes, shown, stops_of
from simulators.rollout_sftp import root_of
from simulators.rollout_truth import Truth


def audit_route(run: Path, truth: Truth) -> Check:
    """Look whether only those are on the route of the cycle whom AMI does not read, each with the meter that hangs."""
    exchanged = {one.point.usage_point for one in truth.exchanges}
    expected = {
        point.usage_point
        for number, point in enumerate(truth.points)
        if point.cycle == BILLED and point.usage_point not in exchanged and not is_piloted(number)
    }
    stops = [stop for path in routes(run) for stop in stops_of(path)]
    on_route = {stop.usage_point for stop in stops}
    problems = [f"{point} is not on the route" for point in sorted(expected - on_route)]
    problems += [f"{point} is on the route, though AMI reads it" for point in sorted(on_route - expected)]
    problems += _wrong(truth, stops)
    problems += _untaken(run, len(stops))
    return Check("the manual route leaves out whom AMI reads", tuple(problems), len(expected))


def _wrong(truth: Truth, stops: list[Stop]) -> Iterator[str]:
    """Yield stops with another meter than hangs there, or whose register cannot stand where it stands."""
    hanging = {point.usage_point: (point, meter) for point, meter in hangs(truth)}
    for stop in stops:
        point, meter = hanging[stop.usage_point]
        if stop.serial != meter.serial:
            yield f"{stop.usage_point}: the route names {stop.serial}, {meter.serial} hangs there"
        value = Decimal(next(iter(shown(truth.seed, point, meter, stop, WALKED).values())))
        if stop.low and not Decimal(stop.low) <= value <= Decimal(stop.high):
            yield f"{stop.usage_point}: {value} is not between {stop.low} and {stop.high}"


def _untaken(run: Path, stops: int) -> Iterator[str]:
    """Yield what the hub did not take of the reads."""
    for path in sorted((root_of(run, READER) / "inbound").glob("MR_*.ack")):
        answer = read_acknowledgement(path)
        if answer["verdict"] != "ACCEPTED":
            yield f"{answer['file']}: {answer['verdict']} {answer['code']} {answer['reason']}"
    states = {row["state"]: row["stops"] for row in json.loads((run / "reports" / "routes.json").read_text())}
    if states != {"READ": stops}:
        yield f"{stops} stops were read, the hub says {states}"
