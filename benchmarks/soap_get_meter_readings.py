"""SOAP GetMeterReadings: requests per second, ours validated both ways, beside Starlette's and spyne's.

Each server is a fresh process on loopback under `ab -k -c16`: one uvicorn worker (uvloop, httptools), but for spyne,
which waitress serves with four threads (`spyne_uvicorn`: uvicorn's WSGI). Spyne is asked and says the very messages
that ours is and does (`spyne_simple`: a simpler schema). Waitress keeps ab's connections and uvicorn does not, so that
`x_spyne` is said over connections that both keep, and `x_spyne_ab` under ab. The CPU that the server takes for a
request is said beside it, as other work on the machine does not blur it; and the same over connections that are really
kept, which ab's are not (see `http_load`). `least` shows what is left to win: it parses and validates the request, and
an answer that is ready before it is asked.
"""

import json
import random
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from benchmarks import soap_servers
from benchmarks.http_load import Target, apache_bench, cpu_s, free_port, load

ROUNDS = 5
REQUESTS = 3000
CONNECTIONS = 16
NAMES = ("starlette", "least", "ours", "endpoint", "spyne", "spyne_simple", "spyne_uvicorn")


class Cost(NamedTuple):
    """What one server takes for a request."""

    wall_us: float
    """Time of the whole under ApacheBench: what a second holds of, is requests per second."""

    cpu_us: float
    """CPU of the server under ApacheBench."""

    kept_us: float
    """CPU of the server over kept connections."""

    kept_wall_us: float
    """Time of the whole over kept connections."""


def cost(name: str) -> Cost:
    """Return what a fresh server takes for a request."""
    port, body = free_port(), soap_servers.SIMPLE_REQUEST if name == "spyne_simple" else soap_servers.request()
    target = Target(port)
    if name == "endpoint":
        target = Target(port, f"/cim/{soap_servers.SERVICE.name}", ":".join(soap_servers.CREDENTIALS))
    server = subprocess.Popen([sys.executable, "-W", "ignore", "-m", "benchmarks.soap_servers", name, str(port)])
    try:
        for _ in range(200):
            time.sleep(0.1)
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
        load(target, body, 200, CONNECTIONS)
        before = cpu_s(server.pid)
        rate = apache_bench(target, body, REQUESTS, CONNECTIONS)
        between, begun = cpu_s(server.pid), time.monotonic()
        load(target, body, REQUESTS, CONNECTIONS)
        behind, took = cpu_s(server.pid), time.monotonic() - begun
        spent = (1 / rate, (between - before) / REQUESTS, (behind - between) / REQUESTS, took / REQUESTS)
        return Cost(*(seconds * 1e6 for seconds in spent))
    finally:
        server.terminate()
        server.wait(10)


def in_process_us(way: Callable[[], object]) -> float:
    """Return the CPU microseconds of one turn without HTTP, warm."""
    for _ in range(50):
        way()
    taken = []
    for _ in range(9):
        begun = time.process_time()
        for _ in range(200):
            way()
        taken.append((time.process_time() - begun) / 200)
    return round(statistics.median(taken) * 1e6, 1)


def servers() -> dict[str, float]:
    """Return the figures of the servers: medians over rounds of ratios taken in one round."""
    chance = random.Random(3)
    rounds = []
    for _ in range(ROUNDS):
        order = list(NAMES)
        chance.shuffle(order)
        rounds.append({name: cost(name) for name in order})

    def over(above: str, below: str, what: str = "wall_us") -> float:
        ratios: list[float] = [getattr(one[above], what) / getattr(one[below], what) for one in rounds]
        return round(statistics.median(ratios), 2)

    return {
        "ratio_to_starlette": over("starlette", "ours"),
        "ratio_to_starlette_cpu": over("starlette", "ours", "cpu_us"),
        "ratio_to_starlette_kept": over("starlette", "ours", "kept_us"),
        "ratio_least_to_starlette": over("starlette", "least"),
        "ratio_least_to_starlette_cpu": over("starlette", "least", "cpu_us"),
        "ratio_least_to_starlette_kept": over("starlette", "least", "kept_us"),
        "ratio_endpoint_to_starlette": over("starlette", "endpoint"),
        "x_spyne": over("spyne", "ours", "kept_wall_us"),
        "x_spyne_kept_cpu": over("spyne", "ours", "kept_us"),
        "x_spyne_ab": over("spyne", "ours"),
        "x_spyne_ab_cpu": over("spyne", "ours", "cpu_us"),
        "x_spyne_simple": over("spyne_simple", "ours", "kept_wall_us"),
        "x_spyne_simple_ab": over("spyne_simple", "ours"),
        "x_spyne_uvicorn": over("spyne_uvicorn", "ours", "kept_wall_us"),
        **{
            f"us_server_{called}": round(statistics.median(one[name].cpu_us for one in rounds), 1)
            for called, name in (("hello", "starlette"), ("ours", "ours"), ("spyne", "spyne"))
        },
    }


def run() -> dict[str, dict[str, Any]]:
    """Return the figures of `soap_get_meter_readings`."""
    raw = soap_servers.request()
    spyne, least = soap_servers.spyne_call(), soap_servers.least()
    alone = {
        "us_4_both_validated": in_process_us(lambda: soap_servers.answer(raw, 4)),
        "us_4_least": in_process_us(lambda: least(raw)),
        "us_4_spyne": in_process_us(spyne),
        "us_96_both_validated": in_process_us(lambda: soap_servers.answer(raw, 96)),
    }
    x_alone = round(alone["us_4_spyne"] / alone["us_4_both_validated"], 2)
    return {"soap_get_meter_readings": {**servers(), **alone, "x_spyne_in_process": x_alone}}


if __name__ == "__main__":
    print(json.dumps(run()))
