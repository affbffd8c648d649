"""SOAP GetMeterReadings: CPU of a server for one request, ours validated both ways, beside Starlette's and spyne's.

Each server is a fresh process of one uvicorn worker on loopback, asked over 16 kept connections. What is compared is
the CPU that the server takes for a request: on two shared cores the load's own cost would hide it in wall time.
`least` shows what is left to win: it parses and validates the request, and an answer that is ready before it is asked.
"""

import json
import random
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

from benchmarks import soap_servers
from benchmarks.http_load import cpu_s, free_port, load

ROUNDS = 5
REQUESTS = 3000
CONNECTIONS = 16
NAMES = ("starlette", "least", "ours", "ours_threaded", "spyne")


def server_us(name: str) -> float:
    """Return the CPU microseconds that a fresh server takes for a request."""
    port, body = free_port(), soap_servers.SPYNE_REQUEST if name == "spyne" else soap_servers.request()
    server = subprocess.Popen([sys.executable, "-W", "ignore", "-m", "benchmarks.soap_servers", name, str(port)])
    try:
        for _ in range(200):
            time.sleep(0.1)
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
        load(port, body, 200, CONNECTIONS)
        before = cpu_s(server.pid)
        load(port, body, REQUESTS, CONNECTIONS)
        return (cpu_s(server.pid) - before) / REQUESTS * 1e6
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
        rounds.append({name: server_us(name) for name in order})

    def over(above: str, below: str) -> float:
        return round(statistics.median(one[above] / one[below] for one in rounds), 2)

    return {
        "ratio_to_starlette": over("starlette", "ours"),
        "ratio_least_to_starlette": over("starlette", "least"),
        "ratio_to_least": over("least", "ours"),
        "ratio_threaded_to_starlette": over("starlette", "ours_threaded"),
        "x_spyne": over("spyne", "ours"),
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
