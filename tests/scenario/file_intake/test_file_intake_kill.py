"""Killed at any boundary and run again, a poll has the same end: one effect of each item, one answer of each file."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from file_partner import START, Counting, FolderPartner, content, create_effects, effects, name
from kill_harness import Boundaries, Place, survive_every_kill
from sqlalchemy import text

from flows.file_intake import IntakePolicy, take_in
from store.session import open_engine, transactions


class OnePoll:
    """A good file, one with a bad item, a damaged one, one behind a gap and a copy, all offered at once."""

    def prepare(self, place: Place) -> None:
        partner = FolderPartner(place.folder / "partner")
        partner.offer(name(1), content("a|1", "b|2", "c|3"))
        partner.offer(name(2), content("d|1", "e|x"))
        partner.offer(name(3), content("f|1", trailer=""))
        partner.offer(name(4), content("a|1", "b|2", "c|3"))
        partner.offer(name(6), content("g|1"))
        engine = open_engine(place.url)
        with transactions(engine)() as session:
            create_effects(session)
        engine.dispose()

    def run(self, place: Place, boundaries: Boundaries, start: int) -> None:
        handler = Counting()
        engine = open_engine(place.url)
        take_in(
            "cis",
            boundaries.port(FolderPartner(place.folder / "partner")),
            handlers={"request": handler},
            transaction=boundaries.transaction(transactions(engine)),
            spool=place.folder / "spool",
            now=START,
            machine_now=START + timedelta(hours=start),
            policy=IntakePolicy(batch_size=2, max_error_percent=Decimal(60)),
        )
        engine.dispose()

    def observe(self, place: Place) -> Any:
        engine = open_engine(place.url)
        with transactions(engine)() as session:
            seen = {
                "effects": effects(session),
                "answers": _rows(session, "SELECT key, sha256, state FROM delivery ORDER BY key"),
                "files": _rows(session, "SELECT name, arrival, state, code, verdict FROM intake_file ORDER BY name"),
                "messages": _rows(session, "SELECT name, state, code FROM message ORDER BY name"),
            }
        engine.dispose()
        for folder in ("outbox", "archive", "reject"):
            seen[folder] = FolderPartner(place.folder / "partner").left(folder)
        return seen


def _rows(session: Any, query: str) -> list[list[Any]]:
    return [list(row) for row in session.execute(text(query))]


@pytest.mark.slow
def test_a_poll_killed_at_any_boundary_ends_as_one_that_nobody_disturbed(databases: Any, tmp_path: Path) -> None:
    boundaries = survive_every_kill(OnePoll(), databases=databases, folder=tmp_path)

    assert len(boundaries) > 50
