"""A hub with validated exchanges, and the five systems that are told of them: they keep what they were told."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

from canonical.codes.message import PARTNER_REFUSED, PARTNER_TOOK_PART
from canonical.commissioning import Commissioning
from canonical.errors import UnavailableError
from canonical.event_kinds import EventKind
from canonical.events import EndDeviceEvent
from canonical.holdings import Holding
from canonical.ids import meter_mrid, mint
from canonical.master_data import Link, MasterData, Meter, MeterExchange
from canonical.messages import Message, Outcome, Parcel, Several
from canonical.metering import MeterReadings, RegisterReading, UsagePoint
from canonical.quality import Quality
from canonical.refusals import OPERATION, Refusal, refusals_to_text
from flows.delivery import DeliveryPolicy, relay_once
from flows.meter_rollout import sequence, strays, verification
from flows.meter_rollout.policy import SYSTEMS, Policy
from flows.reference_rows import rows_of
from flows.routing import Routes, Sending
from store import end_device_events, readings, reference, rollout_orders, rollout_steps, work
from store.rows import Row
from store.session import Session, Transaction

T = datetime(2026, 3, 2, 15, tzinfo=UTC)
"""When exchanges are done, unless a test says otherwise: ten in the morning in Toronto."""

SINCE = datetime(2026, 1, 1, tzinfo=UTC)
KWH = "0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.72.0"
POLICY = Policy(
    zone="America/Toronto",
    roles={name: name for name in SYSTEMS},
    askable=frozenset({"mdms", "hes"}),
    batch=4,
)
PATIENCE = DeliveryPolicy(base_s=1, cap_s=2, attempts=3, breaker_failures=1000)


class Office:
    """One system: takes what it is told, can be away, refuse, be silent, and be asked."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.told: list[dict[str, Any]] = []
        self.is_away = self.is_silent = False
        self.refuses: Callable[[dict[str, Any]], bool] = lambda _said: False
        self.answers: Outcome | None = None
        """What it answers to everything, and takes none of it."""
        self.forgets = False
        """Whether it confirms what it does not keep."""

    def encode(self, message: Message[Any], *, spool: Path) -> Parcel:
        several = message.payload.messages if isinstance(message.payload, Several) else (message,)
        body = json.dumps([_stated(one) for one in several], sort_keys=True).encode()
        name = message.header.message_id
        return Parcel(name, "text/plain", sha256(body).hexdigest(), len(body), body, key=name, confirm_name=name)

    def carry(self, parcels: Sequence[Parcel], *, spool: Path, timeout_s: float) -> Sequence[Outcome]:
        return [self._take(json.loads(one.body or b"[]")) for one in parcels]

    def _take(self, several: list[dict[str, Any]]) -> Outcome:
        if self.is_away or self.answers is not None:
            return self.answers or Outcome("unavailable", reason="away")
        bad = [number for number, said in enumerate(several, 1) if self.refuses(said)]
        for number, said in enumerate(several, 1):
            if number not in bad and not self.forgets and said not in self.told:
                self.told.append(said)
        if bad and len(several) == 1:
            return Outcome("rejected", str(PARTNER_REFUSED), "not that one")
        if bad:
            code = PARTNER_TOOK_PART if len(bad) < len(several) else PARTNER_REFUSED
            said = refusals_to_text(Refusal(OPERATION, str(number), "2.4", "not that one") for number in bad)
            return Outcome("rejected", str(code), said)
        return Outcome("sent" if self.is_silent else "confirmed")

    def held(self, noun: str, ids: Sequence[str], *, as_of: datetime, timeout_s: float) -> Iterable[MasterData]:
        if self.is_away:
            raise UnavailableError("away", code=PARTNER_REFUSED)
        for one in ids:
            if noun == "MeterConfig" and (status := self.status_of(one)):
                meter = Meter(one, "ACME", "?", "ELECTRICITY", Decimal(1), status=status)
                yield MasterData("create", noun, as_of, (meter,))
            elif noun == "UsagePointConfig":
                point = UsagePoint(one, one, "UTC", "ELECTRICITY", "MANUAL", as_of)
                links = tuple(Link(one, meter) for meter in self.meters_at(one))
                yield MasterData("create", noun, as_of, (point, *links))

    def meters_at(self, point: str) -> list[str]:
        """Return what hangs at a usage point, by the links that it was told."""
        found: dict[str, None] = {}
        for said in self.told:
            if said["noun"] == "MasterDataLinkageConfig" and said["point"] == point:
                found.pop(said["meter"], None)
                if said["verb"] == "create":
                    found[said["meter"]] = None
        return list(found)

    def status_of(self, meter: str) -> str:
        """Return the life cycle state of a meter, as it was told last."""
        own = [said["status"] for said in self.told if said.get("meter") == meter and "status" in said]
        return own[-1] if own else ""


def _stated(message: Message[Any]) -> dict[str, Any]:
    header = message.header
    return {"id": header.message_id, "verb": header.verb, "noun": header.noun, **_said(message)}


def _said(message: Message[Any]) -> dict[str, Any]:
    payload = message.payload
    if isinstance(payload, Commissioning):
        status = "Active" if payload.act == "COMMISSION" else "Decommissioned"
        return {"meter": payload.meter, "status": status, "at": payload.at.isoformat()}
    if isinstance(payload, tuple):
        values = [[r.meter, r.taken_at.isoformat(), str(r.value)] for one in payload for r in one.registers]
        return {"values": values}
    at, (thing,) = {"at": payload.effective_at.isoformat()}, payload.things
    if isinstance(thing, MeterExchange):
        meters = {
            "old": thing.removed.meter if thing.removed else "",
            "new": thing.installed.meter if thing.installed else "",
        }
        return {**at, **meters, "point": thing.usage_point, "final": [str(r.value) for r in thing.final_readings]}
    if isinstance(thing, Link):
        return {**at, "point": thing.usage_point, "meter": thing.meter}
    if isinstance(thing, Meter):
        return {**at, "meter": thing.meter, "status": thing.status}
    return {**at, "point": thing.usage_point, "read_source": thing.read_source}


@dataclass
class World:
    """The hub and the systems around it."""

    transaction: Transaction
    spool: Path
    policy: Policy = POLICY
    offices: dict[str, Office] = field(default_factory=lambda: {str(name): Office(name) for name in SYSTEMS})
    patience: DeliveryPolicy = PATIENCE
    now: datetime = T + timedelta(hours=1)
    machine_now: datetime = T + timedelta(hours=1)

    @property
    def sending(self) -> Sending:
        return Sending(Routes(), lambda role, message: self.offices[role].encode(message, spool=self.spool), self.now)

    def exchange(self, number: int, **columns: Any) -> str:
        """Have one more usage point with an old and a new meter, whose exchange is validated; return the order's id."""
        with self.transaction() as session:
            return exchange(session, number, policy=self.policy, now=self.now, **columns)

    def advance(self) -> int:
        """Bring on what is due, batch by batch; return how many deliveries went out."""
        sent = 0
        for batch in sequence.due(policy=self.policy, transaction=self.transaction, now=self.now):
            sent += sequence.advance_batch(
                batch, policy=self.policy, sending=self.sending, ask=self._ask, transaction=self.transaction
            ).sent
        return sent

    def _ask(self, role: str, noun: Any, ids: Sequence[str]) -> Iterable[MasterData]:
        return self.offices[role].held(noun, ids, as_of=self.now, timeout_s=1)

    def relay(self, times: int = 6) -> None:
        """Carry what is due."""
        policies = dict.fromkeys(self.offices, self.patience)
        for _ in range(times):
            self.machine_now += timedelta(seconds=5)
            relay_once(
                self.offices, transaction=self.transaction, spool=self.spool, now=self.now,
                machine_now=self.machine_now, policies=policies,
            )  # fmt: skip

    def settle(self, rounds: int = 12) -> None:
        """Advance and carry until nothing more comes of it."""
        for _ in range(rounds):
            self.advance()
            self.relay(2)

    def look(self) -> None:
        """Look which meters are heard and verified, and for strays."""
        verification.hear(policy=self.policy, transaction=self.transaction, now=self.now)
        self.advance()
        verification.verify(policy=self.policy, transaction=self.transaction, now=self.now)
        strays.find(policy=self.policy, transaction=self.transaction, now=self.now)

    def hear(self, number: int, *, source: str = "hes", at: datetime | None = None) -> None:
        """Have the head-end register the new meter of an exchange."""
        event = registered(number, source=source, at=at)
        with self.transaction() as session:
            end_device_events.keep(session, [event], message_id=f"event-{source}-{number}", now=self.now)

    def read(self, number: int, days: int = 3, *, old: bool = False) -> None:
        """Have the new meter (or the old one) read every midnight behind its installation."""
        with self.transaction() as session:
            readings.keep(session, [values_of(number, days, old=old)], now=self.now)

    def later(self, **span: float) -> None:
        """Let time pass."""
        self.now += timedelta(**span)

    def order(self, order_id: str) -> Row:
        """Return an order."""
        with self.transaction() as session:
            return rollout_orders.of_ids(session, [order_id])[order_id]

    def steps(self, order_id: str) -> dict[str, str]:
        """Return how the steps of the last attempt stand."""
        with self.transaction() as session:
            rows = rollout_steps.of_orders(session, [order_id])[order_id]
        last = max(row["attempt"] for row in rows)
        return {row["step"]: row["state"] for row in rows if row["attempt"] == last}

    def history(self, order_id: str) -> list[str]:
        """Return the states that an order went through."""
        with self.transaction() as session:
            return [row["state"] for row in rollout_orders.history(session, order_id)]

    def open_work(self) -> list[Row]:
        """Return what persons have to do."""
        with self.transaction() as session:
            return work.listed(session)

    def close_work(self, state: str = "RESOLVED") -> None:
        """Have a person close everything."""
        with self.transaction() as session:
            names = [row["work_id"] for row in work.listed(session)]
            work.act(session, names, "resolved", state=state, by="ann", reason="done", now=self.now)


def exchange(session: Session, number: int, *, policy: Policy, now: datetime, **columns: Any) -> str:
    """Put one validated exchange into a hub, as validation leaves it, with its steps planned."""
    point, old, new = f"U{number}", meter_mrid("ACME", f"O{number}"), meter_mrid("ACME", f"N{number}")
    hold(session, number)
    held = columns.pop("held", None)
    row = {
        "order_id": mint("order", number), "usage_point": point, "usage_point_name": f"NMI-{number}",
        "state": "VALIDATED", "old_meter": old, "new_meter": new, "removed_at": T, "installed_at": T,
        "result_id": mint("result", number), "wave": "W1", **columns,
    }  # fmt: skip
    rollout_orders.insert(session, [row], now=now)
    values = (_value(point, old, T, Decimal(4711)), _value(point, new, T, Decimal(0)))
    readings.keep(session, [MeterReadings(point, old, values[:1]), MeterReadings(point, new, values[1:])], now=now)
    full = rollout_orders.of_ids(session, [row["order_id"]])[row["order_id"]]
    sequence.begin(session, [full], policy=policy, now=now, held={row["order_id"]: held} if held else {})
    return str(row["order_id"])


def registered(number: int, *, source: str = "hes", at: datetime | None = None) -> EndDeviceEvent:
    """Return that a head-end registers the new meter of an exchange."""
    meter, when = meter_mrid("ACME", f"N{number}"), at or T + timedelta(minutes=40)
    return EndDeviceEvent(source, "3.6.5.58", EventKind.REGISTERED, when, meter=meter)


def values_of(number: int, days: int = 3, *, old: bool = False) -> MeterReadings:
    """Return values of the new (or the old) meter of some mornings behind the exchange."""
    meter = meter_mrid("ACME", f"{'O' if old else 'N'}{number}")
    own = [_value(f"U{number}", meter, T + timedelta(days=n, hours=14), Decimal(n)) for n in range(1, days + 1)]
    return MeterReadings(f"U{number}", meter, tuple(own))


def hold(session: Session, number: int) -> None:
    """Let the hub know a usage point, its two meters, and where they hang."""
    point, old, new = f"U{number}", meter_mrid("ACME", f"O{number}"), meter_mrid("ACME", f"N{number}")
    facts = {"zone": "America/Toronto", "commodity": "ELECTRICITY", "read_source": "MANUAL", "name": f"NMI-{number}"}
    held = [Holding("usage_point", point, SINCE, None, facts)]
    for meter, serial in ((old, f"O{number}"), (new, f"N{number}")):
        own = {"manufacturer": "ACME", "serial": serial, "commodity": "ELECTRICITY", "multiplier": "1"}
        held.append(Holding("meter", meter, SINCE, None, own))
    for one in held:
        for table, row in rows_of(one):
            reference.record(session, table, [row], now=SINCE)
    common = {"manufacturer": "ACME", "commodity": "ELECTRICITY", "multiplier": "1", "registers": "[]"}
    common["usage_point"] = point
    hung = ((old, f"O{number}", SINCE, T), (new, f"N{number}", T, None))
    rows: list[dict[str, Any]] = [
        {
            **common,
            "meter": meter,
            "serial": serial,
            "serial_normal": serial,
            "installed_at": since,
            "removed_at": until,
        }
        for meter, serial, since, until in hung
    ]
    reference.record(session, reference.INSTALLATION, rows, now=SINCE)


def _value(point: str, meter: str, at: datetime, value: Decimal) -> RegisterReading:
    return RegisterReading(point, meter, KWH, at, value, Quality.VALIDATED, "", "mdms")
