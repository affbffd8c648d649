"""Questions to the MDMS of each usage point's territory, as if there were one MDMS."""

import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from canonical.errors import UnavailableError
from canonical.metering import MeterReadings, ReadingQuestion
from canonical.ports import Destination
from flows.routing.routes import Routes, Territory
from flows.routing.territories import territories_of
from store.session import Transaction

log = logging.getLogger(__name__)


class ByTerritory:
    """Asks each MDMS about its own usage points and merges the answers (canonical.ports.MeterDataSystem's question)."""

    def __init__(
        self,
        ports: Callable[[str], Any],
        *,
        routes: Routes,
        transaction: Transaction,
        now: Callable[[], datetime],
    ) -> None:
        """Keep who can be asked; `ports` gives the port of a role."""
        self._ports = ports
        self._routes = routes
        self._transaction = transaction
        self._now = now

    def readings(self, questions: Sequence[ReadingQuestion], *, timeout_s: float) -> Iterator[MeterReadings]:
        """Yield what the MDMSes hold; usage points of one that is away, or of no territory, are left out and logged.

        Raises:
            UnavailableError: every MDMS that had to be asked is away.
            RejectedError: one refused the question.
        """
        asked = self._split(questions)
        away: list[UnavailableError] = []
        for role, own in asked.items():
            try:
                yield from self._ports(role).readings(own, timeout_s=timeout_s)
            except UnavailableError as error:
                log.warning("%s is away, %d usage points are not answered: %s", role, len(own), error.code)
                away.append(error)
        if away and len(away) == len(asked):
            raise away[0]

    def destination(self, role: str) -> Destination:
        """Return the port of one of its MDMSes, to be told something."""
        port: Destination = self._ports(role)
        return port

    def homes(self, usage_points: Collection[str]) -> Mapping[str, str]:
        """Return the role of the MDMS of each usage point; those of no territory are left out."""
        with self._transaction() as session:
            found = territories_of(session, sorted(set(usage_points)), routes=self._routes, at=self._now())
        return {
            point: home.meter_data for point, home in found.items() if isinstance(home, Territory) and home.meter_data
        }

    def _split(self, questions: Sequence[ReadingQuestion]) -> Mapping[str, list[ReadingQuestion]]:
        """Return the questions by the role that is asked."""
        homes = self.homes({one.usage_point for one in questions})
        asked: dict[str, list[ReadingQuestion]] = {}
        for question in questions:
            if question.usage_point in homes:
                asked.setdefault(homes[question.usage_point], []).append(question)
            else:
                log.warning("usage point %s is asked of nobody: no territory", question.usage_point)
        return asked
