"""Kill a scenario at every boundary, run it again, and see that the end is the same.

A boundary is the moment before or after a commit, and the moment before or after a port is called (and between the
things that a port yields). Product code has no hooks: the scenario wraps the arguments that flows take anyway.

    class Scenario:                              # any object with these three methods
        def prepare(self, place): ...            # make the outside world in place.folder; nothing is killed here
        def run(self, place, boundaries, start): # the whole scenario, from whatever state it finds
            transaction = boundaries.transaction(transactions(open_engine(place.url)))
            port = boundaries.port(MyPort(place.folder))
            flow(port, transaction=transaction, now=NOW, machine_now=NOW + timedelta(hours=start))
        def observe(self, place):                # the end state as JSON: files, effects, and rows without machine
            ...                                  # times and counted-up numbers (PostgreSQL takes none back)

    def test_...(databases, tmp_path):
        boundaries = survive_every_kill(Scenario(), databases=databases, folder=tmp_path)

`run` is called in a process of its own, which kills itself with SIGKILL at boundary 1; then again, in a clean process,
with `start` 1 and no kill; `observe` tells the end state, which has to equal that of a run nobody disturbed. The same
from a fresh database for boundary 2, 3, ... until a run reaches its end alive. `start` counts the runs, so that the
scenario lets leases expire by adding time. Open engines inside `run` and `observe` only: processes are forked.

`with boundaries.renames():` adds the moment before and after a file gets its name.

`stride` tries every n-th boundary from `first` on: a scenario with hundreds of them is shared out among tests. Of those
`make test` tries about a hundred, evenly spread, a third of that on PostgreSQL; `make kills` tries all.
"""

import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from store.session import Session, Transaction


@dataclass(frozen=True, slots=True)
class Place:
    """Where one run of a scenario lives."""

    folder: Path
    """Empty before `prepare`: the outside systems and the spool."""

    url: str
    """Hub database with all tables, empty before the first run."""


@dataclass(slots=True)
class Boundaries:
    """Counts the boundaries that a run reaches, and kills the process at one of them."""

    kill_at: int = 0
    """1 for the first boundary; 0 never kills."""

    reached: list[str] = field(default_factory=list)

    def reach(self, name: str) -> None:
        """Count a boundary; the process ends here when it is the one."""
        self.reached.append(name)
        if len(self.reached) == self.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def transaction(self, inner: Transaction) -> Transaction:
        """Return the same opener of transactions with a boundary on either side of each commit."""

        @contextmanager
        def bounded() -> Iterator[Session]:
            with inner() as session:
                yield session
                session.flush()
                self.reach("before commit")
            self.reach("after commit")

        opener: Callable[[], AbstractContextManager[Session]] = bounded
        return opener

    def port(self, inner: Any) -> Any:
        """Return the same port with a boundary on either side of each call."""
        return _BoundedPort(inner, self)

    @contextmanager
    def renames(self) -> Iterator[None]:
        """Put a boundary on either side of each naming of a file: `pathlib` names files by these two calls too."""
        kept = {name: getattr(os, name) for name in ("rename", "replace")}
        for name, inner in kept.items():
            setattr(os, name, self._bounded(name, inner))
        try:
            yield
        finally:
            for name, inner in kept.items():
                setattr(os, name, inner)

    def _bounded(self, name: str, inner: Callable[..., None]) -> Callable[..., None]:
        def bounded(*args: Any, **kwargs: Any) -> None:
            self.reach(f"before {name}")
            inner(*args, **kwargs)
            self.reach(f"after {name}")

        return bounded


class _BoundedPort:
    """A port whose every call is surrounded by boundaries."""

    def __init__(self, inner: Any, boundaries: Boundaries) -> None:
        self._inner = inner
        self._boundaries = boundaries

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._inner, name)
        return self._bounded(name, value) if callable(value) else value

    def _bounded(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def bounded(*args: Any, **kwargs: Any) -> Any:
            self._boundaries.reach(f"before {name}")
            result = call(*args, **kwargs)
            if isinstance(result, Iterator):
                return self._yielding(name, result)
            self._boundaries.reach(f"after {name}")
            return result

        return bounded

    def _yielding(self, name: str, things: Iterator[Any]) -> Iterator[Any]:
        for thing in things:
            yield thing
            self._boundaries.reach(f"within {name}")
        self._boundaries.reach(f"after {name}")


class Scenario(Protocol):
    """A story with an end state."""

    def prepare(self, place: Place) -> None:
        """Make the outside world."""

    def run(self, place: Place, boundaries: Boundaries, start: int) -> None:
        """Play the story to its end, from whatever state is found; `start` is 0 at first and 1 after the kill."""

    def observe(self, place: Place) -> Any:
        """Return the end state, as JSON can hold it."""


TRIED, TRIED_ON_POSTGRESQL = 100, 35
"""Boundaries of a story at which `make test` kills it, spread evenly; of a shorter one all. `make kills` tries all."""


class ScenarioFailedError(AssertionError):
    """A run of the scenario ended with an error of its own."""


def survive_every_kill(
    scenario: Scenario,
    *,
    databases: Callable[[], str],
    folder: Path,
    first: int = 1,
    stride: int = 1,
    at_least: int = 2,
) -> list[str]:
    """Kill the scenario at each boundary in turn, run it again each time, and return the names of the boundaries.

    Raises:
        AssertionError: a run that was killed and repeated ended otherwise than one that was not, or the scenario
            has fewer boundaries than `at_least` (then it wraps nothing).
    """
    calm = _new_place(scenario, databases, folder / "calm")
    names: list[str] = _result(_in_process(lambda: _run(scenario, calm, 0, 0), folder))
    expected = _observed(scenario, calm, folder)
    assert len(names) >= at_least, f"only {len(names)} boundaries: {names}"
    thin = _thinned(calm, len(names))
    for number in range(1 + (first - 1) * thin, len(names) + 1, stride * thin):
        place = _new_place(scenario, databases, folder / f"killed_{number}")
        killed = _in_process(lambda at=number, where=place: _run(scenario, where, at, 0), folder)  # type: ignore[misc]
        assert killed is None, f"boundary {number} of {len(names)} was not reached: a run is not the same twice"
        _result(_in_process(lambda where=place: _run(scenario, where, 0, 1), folder))  # type: ignore[misc]
        found = _observed(scenario, place, folder)
        assert found == expected, f"killed at boundary {number}, {names[number - 1]} ({names[:number]})"
    return names


def _thinned(place: Place, boundaries: int) -> int:
    """Return of how many boundaries one is tried, so that about as many are as there is time for."""
    if os.environ.get("KILLS") == "all":
        return 1
    return -(-boundaries // (TRIED_ON_POSTGRESQL if place.url.startswith("postgresql") else TRIED))


def _new_place(scenario: Scenario, databases: Callable[[], str], folder: Path) -> Place:
    folder.mkdir()
    place = Place(folder, databases())
    scenario.prepare(place)
    return place


def _run(scenario: Scenario, place: Place, kill_at: int, start: int) -> list[str]:
    boundaries = Boundaries(kill_at)
    scenario.run(place, boundaries, start)
    return boundaries.reached


def _observed(scenario: Scenario, place: Place, folder: Path) -> Any:
    return _result(_in_process(lambda: scenario.observe(place), folder))


@dataclass(frozen=True, slots=True)
class _Ended:
    value: Any
    error: str = ""


def _result(ended: _Ended | None) -> Any:
    if ended is None:
        raise ScenarioFailedError("killed although nobody asked for it")
    if ended.error:
        raise ScenarioFailedError(ended.error)
    return ended.value


def _in_process(work: Callable[[], Any], folder: Path) -> _Ended | None:
    """Return what the work returned in a process of its own, or None when that was killed."""
    answer = folder / "answer.json"
    answer.unlink(missing_ok=True)
    sys.stdout.flush()
    process = os.fork()
    if process == 0:
        _work_and_leave(work, answer)
    _, status = os.waitpid(process, 0)
    if os.WIFSIGNALED(status):
        if os.WTERMSIG(status) == signal.SIGKILL:
            return None
        return _Ended(None, f"ended by signal {os.WTERMSIG(status)}")
    content = json.loads(answer.read_text())
    return _Ended(content["value"], content["error"])


def _work_and_leave(work: Callable[[], Any], answer: Path) -> None:
    """Do the work in this (forked) process and end it without the test run's own clean-up."""
    value, error = None, ""
    try:
        value = work()
    except BaseException:  # noqa: BLE001 - whatever it is, the parent process has to see it
        error = traceback.format_exc()
    answer.write_text(json.dumps({"value": value, "error": error}))
    os._exit(0)
