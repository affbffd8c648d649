"""SOAP GetMeterReadings: requests for each CPU second of a server, ours validated both ways, Starlette's and spyne's.

Each server is a fresh process on loopback, asked over kept connections by a bounded load loop. What is compared is the
CPU that the server takes for a request: on two shared cores the load loop's own cost would hide it in wall time.
"""

import http.client
import json
import socket
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks import soap_servers

ROUNDS = 3
REQUESTS = 800
CONNECTIONS = 4


def free_port() -> int:
    """Return a port of loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def cpu_s(pid: int) -> float:
    """Return the CPU seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def ask(port: int, body: bytes, times: int) -> None:
    """Ask over one connection that many times."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    for _ in range(times):
        connection.request("POST", "/", body, {"Content-Type": "text/xml; charset=utf-8"})
        answered = connection.getresponse()
        text = answered.read()
        if answered.status != 200 or b"Fault" in text:
            raise SystemExit(f"HTTP {answered.status}: {text[:300]!r}")
    connection.close()


def per_second(name: str) -> float:
    """Return how many requests a fresh server answers for one second of its CPU."""
    port, body = free_port(), soap_servers.SPYNE_REQUEST if name == "spyne" else soap_servers.request()
    server = subprocess.Popen([sys.executable, "-W", "ignore", "-m", "benchmarks.soap_servers", name, str(port)])
    try:
        for _ in range(200):
            time.sleep(0.1)
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
        ask(port, body, 50)
        before = cpu_s(server.pid)
        with ThreadPoolExecutor(CONNECTIONS) as pool:
            list(pool.map(lambda _: ask(port, body, REQUESTS // CONNECTIONS), range(CONNECTIONS)))
        return REQUESTS / max(cpu_s(server.pid) - before, 0.01)
    finally:
        server.terminate()
        server.wait(10)


def in_process_us(count: int) -> float:
    """Return the CPU microseconds of one request without HTTP, validated both ways."""
    raw = soap_servers.request()
    for _ in range(50):
        soap_servers.answer(raw, count)
    taken = []
    for _ in range(5):
        begun = time.process_time()
        for _ in range(200):
            soap_servers.answer(raw, count)
        taken.append((time.process_time() - begun) / 200)
    return round(statistics.median(taken) * 1e6, 1)


def run() -> dict[str, dict[str, Any]]:
    """Return the figures of `soap_get_meter_readings`."""
    ratios: dict[str, list[float]] = {"starlette": [], "spyne": []}
    for _ in range(ROUNDS):
        ours = per_second("ours")
        for name, found in ratios.items():
            found.append(ours / per_second(name))
    return {
        "soap_get_meter_readings": {
            "ratio_to_starlette": round(statistics.median(ratios["starlette"]), 2),
            "x_spyne": round(statistics.median(ratios["spyne"]), 1),
            "us_4_both_validated": in_process_us(4),
            "us_96_both_validated": in_process_us(96),
        }
    }


if __name__ == "__main__":
    print(json.dumps(run()))
