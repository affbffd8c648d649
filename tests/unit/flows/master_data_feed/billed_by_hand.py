"""Bills over masters in miniature: what meters counted, what was billed of it, and what the belief would bill now.

Each meter counts steadily from the first day on, wherever it hangs, so that energy is known by rule: days times rate
times multiplier. What is billed of a belief is asked of the billing flow itself.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

from file_changes_by_hand import ACME
from master_data_sync_by_hand import NOW, REGISTER, T, World, day

from canonical.billing import BillDeterminant, MeterInPeriod, Quantity, Status
from canonical.holdings import Holding
from canonical.metering import Installation, MeterReadings, RegisterReading
from canonical.periods import Period
from canonical.quality import Quality
from flows.billing_exchange.calculate import calculate
from flows.billing_exchange.contexts import contexts_of
from flows.billing_exchange.interface import Interface
from flows.billing_exchange.policy import Policy
from flows.billing_exchange.stored import determinant_from_text, determinant_to_text, micro
from flows.holdings import held_by_hub
from store import billing_items, determinants, master_loads, readings, work
from store.billing import BillingItemRow
from store.rows import Row
from store.session import Session

RATES = {"1": 7, "2": 11, "3": 13}
"""What each meter counts in a day, before the multiplier."""

LAST_DAY = 48
HUB = Policy(interface="mass", determinants="hub", back_billing_days={})
MASS = Interface("mass", HUB, "AMIHUB", "TEST")
SERIAL = {meter: serial for serial, meter in ACME.items()}

PERIODS = (("U1", 1, 11), ("U1", 11, 21), ("U1", 24, 34), ("U2", 2, 12), ("U2", 12, 30))
"""Usage point, first day and end of what was billed; of U1 the 21st to the 24th is a declared gap."""

DECLARED_GAPS = {("U1", 21, 24)}
UNTOUCHED = ("step", "next_due_at", "recheck")
"""Columns by which an item is looked at again; no other may change behind a bill."""


def count(serial: str, number: float) -> Decimal:
    """Return what a meter shows on a day."""
    return Decimal(1000 * int(serial)) + Decimal(RATES[serial]) * Decimal(number)


@dataclass
class Bills:
    """What was billed before anything is told, and what must hold of it whatever is told then."""

    world: World
    before: list[Row] = field(default_factory=list)

    def load(self) -> None:
        """Let the MDMS have read every meter each day, and the first and second have been billed where they hung."""
        with self.world.transaction() as session:
            for name in ("U1", "U2", "U3"):
                readings.keep(session, [_read(name, serial) for serial in RATES], now=NOW)
            for name, since, until in PERIODS:
                row = _item(name, since, until)
                billing_items.add(session, [row], now=day(until))
                determinants.add(session, [_determinant(row, name[1:], since, until)])
            self.before = _artefacts(session)

    def assert_all(self) -> None:
        """Assert I2, I3 and I4 of what the hub believes now."""
        points = self.world.hung("U1", "U2", "U3")
        with self.world.transaction() as session:
            assert _artefacts(session) == self.before, "what was billed was changed in silence"
            _assert_periods_follow(self.before)
            for name, span in _covered(points):
                assert_energy(session, name, span, points.get(name, ()))
            if any(row["state"] == "done" for row in master_loads.listed(session)):
                _assert_proposed(session)


def assert_energy(session: Session, name: str, span: Period, hung: Sequence[Installation]) -> None:
    """Assert that a span in which meters hung is billed by its meters alone, once, with each multiplier once."""
    whole = bill(session, name, span)
    assert whole is not None, (name, span)
    _assert_belongs(whole, hung)
    assert _energy(whole) == _by_rule(session, span, hung), (name, span)
    middle = span.start + (span.end - span.start) // 2
    middle = day(round((middle - T).total_seconds() / 86400))
    if middle in (span.start, span.end):
        return
    parts = [bill(session, name, one) for one in (Period(span.start, middle), Period(middle, span.end))]
    assert all(parts), (name, span)
    assert sum(_energy(one) for one in parts if one) == _energy(whole), "a kWh is billed twice, or lost"


def _assert_belongs(said: BillDeterminant, hung: Sequence[Installation]) -> None:
    """Assert I4 of each read, and that quantities say their multiplier (I3)."""
    for use in said.registers:
        assert use.start_time
        assert use.stop_time
        lives = [one for one in hung if one.meter == use.meter and one.installed_at <= use.start_time
                 and (one.removed_at is None or use.stop_time <= one.removed_at)]  # fmt: skip
        assert lives, f"a read of {use.meter} at a time at which it did not hang"
        for at, value in ((use.start_time, use.start_read), (use.stop_time, use.stop_read)):
            assert value == count(SERIAL[use.meter], (at - T).total_seconds() / 86400)
        own = {one.multiplier for one in lives}
        assert use.raw_difference is not None
        assert use.quantity in {use.raw_difference * multiplier for multiplier in own}
    for one in said.meters:
        assert one.multiplier_applied
        assert one.multiplier in {each.multiplier for each in hung if each.meter == one.meter}
    for earlier, later in pairwise(said.meters):
        if earlier.meter != later.meter and earlier.removed_at == later.installed_at:
            reads = [(use.meter, at) for use in said.registers for at in (use.start_time, use.stop_time)]
            assert (earlier.meter, earlier.removed_at) in reads, "the removed meter's read on its last instant"
            assert (later.meter, later.installed_at) in reads, "the new meter's read on its first instant"


def _by_rule(session: Session, span: Period, hung: Sequence[Installation]) -> Decimal:
    """Return the energy of a span by the masters' own words: day by day, the meter that hung, its multiplier then."""
    meters = {one.meter for one in hung}
    told: dict[str, list[Holding]] = {}
    for one in held_by_hub(session, "meter", objects=meters):
        told.setdefault(one.object_id, []).append(one)
    total = Decimal(0)
    for number in range((span.start - T).days, (span.end - T).days):
        (meter,) = {one.meter for one in hung if day(number) in one.active}
        (held,) = [one for one in told[meter] if one.valid_from <= day(number)
                   and (one.valid_to is None or day(number) < one.valid_to)]  # fmt: skip
        total += RATES[SERIAL[meter]] * Decimal(held.facts["multiplier"])
    return total


def bill(session: Session, name: str, span: Period) -> BillDeterminant | None:
    """Return what the billing flow makes of a span now, without looking at an earlier bill; None where it cannot."""
    row = _item(name, 0, 1) | {"period_start": span.start, "period_end": span.end, "sent_version": 0}
    context = contexts_of(session, MASS, [row]).get(row["item_id"])
    return calculate(replace(context, last_bill=None), HUB).determinant if context is not None else None


def _assert_proposed(session: Session) -> None:
    """Assert that whatever was billed, and would be billed otherwise now, is before a person (2.6), and named there."""
    open_ones = [row for row in work.listed(session, limit=10_000) if row["code"].startswith("3019")]
    for name, since, until in PERIODS:
        row = _item(name, since, until)
        stored = determinants.payloads(session, {(row["determinant_id"], 1)})[row["determinant_id"], 1]
        billed, now = determinant_from_text(stored["payload"]), bill(session, name, Period(day(since), day(until)))
        if now is not None and (_energy(now), _meters(now)) == (_energy(billed), _meters(billed)):
            continue
        assert any(one["usage_point"] == name and row["request_id"] in one["summary"] for one in open_ones), (
            f"{row['request_id']} would be billed otherwise now, and nobody is asked"
        )


def _assert_periods_follow(artefacts: Sequence[Row]) -> None:
    """Assert that bill periods of a usage point follow each other, but for gaps that are declared."""
    periods = sorted((row["usage_point"], row["period_start"], row["period_end"]) for row in artefacts
                     if "determinant_id" in row and "request_id" in row)  # fmt: skip
    assert len(periods) == len(PERIODS)
    for (name, _, end), (other, start, _) in pairwise(periods):
        gap = name, (end - T).days, (start - T).days
        assert name != other or end == start or gap in DECLARED_GAPS, gap


def _covered(points: dict[str, tuple[Installation, ...]]) -> Iterator[tuple[str, Period]]:
    """Yield the longest spans in which a usage point had a meter, up to the last day that was read."""
    for name, hung in points.items():
        start: datetime | None = None
        end = T
        for one in sorted(hung, key=lambda each: each.installed_at):
            until = min(one.removed_at or day(LAST_DAY), day(LAST_DAY))
            if start is not None and one.installed_at > end:
                yield name, Period(start, end)
                start = None
            if until > one.installed_at:
                start, end = start or one.installed_at, until
        if start is not None:
            yield name, Period(start, end)


def _read(name: str, serial: str) -> MeterReadings:
    reads = tuple(
        RegisterReading(name, ACME[serial], REGISTER.reading_type, day(number), count(serial, number),
                        Quality.VALIDATED, "", "mdms")
        for number in (half / 2 for half in range(2 * LAST_DAY + 1))
    )  # fmt: skip
    return MeterReadings(name, ACME[serial], reads)


def _item(name: str, since: int, until: int) -> dict[str, Any]:
    agreement = f"G{name[1:]}"
    row = BillingItemRow(
        item_id=f"i-{name}-{since}", interface="mass", run_id="r", line=1, request_id=f"RQ-{name}-{since}",
        reason="SPECIAL", commodity="ELECTRICITY", usage_point=name, agreement=agreement, account="A1", cycle="07",
        period_start=day(since), period_end=day(until), replaces="", asked_as=name, fingerprint="", state="BILLED",
        step="", determinant_id=f"d-{name}-{since}", supersedes_id="", version=1, sent_version=1, status="ACTUAL",
        unit="kWh",
    )  # fmt: skip
    return row.model_dump()


def _determinant(row: dict[str, Any], serial: str, since: int, until: int) -> dict[str, Any]:
    """Return what was billed of a period in which one meter hung, as the store keeps it."""
    energy = RATES[serial] * Decimal(until - since)
    meter = MeterInPeriod(
        ACME[serial], "ACME", serial, day(1), None, "NORMAL", "", Decimal(1), multiplier_applied=True, dials=5,
        decimals=1,
    )  # fmt: skip
    said = BillDeterminant(
        determinant_id=row["determinant_id"], version=1, supersedes_id="", account="A1", agreement=row["agreement"],
        usage_point=row["usage_point"], usage_point_name="", cycle="07", read_window=None, request_id=row["request_id"],
        reason="SPECIAL", period=Period(day(since), day(until)), zone="America/Toronto", days=until - since,
        status=Status.ACTUAL, commodity="ELECTRICITY", meters=(meter,),
        quantities=(Quantity("KWH_TOTAL", "kWh", "", "", "DELIVERED", energy, "REGISTER", "", Decimal(0)),),
    )  # fmt: skip
    return {
        "determinant_id": row["determinant_id"], "version": 1, "item_id": row["item_id"],
        "usage_point": row["usage_point"], "commodity": "ELECTRICITY", "period_start": day(since),
        "period_end": day(until), "status": "ACTUAL", "days": until - since, "quantity_micro": micro(energy),
        "unit": "kWh", "records": 1, "payload": determinant_to_text(said), "trail": "[]", "carry": "{}",
        "calculated_at": day(until), "locked_at": day(until + 1),
    }  # fmt: skip


def _artefacts(session: Session) -> list[Row]:
    """Return everything that was billed, without the columns by which it is looked at again."""
    items = billing_items.of_usage_points(session, {"U1", "U2", "U3"})
    kept = [{name: value for name, value in row.items() if name not in UNTOUCHED} for row in items]
    return kept + [one for row in items for one in determinants.versions(session, row["item_id"])]


def _energy(said: BillDeterminant) -> Decimal:
    return sum((one.quantity for one in said.quantities if one.code == "KWH_TOTAL"), Decimal(0))


def _meters(said: BillDeterminant) -> set[tuple[str, Decimal]]:
    return {(one.meter, one.multiplier) for one in said.meters}
