"""The days of the rollout: meters arrive, a wave is released, crews work, meters speak, and accounts are certified."""

import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from rich.console import Console

from simulators.city_book import Meter
from simulators.clock import set_business
from simulators.demo_processes import DemoError, Processes
from simulators.local_days import ZONE, at_local, utc_text
from simulators.mdms_xml import register_type
from simulators.rollout_books import home_of, name_of
from simulators.rollout_boxes import FAILED, FREED, boxes_of, strangers_of
from simulators.rollout_files import completions, offer, shipments
from simulators.rollout_people import People
from simulators.rollout_sftp import root_of
from simulators.rollout_site import truth_of
from simulators.rollout_systems import order
from simulators.rollout_tellings import Named, Telling, first_told, told_again, told_later
from simulators.rollout_truth import CREWS, FIELD_DAY, Exchange, Truth, faces, streams_of, text_of

WAVE = "town"
CREW = "CREWCO"
A_FILE = 1000
"""Exchanges in one file of the contractor."""

READ_DAY, CERTIFIED_DAY = date(2026, 11, 18), date(2026, 11, 19)
"""First whole day of every new meter, and the day behind it."""

ON_THE_WAY = (
    *("ELIGIBLE", "RELEASED", "DISPATCHED", "DONE_IN_FIELD", "VALIDATED", "CIS_EXCHANGED", "MDM_SYNCED"),
    "CORRECTING",
)
"""States in which nothing stays by itself."""

PATIENCE_S = 1800.0

LOOK_S = 3.0
"""Between two looks at how far everything is: each is a command, and takes from the hub what it measures."""


class Days:
    """Plays the rollout, step by step."""

    def __init__(self, processes: Processes, console: Console) -> None:
        """Play it with running systems."""
        self._processes, self._console = processes, console
        self._run, self._files = processes.run, 0
        self.truth: Truth = truth_of(self._run.folder)
        self._people = People(processes, self.truth)

    def play(self) -> None:
        """Play everything.

        Raises:
            DemoError: a system died, refused, or something did not come to its end.
        """
        self._go(at_local(FIELD_DAY, 5), "the manufacturer says what it delivers")
        self._ship()
        self._go(at_local(FIELD_DAY, 7), "a wave is planned, frozen and released")
        self._release()
        self._go(at_local(FIELD_DAY, 10), "while crews work, some customers move out")
        self._move_out()
        self._go(at_local(FIELD_DAY, 17), "crews and the work system say what was done")
        self._complete()
        self._go(at_local(FIELD_DAY, 18), "the desk looks at what is open; some things are told once more")
        self._decide()
        self._go(at_local(FIELD_DAY, 19), "the new meters register with the head-end")
        self._register()
        self._go(at_local(READ_DAY, 14), "the new meters are read on their first whole day")
        self._read()
        self._go(at_local(CERTIFIED_DAY, 6), "that day is over: accounts are certified")
        self._until("closed", ("HEARD", "HES_COMMISSIONED", "ON_HOLD", "VERIFIED", "CERTIFIED"))

    def _ship(self) -> None:
        for sheet in shipments(self.truth):
            offer(root_of(self._run.folder, "maker"), sheet, at_local(FIELD_DAY, 5))
        wanted = sum(box.lot not in (FAILED, FREED) and box.has_keys for box in boxes_of(self.truth))
        self._wait("shipped meters are told", lambda: self._in_stock() >= wanted)

    def _release(self) -> None:
        for words in (("plan", WAVE), ("freeze", WAVE), ("release", WAVE, "--all")):
            said = self._processes.amihub("rollout", *words, "--by", "pat.planner").strip().splitlines()
            self._say(said[-1])
        wanted = len(self.truth.ordered)
        self._wait("orders are with the work system", lambda: len(self._orders()) >= wanted)

    def _move_out(self) -> None:
        """Let the CIS say whose agreements end this day."""
        at = utc_text(at_local(FIELD_DAY, 8))
        moving = [one for one in self.truth.visits if one.kind is not None and one.kind.name == "customer-moves"]
        ended = [
            {"id": one.point.agreement, "usage_point": one.point.usage_point, "end": at, "at": at} for one in moving
        ]
        if ended:
            said = order(self._processes, "cis_ws", "send", {
                "verb": "closed", "noun": "CustomerAgreementConfig", "objects": ended,
            })  # fmt: skip
            self._say(f"{len(ended)} agreements end: {said['result']}")

    def _complete(self) -> None:
        """Tell what was done; the first file breaks off, and is applied in no part."""
        told = first_told(self.truth, self._orders())
        by_file = [one for one in told if one.teller == CREWS]
        self._offer(by_file[:A_FILE], has_trailer=False)
        for start in range(0, len(by_file), A_FILE):
            self._offer(by_file[start : start + A_FILE])
        self._tell_by_wams([one for one in told if one.teller != CREWS])
        self._until("commissioned", waiting="lot-freed")

    def _decide(self) -> None:
        """Let persons decide, and the field correct, contradict, repeat and take back what it said."""
        for said in (self._people.free_a_lot(), self._people.let_pass(), self._people.uncross()):
            self._say(said)
        orders = self._orders()
        later = [*told_again(self.truth, orders), *told_later(self.truth, orders)]
        self._offer([one for one in later if one.teller == CREWS])
        self._tell_by_wams([one for one in later if one.teller != CREWS])
        self._until("decided")

    def _register(self) -> None:
        at = at_local(FIELD_DAY, 19)
        silent = [name_of(one.new) for one in self.truth.visits if one.kind is not None and one.kind.ends == "SILENT"]
        strangers = [{"manufacturer": one.manufacturer, "serial": one.serial} for one in strangers_of(self.truth)]
        what = {"at": utc_text(at), "silent": silent, "strangers": strangers}
        order(self._processes, "hes_ws", "registrations", what)
        still = [one for one in self.truth.visits if one.kind is not None and one.kind.name == "old-one-reads"]
        self._tell_reads([(one, one.old) for one in still], at)
        self._until("heard", ("HES_COMMISSIONED",))

    def _read(self) -> None:
        """Tell what every new meter that speaks showed at noon; who looks for it after the day finds it there."""
        speaking = {meter for (meter,) in self.book("hes_ws", "SELECT meter FROM device WHERE registered <> ''")}
        found = [(one, one.new) for one in self.truth.exchanges if name_of(one.new) in speaking]
        self._tell_reads(found, at_local(READ_DAY, 12))

    def _tell_reads(self, found: Sequence[tuple[Exchange, Meter]], at: datetime) -> None:
        """Let the head-end tell what meters show at an instant."""
        if not found:
            return
        values = {name_of(meter): self._total(one, meter, at) for one, meter in found}
        points = {name_of(meter): one.point.usage_point for one, meter in found}
        what = {"at": utc_text(at), "reading_type": register_type("T0"), "values": values, "points": points}
        order(self._processes, "hes_ws", "reads", what)

    def _offer(self, told: Sequence[Telling], *, has_trailer: bool = True) -> None:
        """Put a file of the contractor on offer."""
        self._files += 1
        sheet = completions(CREW, self._files, told, has_trailer=has_trailer)
        offer(root_of(self._run.folder, "crews"), sheet, at_local(FIELD_DAY, 17))

    def _tell_by_wams(self, told: Sequence[Telling]) -> None:
        order(self._processes, "wams_ws", "completions", {"works": [work_of(one) for one in told]})

    def _in_stock(self) -> int:
        """Return how many meters the head-end was told to have in stock."""
        ((found,),) = self.book("hes_ws", "SELECT count(*) FROM device WHERE state = 'STOCK'")
        return int(found)

    def _total(self, one: Exchange, meter: Meter, at: datetime) -> str:
        return text_of(faces(meter, one.point, streams_of(self.truth.seed, one.point), at)["T0"])

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

    def _until(self, what: str, gone: Sequence[str] = (), *, waiting: str = "") -> None:
        """Wait until no order is on its way any more, and none in a state of `gone` but those that stay in it.

        What is `waiting`, a kind of trouble, waits for a person before it is known to MDMS and head-end.
        """
        kinds = [one.kind for one in self.truth.visits if one.kind is not None]
        stay = Counter("CIS_EXCHANGED" if kind.name == waiting else kind.state for kind in kinds)

        def reached() -> bool:
            states = self._states()
            return all(states.get(state, 0) <= stay[state] for state in (*ON_THE_WAY, *gone))

        self._wait(what, reached)
        self._say(", ".join(f"{number:,} {state}" for state, number in sorted(self._states().items())))

    def _wait(self, what: str, reached: Callable[[], bool]) -> None:
        began = time.monotonic()
        while not reached():
            self._processes.check()
            if time.monotonic() - began > PATIENCE_S:
                raise DemoError(f"{what}: it did not come to that; see {self._run.folder / 'logs'}")
            time.sleep(LOOK_S)
        self._say(f"{what} ({time.monotonic() - began:.0f} s)")

    def _go(self, at: datetime, text: str) -> None:
        set_business(self._run.clock, at, rate=0)
        self._console.print(f"[bold cyan]{at.astimezone(ZONE):%d.%m. %H:%M}[/]  {text}")

    def _say(self, text: str) -> None:
        self._console.print(f"       {text}", highlight=False, style="dim", soft_wrap=True)


def work_of(one: Telling) -> dict[str, Any]:
    """Return something as the work system tells it."""

    def meter(named: Named, shown: Mapping[str, int]) -> dict[str, Any]:
        readings = [{"reading_type": register_type(register), "value": text_of(n)} for register, n in shown.items()]
        return {"manufacturer": named[0], "serial": named[1], "readings": readings}

    place = {"usage_point": one.usage_point, "order": one.order}
    if one.outcome == "UNABLE":
        return {**place, "state": "unable", "at": utc_text(one.installed_at), "reason": one.reason}
    own = {"removed": meter(one.old, one.final), "installed": meter(one.new, one.first)}
    if one.outcome == "REVERSED":
        return {**place, **own, "state": "reversed", "at": utc_text(one.installed_at)}
    return {
        **place, **own, "removed_at": utc_text(one.removed_at), "installed_at": utc_text(one.installed_at),
        "multiplier_seen": one.factor, "comms_ok": True,
    }  # fmt: skip
