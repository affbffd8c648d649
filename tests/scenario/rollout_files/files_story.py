"""Stories of a rollout's files: partners' files as they lie in `given`, what people do meanwhile, what comes of it."""

import tomllib
from dataclasses import dataclass, field
from datetime import date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

from routes_by_hand import Street, day
from shipments_by_hand import Dock

from adapters.registry import load
from canonical.messages import Item
from canonical.periods import Period
from flows.file_handling import FileContext
from flows.manual_route import ManualReadsHandler, extract
from flows.routing import Routes, Sending
from flows.shipments import ShipmentHandler, release
from store import readings, route_extracts, shipments, work
from store.session import Transaction

SETTINGS = {"host": "sftp.example", "user": "amihub", "host_keys": ["ssh-ed25519 AAAA"]}
ADAPTERS = {"SH": "shipment_file", "MR": "route_file"}


@dataclass
class Story:
    """One hub that lives a story."""

    transaction: Transaction
    given: Path
    dock: Dock = field(init=False)
    street: Street = field(init=False)
    verdicts: list[str] = field(default_factory=list)
    """Of every item of every file: key, verdict, code."""

    def __post_init__(self) -> None:
        """Begin with nothing."""
        self.dock, self.street = Dock(self.transaction), Street(self.transaction)

    def live(self) -> None:
        """Do every step of the story in order."""
        for step in tomllib.loads((self.given / "story.toml").read_text())["step"]:
            what, at = step.pop("do"), step.pop("at", None)
            getattr(self, what)(at, **step)

    def point(self, _at: datetime, *, name: str, serial: str, since: float, house: str) -> None:
        """A usage point of the route stands there with a meter of ACME, since some day of the street."""
        self.street.point(name, house=house)
        self.street.hang(name, serial, since)

    def exchanged(self, _at: datetime, *, name: str, old: str, new: str, on: float) -> None:
        """A meter was exchanged, and the hub believes it."""
        self.street.hang(name, old, -100, on)
        self.street.hang(name, new, on)

    def route(self, at: datetime, *, on: date) -> None:
        """The route is handed out."""
        sending = Sending(Routes(), self.street.encode, at)
        extract("R-7", on, policy=self.street.policy, sending=sending, transaction=self.transaction)

    def released(self, at: datetime, *, lot: str) -> None:
        """A person releases a lot."""
        sending = Sending(Routes(), self.dock.encode, at)
        release(
            lot, by="ada", reason="retested", policy=self.dock.policy, sending=sending, transaction=self.transaction
        )

    def answers(self, _at: datetime, *, role: str) -> None:
        """A system takes everything that it was told."""
        self.dock.answer(role)

    def file(self, at: datetime, *, name: str) -> None:
        """A file of a partner is taken in."""
        port, wire = load(ADAPTERS[name[:2]], SETTINGS), (self.given / name).read_bytes()
        identity = port.identify(name)
        facts = port.examine(BytesIO(wire), identity=identity, where=name)
        shipment = ShipmentHandler(self.dock.policy, self.dock.masters, Routes(), self.dock.encode)
        handler: Any = shipment if identity.kind == "shipment" else ManualReadsHandler()
        context = FileContext(f"id of {name}", "partner", name, identity, facts, "0" * 64, at)
        batch: list[Item[Any]] = list(port.items(BytesIO(wire), identity=identity, where=name))
        with self.transaction() as session:
            handler.begin(session, context)
            found = handler.handle(session, context, batch, now=at)
            handler.finish(session, context, now=at)
        self.verdicts += [f"{one.key}: {one.verdict} {one.code}".strip() for one in found]

    def outcome(self) -> dict[str, Any]:
        """Return what came of it, in the words of the store."""
        with self.transaction() as session:
            meters = shipments.listed(session)
            stops = [row for rows in route_extracts.of_points(session, {"U1", "U2"}).values() for row in rows]
            kept = readings.registers_held(session, {"U1", "U2"}, Period(day(-500), day(500)))
            codes = ("8091 LOT_FAILED", "8020 KEYS_MISSING", "8097 METER_FAILED", "8096 ROUTE_STALE")
            open_work = {code: len(work.open_of_code(session, code)) for code in codes}
        told: dict[str, int] = {}
        for role, verb, names in self.dock.sent:
            told[f"{role} {verb}"] = told.get(f"{role} {verb}", 0) + len(names)
        return {
            "verdicts": self.verdicts,
            "meters": {row["serial"]: f"{row['state']} {row['code']}".strip() for row in meters},
            "told": told,
            "stops": sorted(f"{row['business_date']} {row['usage_point']} {row['state']}" for row in stops),
            "reads": sorted(f"{point} {one.value}" for point, found in kept.items() for one in found),
            "work": {code: number for code, number in open_work.items() if number},
        }
