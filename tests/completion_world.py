"""A hub with usage points and old meters, new ones in stock, and a field that tells completions: for validation."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from canonical.holdings import registers_text
from canonical.ids import meter_mrid
from canonical.metering import MeterReadings, Register, RegisterReading
from canonical.quality import Quality
from canonical.rollout import Completion, MeterSeen, RegisterValue
from flows.meter_rollout import recording, validate
from flows.meter_rollout.policy import Policy
from flows.meter_rollout.recording import Recorded, Told
from flows.meter_rollout.validate import Validated
from store import readings, reference, rollout_orders, rollout_results, rollout_steps, shipments, work
from store.reference import AGREEMENT, BILL_CYCLE_DAY, INSTALLATION, USAGE_POINT
from store.reference_masters import METER
from store.rows import Row
from store.session import Session, Transaction

T = datetime(2026, 3, 2, 15, tzinfo=UTC)
"""When exchanges happen, unless a test says otherwise."""

NOW = T + timedelta(hours=6)
KWH = "0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.72.0"
FED_IN = "0.0.0.1.19.1.12.0.0.0.0.0.0.0.0.3.72.0"
TOTAL = Register("T", KWH, "kWh", "DELIVERED", 5, 1)
RECEIVED = Register("R", FED_IN, "kWh", "RECEIVED", 5, 1)
INTERVALS = Register("E", "0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.3.72.0", "kWh", "DELIVERED", 0, 3, interval_minutes=15)
ON, OFF = (
    Register(f"T{n}", f"0.0.0.1.1.1.12.0.0.0.0.{n}.0.0.0.3.72.0", "kWh", "DELIVERED", 5, 1, tou_bucket=bucket)
    for n, bucket in ((1, "ON"), (2, "OFF"))
)
BEGIN = datetime(2025, 1, 1, tzinfo=UTC)
POLICY = Policy(zone="America/Toronto", roles={"cis": "cis", "mdms": "mdms", "hes": "hes"})


def old(number: int) -> str:
    """Return the mRID of the meter that hung first at a usage point."""
    return meter_mrid("OLDCO", f"O{number}")


def new(number: int) -> str:
    """Return the mRID of a meter in stock."""
    return meter_mrid("ACME", f"N{number}")


def done(number: int = 1, **fields: Any) -> Completion:
    """Return a completion: at usage point U<n> meter O<n> went and N<n> came."""
    given: dict[str, Any] = {
        "order": "", "usage_point": f"U{number}", "outcome": "DONE", "effective_at": T,
        "removed": MeterSeen(f"O{number}"), "removed_at": T, "installed": MeterSeen(f"N{number}"), "installed_at": T,
        "final_readings": (RegisterValue("T", Decimal("1234.5")),), "first_readings": (RegisterValue("T", Decimal(3)),),
    }  # fmt: skip
    return Completion(**{**given, **fields})


def at(when: datetime, number: int = 1, **fields: Any) -> Completion:
    """Return the same completion of work at another instant."""
    return done(number, effective_at=when, removed_at=when, installed_at=when, **fields)


class World:
    """One hub, and what tests do to it."""

    def __init__(self, transaction: Transaction, *, points: int = 3, policy: Policy = POLICY) -> None:
        """Make usage points U1.. with meters O1.., agreements and N1.. in stock."""
        self.transaction, self.policy, self.now = transaction, policy, NOW
        self._open: Session | None = None
        with transaction() as self._open:
            for number in range(1, points + 1):
                self.usage_point(number)
                self.meter("OLDCO", f"O{number}")
                self.meter("ACME", f"N{number}")
                self.hang(old(number), f"U{number}")
        self._open = None

    @contextmanager
    def _session(self) -> Iterator[Session]:
        if self._open is not None:
            yield self._open
            return
        with self.transaction() as session:
            yield session

    def usage_point(self, number: int, **fields: Any) -> None:
        """Let masters tell of a usage point with its agreement."""
        point = {
            "usage_point": f"U{number}", "name": f"NMI{number}", "zone": "America/Toronto", "commodity": "ELECTRICITY",
            "read_source": "MANUAL", "district": "D1", "route": "R1", "valid_from": BEGIN, "valid_to": None,
        }  # fmt: skip
        with self._session() as session:
            reference.record(session, USAGE_POINT, [{**point, **fields}], now=self.now)
        self.agreement(number)

    def agreement(self, number: int, **fields: Any) -> None:
        """Let the CIS tell of the agreement of a usage point."""
        row = {
            "agreement": f"A{number}", "account": f"ACC{number}", "usage_point": f"U{number}", "tariff": "FLAT",
            "customer_class": "RESIDENTIAL", "cycle": "C1", "tou_calendar": "", "net_metering": False,
            "valid_from": BEGIN, "valid_to": None,
        }  # fmt: skip
        with self._session() as session:
            reference.record(session, AGREEMENT, [{**row, **fields}], now=BEGIN)

    def meter(self, manufacturer: str, serial: str, *registers: Register, **fields: Any) -> str:
        """Let a master tell of a meter, and return its mRID."""
        mrid = meter_mrid(manufacturer, serial)
        row = {
            "meter": mrid, "manufacturer": manufacturer, "serial": serial, "serial_normal": serial.upper(),
            "commodity": "ELECTRICITY", "multiplier": "1", "registers": registers_text(registers or (TOTAL,)),
            "model": "", "firmware": "", "status": "", "valid_from": BEGIN, "valid_to": None,
        }  # fmt: skip
        with self._session() as session:
            reference.record(session, METER, [{**row, **fields}], now=self.now)
        return mrid

    def hang(self, meter: str, point: str, since: datetime = BEGIN, until: datetime | None = None) -> None:
        """Let a meter hang at a usage point."""
        with self._session() as session:
            known = reference.current(session, METER, "meter", {meter})[-1]
            copied = ("manufacturer", "serial", "serial_normal", "commodity", "multiplier", "registers")
            row = {"meter": meter, "usage_point": point, "installed_at": since, "removed_at": until, "split": None}
            reference.record(session, INSTALLATION, [{**row, **{name: known[name] for name in copied}}], now=BEGIN)

    def read(self, number: int, when: datetime, value: str, **fields: Any) -> None:
        """Let the old meter of a usage point have been read."""
        reading = RegisterReading(
            f"U{number}", fields.get("meter", old(number)), KWH, when, Decimal(value), Quality.VALIDATED, "", "mdms"
        )
        with self._session() as session:
            readings.keep(session, [MeterReadings(f"U{number}", reading.meter, (reading,))], now=when)

    def cycle(self, day: date, start: datetime, end: datetime, cycle: str = "C1") -> None:
        """Let the CIS tell of a date of a bill cycle."""
        row = {"cycle": cycle, "business_date": day.isoformat(), "period_start": start, "period_end": end}
        with self._session() as session:
            reference.record(session, BILL_CYCLE_DAY, [row], now=BEGIN)

    def shipped(self, meter: str, **fields: Any) -> None:
        """Let a meter have come by a shipment."""
        row = {
            "meter": meter, "manufacturer": "ACME", "serial": "N1", "shipment": "S1", "lot": "L1", "model": "M",
            "firmware": "", "configuration": "", "facts": {}, "has_keys": True, "key_reference": "", "state": "STOCK",
            "code": "", "told": {}, "shipped_at": BEGIN, "known_at": BEGIN, "changed_at": BEGIN,
        }  # fmt: skip
        with self._session() as session:
            shipments.keep(session, [{**row, **fields}])

    def order(self, number: int, state: str = "DISPATCHED", **fields: Any) -> str:
        """Let a usage point have an order of a wave, and return its id."""
        order = rollout_orders.order_id_of("W1", f"U{number}")
        row = {"order_id": order, "wave": "W1", "usage_point": f"U{number}", "state": state}
        with self._session() as session:
            rollout_orders.insert(session, [{**row, **fields}], now=T - timedelta(days=3))
        return order

    def tell(self, *completions: Completion, source: str = "field") -> list[Recorded]:
        """Let the field tell completions; nothing is judged yet."""
        self.now += timedelta(seconds=1)
        with self._session() as session:
            told = [Told(one, source, f"m#{n}") for n, one in enumerate(completions)]
            return recording.record(session, told, policy=self.policy, now=self.now)

    def judge(self, **passing: Any) -> Validated:
        """Judge whatever is due, after some time has passed."""
        self.now += timedelta(**passing)
        return validate.validate_due(policy=self.policy, transaction=self.transaction, now=self.now)

    def take(self, *completions: Completion, **changes: Any) -> Validated:
        """Let the field tell completions and judge them."""
        self.tell(*(replace(one, **changes) for one in completions))
        return self.judge()

    def results(self, number: int = 1) -> list[Row]:
        """Return what was told of a usage point, in order."""
        with self._session() as session:
            return rollout_results.of_usage_points(session, {f"U{number}"})

    def result(self, number: int = 1) -> Row:
        """Return the only thing told of a usage point."""
        (row,) = self.results(number)
        return row

    def code(self, number: int = 1) -> str:
        """Return the number of the code that decided on the only thing told of a usage point."""
        return str(self.result(number)["codes"][0][:4])

    def steps(self, number: int = 1) -> dict[str, str]:
        """Return how the steps of the only order of a usage point stand."""
        (order,) = self.orders(number)
        with self._session() as session:
            rows = rollout_steps.of_orders(session, [order["order_id"]])[order["order_id"]]
        return {row["step"]: row["state"] for row in rows}

    def orders(self, number: int = 1) -> list[Row]:
        """Return the orders of a usage point."""
        with self._session() as session:
            return rollout_orders.all_of_usage_points(session, {f"U{number}"}).get(f"U{number}", [])

    def hung(self, number: int = 1) -> list[tuple[str, datetime, datetime | None]]:
        """Return what hung at a usage point: serial, from, until."""
        with self._session() as session:
            rows = reference.current(session, INSTALLATION, "usage_point", {f"U{number}"})
        found = [(row["serial"], row["installed_at"], row["removed_at"]) for row in rows]
        return sorted(found, key=lambda one: (one[1], one[2] or NOW + timedelta(days=9999)))

    def work(self) -> set[tuple[str, str]]:
        """Return the open work: number of the code, usage point."""
        with self._session() as session:
            return {(row["code"][:4], row["usage_point"]) for row in work.listed(session)}

    def readings(self, number: int = 1) -> Mapping[str, Sequence[tuple[str, datetime, Decimal]]]:
        """Return the register values of a usage point by meter's serial-less mRID."""
        with self._session() as session:
            held = readings.registers_held(session, {f"U{number}"}, _all()).get(f"U{number}", ())
        found: dict[str, list[tuple[str, datetime, Decimal]]] = {}
        for one in held:
            found.setdefault(one.meter, []).append((one.reading_type, one.taken_at, one.value))
        return found


def _all() -> Any:
    from canonical.periods import Period

    return Period(BEGIN, datetime(2030, 1, 1, tzinfo=UTC))


def assert_i1(world: World) -> None:
    """Assert that no meter hangs at two places, and no usage point has two meters, at one instant (I1)."""
    with world.transaction() as session:
        rows = [
            row
            for table, column in ((INSTALLATION, "usage_point"),)
            for row in reference.current(session, table, column, {f"U{n}" for n in range(1, 10)})
        ]
    for one in rows:
        for other in rows:
            shares = one["meter"] == other["meter"] or one["usage_point"] == other["usage_point"]
            if one["row"] < other["row"] and shares:
                ends = [row["removed_at"] or datetime(9999, 1, 1, tzinfo=UTC) for row in (one, other)]
                apart = ends[0] <= other["installed_at"] or ends[1] <= one["installed_at"]
                assert apart, (one, other)
