"""MeterReadings encode: CPU of our stream beside xsdata (objects built and serialized) and lxml's xmlfile.

The same columns are given to each, in one process, warm, in shuffled rounds; a figure is the median over rounds of
peer over ours, the best of three turns of each taken. What each writes is decoded and compared before anything counts.
Regular: 100 meters x 96, one quality. Irregular: as the decode benchmark's, whose stamps, scales and qualities differ.
"""

import json
import random
import resource
import statistics
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from io import BytesIO
from itertools import chain, repeat
from typing import Any

from benchmarks import cim_peers, meter_readings
from iec61968.nouns.meter_readings import MeterReadingColumns, decode, encode
from iec61968.nouns.meter_readings_xml import forget

ROUNDS = 5
METERS = 100


def columns(pieces: Iterator[str]) -> tuple[MeterReadingColumns, ...]:
    """Return the readings of a benchmark document."""
    raw = (meter_readings.HEAD + "".join(pieces) + meter_readings.TAIL).encode()
    return tuple(decode(BytesIO(raw)))


def turns(documents: Sequence[MeterReadingColumns]) -> dict[str, Callable[[], object]]:
    """Return what is measured, by name."""
    from xsdata.formats.dataclass.serializers import XmlSerializer

    made, serializer = cim_peers.classes(), XmlSerializer()
    return {
        "ours": lambda: deque(encode(documents), maxlen=0),
        "xsdata": lambda: cim_peers.by_xsdata(documents, made, serializer),
        "xmlfile": lambda: cim_peers.by_xmlfile(documents),
    }


def check(documents: Sequence[MeterReadingColumns], ways: dict[str, Callable[[], object]]) -> None:
    """Refuse to measure ways that do not write the same readings."""
    written = {name: way() for name, way in ways.items() if name != "ours"}
    written["ours"] = b"".join(encode(documents))
    for name, raw in written.items():
        if not isinstance(raw, bytes) or tuple(decode(BytesIO(raw))) != tuple(documents):
            raise SystemExit(f"{name} writes something else")


def seconds(way: Callable[[], object], *, turns_taken: int, cold: bool) -> float:
    """Return the CPU seconds of the best turn; `cold` forgets the texts that were kept from the turn before."""
    best = float("inf")
    for _ in range(turns_taken):
        if cold:
            forget()
        begun = time.process_time()
        way()
        best = min(best, time.process_time() - begun)
    return best


def compared(documents: Sequence[MeterReadingColumns], *, cold: bool) -> dict[str, float]:
    """Return how many times longer each peer takes."""
    ways = turns(documents)
    check(documents, ways)
    chance = random.Random(3)
    ratios: dict[str, list[float]] = {"xsdata": [], "xmlfile": []}
    for _ in range(ROUNDS):
        order = list(ways)
        chance.shuffle(order)
        taken = {name: seconds(ways[name], turns_taken=1 if name == "xsdata" else 3, cold=cold) for name in order}
        for name, found in ratios.items():
            found.append(taken[name] / taken["ours"])
    return {name: round(statistics.median(found), 1) for name, found in ratios.items()}


def peak_mb() -> float:
    """Return the peak memory of a fresh process that writes 200 MB to nowhere."""
    command = [sys.executable, "-m", "benchmarks.meter_readings_encode", "peak"]
    return float(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def write_200_mb() -> float:
    """Write 9,700 meters; return the process's peak memory in MB."""
    documents = columns(meter_readings.regular(METERS))
    written = sum(map(len, encode(chain.from_iterable(repeat(documents, 97)))))
    if written < 180_000_000:
        raise SystemExit(f"{written} bytes written")
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


def run() -> dict[str, dict[str, Any]]:
    """Return the figures of `meter_readings_encode`."""
    peak = peak_mb()  # first: a process begins with the peak of the one that started it
    regular = compared(columns(meter_readings.regular(METERS)), cold=False)
    irregular = compared(columns(meter_readings.irregular(METERS)), cold=True)
    return {
        "meter_readings_encode": {
            "x_xsdata": regular["xsdata"],
            "x_xmlfile": regular["xmlfile"],
            "x_xsdata_irregular": irregular["xsdata"],
            "x_xmlfile_irregular": irregular["xmlfile"],
            "peak_mb_200": peak,
        }
    }


if __name__ == "__main__":
    print(write_200_mb() if sys.argv[1:] == ["peak"] else json.dumps(run()))
