"""Load for a server on loopback: ApacheBench, and a loop of our own over connections that are really kept.

ApacheBench speaks HTTP/1.0, so that uvicorn closes every connection behind its answer, with `-k` too: a request under
it is accept, read, answer, close. Our loop speaks HTTP/1.1, and a server under it reads and answers alone.
"""

import base64
import re
import selectors
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple


def free_port() -> int:
    """Return a port of loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def cpu_s(pid: int) -> float:
    """Return the CPU seconds that the threads of a process have used, to the nanosecond."""
    return sum(int(path.read_text().split()[0]) for path in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9


class Target(NamedTuple):
    """Where a server of loopback is asked."""

    port: int
    path: str = "/"
    credentials: str = ""
    """User and password for HTTP Basic, joined by a colon; empty for none."""


def apache_bench(target: Target, body: bytes, requests: int, connections: int) -> float:
    """POST a body that many times with `ab -k`; return requests per second.

    Raises:
        SystemExit: ab is not installed, or an answer is not 200 or is cut short.
    """
    ab = shutil.which("ab")
    if ab is None:
        raise SystemExit("ab is missing: install it first, with apt-get install apache2-utils")
    with tempfile.NamedTemporaryFile() as file:
        file.write(body)
        file.flush()
        asked = ("-q", "-k", f"-c{connections}", f"-n{requests}", "-p", file.name, "-T", "text/xml; charset=utf-8")
        proof = ("-A", target.credentials) if target.credentials else ()
        url = f"http://127.0.0.1:{target.port}{target.path}"
        said = subprocess.run([ab, *asked, *proof, url], check=True, capture_output=True, text=True)
    rate = re.search(r"Requests per second:\s+([0-9.]+)", said.stdout)
    if rate is None or not re.search(r"Failed requests:\s+0\n", said.stdout) or "Non-2xx" in said.stdout:
        raise SystemExit(f"ab says: {said.stdout}")
    return float(rate[1])


class _Connection:
    """One kept connection: how much of the answer that it waits for is still to come."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._left: int | None = None

    def answered(self) -> bool:
        """Read what came; return whether the answer is whole.

        Raises:
            SystemExit: it is not 200, or holds a fault.
        """
        data = self.socket.recv(262_144)
        if self._left is None:
            head, _, body = data.partition(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200") or b"Fault" in body:
                raise SystemExit(f"answered: {data[:500]!r}")
            length = head.lower().partition(b"content-length:")[2].split()[0]
            self._left = int(length) - len(body)
        else:
            self._left -= len(data)
        if self._left:
            return False
        self._left = None
        return True


def load(target: Target, body: bytes, requests: int, connections: int) -> None:
    """POST a body that many times, over that many connections at once."""
    proof = base64.b64encode(target.credentials.encode()).decode()
    lines = (
        f"POST {target.path} HTTP/1.1",
        "Host: 127.0.0.1",
        "Content-Type: text/xml; charset=utf-8",
        f"Content-Length: {len(body)}",
        *((f"Authorization: Basic {proof}",) if proof else ()),
    )
    request = "\r\n".join((*lines, "", "")).encode() + body
    opened = [_Connection(target.port) for _ in range(connections)]
    with selectors.DefaultSelector() as ready:
        for one in opened:
            ready.register(one.socket, selectors.EVENT_READ, one)
            one.socket.sendall(request)
        asked, answered = connections, 0
        while answered < requests:
            for key, _ in ready.select(timeout=30):
                if key.data.answered():
                    answered += 1
                    if asked < requests:
                        asked += 1
                        key.data.socket.sendall(request)
    for one in opened:
        one.socket.close()
