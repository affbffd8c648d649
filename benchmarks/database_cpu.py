"""CPU seconds of a whole PostgreSQL server, as the kernel counts them: what a benchmark spends beside its process."""

import os
from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import Engine, text


class DatabaseCpu:
    """The processes of the server to which an engine is connected."""

    def __init__(self, engine: Engine) -> None:
        """Find the server's first process, of which all others are children."""
        with engine.connect() as connection:
            backend = int(connection.execute(text("SELECT pg_backend_pid()")).scalar_one())
        self._first = int(_stat(backend)[1])

    def spent_s(self) -> float:
        """Return CPU seconds of those of its processes that live: keep the connections that work open."""
        ticks = sum(sum(map(int, one[11:13])) for one in map(_stat, _pids()) if one and int(one[1]) == self._first)
        return ticks / os.sysconf("SC_CLK_TCK")


def _pids() -> Iterable[int]:
    return (int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit())


def _stat(pid: int) -> list[str]:
    """Return what the kernel says of a process, from its state on; nothing when it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
