"""The kill harness finds what it is there to find."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from kill_harness import Boundaries, Place, ScenarioFailedError, survive_every_kill
from sqlmodel import select

from store import acts
from store.acts import Act
from store.session import open_engine, transactions

pytestmark = pytest.mark.slow

AT = datetime(2026, 3, 2, tzinfo=UTC)


class Counter:
    """An outside system that counts calls: never the same twice."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "calls"

    def call(self) -> None:
        with self.file.open("a") as file:
            file.write("x")


class Careless:
    """Calls the outside system and notes it afterwards, without looking whether it called before."""

    careful = False

    def prepare(self, place: Place) -> None:
        """The outside is empty."""

    def run(self, place: Place, boundaries: Boundaries, start: int) -> None:
        engine = open_engine(place.url)
        transaction = boundaries.transaction(transactions(engine))
        port = boundaries.port(Counter(place.folder))
        with transaction() as session:
            done = session.exec(select(Act)).all()
        if not done and not (self.careful and (place.folder / "calls").exists()):
            port.call()
        if not done:
            with transaction() as session:
                acts.note(session, "outside", "called", by="test", reason="", at=AT)
        engine.dispose()

    def observe(self, place: Place) -> Any:
        return (place.folder / "calls").read_text()


class Careful(Careless):
    """Looks at the outside first."""

    careful = True


class Broken(Careless):
    """Fails by itself when it is run again."""

    def run(self, place: Place, boundaries: Boundaries, start: int) -> None:
        if start:
            raise KeyError("cannot be run again")
        super().run(place, boundaries, start)


def test_an_effect_that_a_kill_repeats_is_found_and_named(sqlite_databases: Callable[[], str], tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="after call"):
        survive_every_kill(Careless(), databases=sqlite_databases, folder=tmp_path)


def test_a_scenario_that_survives_tells_its_boundaries(sqlite_databases: Callable[[], str], tmp_path: Path) -> None:
    around_commit = ["before commit", "after commit"]

    boundaries = survive_every_kill(Careful(), databases=sqlite_databases, folder=tmp_path)

    assert boundaries == [*around_commit, "before call", "after call", *around_commit]


def test_an_error_of_the_scenario_is_shown(sqlite_databases: Callable[[], str], tmp_path: Path) -> None:
    with pytest.raises(ScenarioFailedError, match="cannot be run again"):
        survive_every_kill(Broken(), databases=sqlite_databases, folder=tmp_path)


def test_a_scenario_that_wraps_nothing_proves_nothing(sqlite_databases: Callable[[], str], tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="boundaries"):
        survive_every_kill(Careful(), databases=sqlite_databases, folder=tmp_path, at_least=7)
