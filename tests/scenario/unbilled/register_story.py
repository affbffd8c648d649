"""Plays a billing story, counts the register at the steps that ask for it, and tells its entries one line each."""

import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[1] / "billing_exchange"))

from billing_book import Book
from billing_story import Story

from canonical.customers import BillCycleDay, CustomerAgreement
from canonical.periods import Period
from canonical.unbilled import UnbilledEntry
from flows import unbilled
from flows.unbilled import Average, Policy
from flows.unbilled.report import read_entries
from store import readings
from store.session import Transaction


class RegisterBook(Book):
    """Masters of a story in which agreements may be missing, or differ from each other."""

    def masters(self, only: list[str] | None = None) -> list[Any]:
        """Return the masters; `agreement` of a usage point changes fields of its agreement, or is false."""
        points = {up["id"]: up for up in self.told["usage_point"]}
        found: list[Any] = []
        for thing in super().masters(only):
            if isinstance(thing, CustomerAgreement):
                said = points[thing.usage_point].get("agreement", {})
                if said is False:
                    continue
                said = {k: self.at(v) if k.startswith("valid") else v for k, v in said.items()}
                thing = replace(thing, **said)
            found.append(thing)
        days = self.told.get("cycle_day", []) if only is None else []
        return [*found, *(self._cycle_day(*row) for row in days)]

    def _cycle_day(self, day: str, start: str, end: str) -> BillCycleDay:
        """Return one date of cycle 07."""
        return BillCycleDay("07", date.fromisoformat(day), Period(self.at(start), self.at(end)))


class RegisterStory(Story):
    """A story whose steps may say `register = true`: then the MDMS tells all that it holds, and the day is counted."""

    def __init__(self, folder: Path, transaction: Transaction, room: Path) -> None:
        super().__init__(folder, transaction, room)
        self.book = RegisterBook(self.told, self.zone, self.at)
        said = dict(self.told.get("unbilled", {}))
        averages = tuple(_average(one) for one in said.pop("averages", []))
        if "since" in said:
            said["since"] = date.fromisoformat(said["since"])
        self.register = Policy(zone=self.zone.key, averages=averages, currency="CAD", **said)
        self.lines: dict[str, list[str]] = {}

    def register_lines(self) -> dict[str, list[str]]:
        """Return the entries of each counted day, one line each."""
        self.play()
        return self.lines

    def _step(self, step: dict[str, Any]) -> None:
        super()._step(step)
        if not step.get("register"):
            return
        now = self.at(step["at"])
        with self.transaction() as session:
            readings.keep(session, [one for each in self.book.readings.values() for one in each], now=now)
        counted = unbilled.run(self.register, transaction=self.transaction, now=now)
        entries = list(read_entries(transaction=self.transaction, day=counted.day))
        assert len(entries) == counted.entries
        self.lines[step["at"]] = [line_of(entry, self.zone) for entry in entries]


def line_of(entry: UnbilledEntry, zone: Any) -> str:
    """Return an entry as a person would check it."""
    who = entry.agreement or entry.usage_point
    received = f", received {_plain(entry.received)}" if entry.received else ""
    parts = {"averaged": entry.averaged, "corrected": entry.corrected}
    inside = "".join(f", {_plain(value)} {name}" for name, value in parts.items() if value)
    worth = "no rate" if entry.money_minor is None else f"{Decimal(entry.money_minor).scaleb(-2):.2f} CAD"
    by = f" by {entry.average_by}" if entry.average_by else ""
    since = entry.since.astimezone(zone).strftime("%m-%d %H:%M")
    read_at = entry.read_at.astimezone(zone).strftime("%m-%d %H:%M") if entry.read_at else "never"
    return (
        f"{who} {entry.reason} ({entry.evidence}): {_plain(entry.quantity)} {entry.unit}{received}{inside}, {worth}, "
        f"{entry.basis}{by}; since {since} ({entry.since_by}), read {read_at}, due {entry.due:%m-%d}, age {entry.age}"
        + (f", {len(entry.work)} work" if entry.work else "")
    )


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"


def _average(said: Mapping[str, Any]) -> Average:
    """Return one average of a story."""
    numbers = {"rate", "received_rate", "daily_use"}
    return Average(**{k: Decimal(str(v)) if k in numbers else v for k, v in said.items()})


if __name__ == "__main__":  # tells what a story comes to: python register_story.py FOLDER
    from tempfile import TemporaryDirectory

    from store.session import open_engine, transactions
    from store.tables import METADATA

    for name in sys.argv[1:]:
        with TemporaryDirectory() as room:
            engine = open_engine(f"sqlite:///{room}/hub.db")
            METADATA.create_all(engine)
            told = RegisterStory(Path(name), transactions(engine), Path(room)).register_lines()
            sys.stdout.write(json.dumps(told, indent=2) + "\n")
