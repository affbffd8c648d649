"""The days of the rollout: meters arrive, a wave is released, crews work, meters speak, and accounts are certified."""

import sqlite3
import time
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from rich.console import Console

from simulators.clock import set_business
from simulators.demo_processes import DemoError, Processes
from simulators.local_days import ZONE, at_local, midnight, utc_text
from simulators.mdms_xml import register_type
from simulators.rollout_books import home_of
from simulators.rollout_files import completions, offer, shipment
from simulators.rollout_sftp import root_of
from simulators.rollout_site import truth_of
from simulators.rollout_systems import order
from simulators.rollout_truth import CREWS, FIELD_DAY, Exchange, Truth, faces, streams_of, text_of

WAVE = "town"
CREW = "CREWCO"
A_FILE = 1000
"""Exchanges in one file of the contractor."""

READ_DAY = date(2026, 11, 19)
"""At its midnight the first whole day of every new meter is over."""

PATIENCE_S = 600.0


class Days:
    """Plays the rollout, step by step."""

    def __init__(self, processes: Processes, console: Console) -> None:
        """Play it with running systems."""
        self._processes, self._console = processes, console
        self._run = processes.run
        self.truth: Truth = truth_of(self._run.folder)

    def play(self) -> None:
        """Play everything.

        Raises:
            DemoError: a system died, refused, or something did not come to its end.
        """
        self._go(at_local(FIELD_DAY, 5), "the manufacturer says what it delivers")
        self._ship()
        self._go(at_local(FIELD_DAY, 7), "a wave is planned, frozen and released")
        self._release()
        self._go(at_local(FIELD_DAY, 17), "crews and the work system say what was done")
        self._complete()
        self._go(at_local(FIELD_DAY, 18), "the new meters register with the head-end")
        order(self._processes, "hes_ws", "registrations", {"at": utc_text(at_local(FIELD_DAY, 18))})
        self._until("heard", lambda states: _only(states, "HEARD", "CLOSED", "EXCLUDED"))
        self._go(at_local(READ_DAY, 6), "a day of reads is there: accounts are certified")
        self._read()
        self._until("closed", lambda states: _only(states, "CLOSED", "EXCLUDED"))

    def _ship(self) -> None:
        now = at_local(FIELD_DAY, 5)
        offer(root_of(self._run.folder, "maker"), shipment(self.truth.exchanges), now)
        wanted = len(self.truth.exchanges)
        self._wait("shipped meters are told", lambda: _heard(self, "hes_ws", "MeterConfig", wanted))

    def _release(self) -> None:
        for words in (("plan", WAVE), ("freeze", WAVE), ("release", WAVE, "--all")):
            said = self._processes.amihub("rollout", *words, "--by", "pat.planner").strip().splitlines()
            self._say(said[-1])
        wanted = len(self.truth.exchanges)
        self._wait("orders are with the work system", lambda: len(self._orders()) >= wanted)

    def _complete(self) -> None:
        now, orders = at_local(FIELD_DAY, 17), self._orders()
        told = [(one, orders[one.point.usage_point]) for one in self.truth.exchanges]
        by_file = [(one, name) for one, name in told if one.teller == CREWS]
        for number, start in enumerate(range(0, len(by_file), A_FILE), 1):
            some = by_file[start : start + A_FILE]
            offer(root_of(self._run.folder, "crews"), completions(CREW, number, some), now)
        works = [work_of(one, name) for one, name in told if one.teller != CREWS]
        order(self._processes, "wams_ws", "completions", {"works": works})
        self._until("commissioned", lambda states: _only(states, "HES_COMMISSIONED", "CLOSED", "EXCLUDED"))

    def _read(self) -> None:
        at = midnight(READ_DAY)
        values = {f"{one.new.manufacturer} {one.new.serial}": self._total(one, at) for one in self.truth.exchanges}
        points = {f"{one.new.manufacturer} {one.new.serial}": one.point.usage_point for one in self.truth.exchanges}
        what = {"at": utc_text(at), "reading_type": register_type("T0"), "values": values, "points": points}
        order(self._processes, "hes_ws", "reads", what)

    def _total(self, one: Exchange, at: datetime) -> str:
        return text_of(faces(one.new, one.point, streams_of(self.truth.seed, one.point), at)["T0"])

    def _orders(self) -> dict[str, str]:
        """Return the order of each usage point, as the work system has it."""
        rows = self.book("wams_ws", "SELECT usage_point, order_id FROM work")
        return dict(rows)

    def book(self, system: str, query: str) -> list[tuple[Any, ...]]:
        """Look into a system's books."""
        path = home_of(self._run.folder, system) / "books.sqlite"
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30) as db:
            found = db.execute(query).fetchall()
        db.close()
        return found

    def _states(self) -> Mapping[str, int]:
        """Return how many orders of the wave are in which state."""
        (standing,) = self._processes.report("rollout", "rollout", "status", "--json")
        return dict(standing["states"])

    def _until(self, what: str, enough: Callable[[Mapping[str, int]], bool]) -> None:
        self._wait(what, lambda: enough(self._states()))
        self._say(", ".join(f"{number:,} {state}" for state, number in sorted(self._states().items())))

    def _wait(self, what: str, reached: Callable[[], bool]) -> None:
        began = time.monotonic()
        while not reached():
            self._processes.check()
            if time.monotonic() - began > PATIENCE_S:
                raise DemoError(f"{what}: it did not come to that; see {self._run.folder / 'logs'}")
            time.sleep(1)
        self._say(f"{what} ({time.monotonic() - began:.0f} s)")

    def _go(self, at: datetime, text: str) -> None:
        set_business(self._run.clock, at, rate=0)
        self._console.print(f"[bold cyan]{at.astimezone(ZONE):%d.%m. %H:%M}[/]  {text}")

    def _say(self, text: str) -> None:
        self._console.print(f"       {text}", highlight=False, style="dim", soft_wrap=True)


def work_of(one: Exchange, name: str) -> dict[str, Any]:
    """Return an exchange as the work system tells it."""
    at = utc_text(one.at)

    def meter(of: Any, shown: Mapping[str, int]) -> dict[str, Any]:
        readings = [{"reading_type": register_type(register), "value": text_of(n)} for register, n in shown.items()]
        return {"manufacturer": of.manufacturer, "serial": of.serial, "readings": readings}

    return {
        "usage_point": one.point.usage_point, "order": name, "removed": meter(one.old, one.final),
        "installed": meter(one.new, one.first), "removed_at": at, "installed_at": at,
        "multiplier_seen": one.new.multiplier, "comms_ok": True,
    }  # fmt: skip


def _only(states: Mapping[str, int], *wanted: str) -> bool:
    return set(states) <= set(wanted)


def _heard(days: Days, system: str, noun: str, meters: int) -> bool:
    """Return whether a system holds that many meters that it was told to have in stock."""
    ((found,),) = days.book(system, "SELECT count(*) FROM device WHERE state = 'STOCK'")
    return int(found) >= meters
