"""Strategies for what travels in files of a rollout: shipped meters, completions, orders, stops, manual reads."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from canonical.metering import Register
from canonical.rollout import (
    Completion,
    FieldOrder,
    ManualRead,
    MeterSeen,
    RegisterValue,
    RouteStop,
    ShippedLot,
    ShippedMeter,
)

EPOCH = datetime(2026, 11, 1, tzinfo=UTC)
TEXTS = st.text("abXYZ-é'&<,;0 ", max_size=8).map(str.strip)
WORDS = st.text("abXYZ-é0", min_size=1, max_size=8)
SERIALS = st.text("ABx0123456789", min_size=1, max_size=8)
INSTANTS = st.integers(0, 40_000).map(lambda minutes: EPOCH + timedelta(minutes=minutes))
DAYS = st.integers(0, 30).map(lambda days: date(2026, 11, 1) + timedelta(days=days))
VALUES = st.decimals(Decimal(0), Decimal(999999), places=3)
COMMODITIES = st.sampled_from(["ELECTRICITY", "GAS", "WATER"])
REGISTERS = st.lists(
    st.builds(
        Register, st.sampled_from(["T1", "T2", "E1"]), st.just("0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.72.0"),
        st.sampled_from(["kWh", "kW"]), st.sampled_from(["DELIVERED", "RECEIVED"]), st.integers(0, 9),
        st.integers(0, 4), st.sampled_from(["", "ON"]), st.sampled_from([0, 15, 60]), st.booleans(),
    ), max_size=3,
).map(tuple)  # fmt: skip


def optional(one: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | one


LOTS = st.builds(ShippedLot, st.just("ACME"), WORDS, st.sampled_from(["PASS", "FAIL"]))
KEYS = st.sampled_from([{}, {"key_reference": "vault:lot-17/0001"}, {"wrapped_key": "A" * 32, "wrapped_by": "kek-1"}])
METERS = st.builds(
    lambda keys, **own: ShippedMeter(manufacturer="ACME", **own, **keys), KEYS, serial=SERIALS, commodity=COMMODITIES,
    model=WORDS, firmware=TEXTS, configuration=TEXTS, multiplier=VALUES.map(lambda v: v + 1), registers=REGISTERS,
    lot=WORDS, test_result=st.sampled_from(["PASS", "FAIL"]), tested_at=optional(INSTANTS), module=TEXTS,
    module_kind=TEXTS,
)  # fmt: skip
SEEN = st.builds(MeterSeen, SERIALS, TEXTS)
READINGS = st.lists(st.builds(RegisterValue, TEXTS, VALUES, TEXTS), max_size=2).map(tuple)
REASONS = st.sampled_from(["NO_ACCESS", "REFUSED", "UNSAFE", "WRONG_METER", "NO_METER", "ROOM_LOCKED", "OTHER"])
COMMON: dict[str, Any] = dict(
    order=TEXTS, usage_point=WORDS, usage_point_name=TEXTS, effective_at=INSTANTS, removed_at=optional(INSTANTS),
    installed_at=optional(INSTANTS), comms_ok=optional(st.booleans()), source_reason=TEXTS, installer=TEXTS,
    seal=TEXTS, latitude=optional(st.decimals(-90, 90, places=6)), longitude=optional(st.decimals(-180, 180, places=6)),
    address=TEXTS, photos=st.lists(WORDS, max_size=2).map(tuple), remarks=TEXTS, reported_at=optional(INSTANTS),
    multiplier_seen=optional(VALUES.map(lambda v: v + 1)),
)  # fmt: skip
DONE = st.builds(
    Completion, outcome=st.sampled_from(["DONE", "REVERSED"]), removed=SEEN, installed=optional(SEEN),
    final_readings=READINGS, first_readings=READINGS, unable_reason=optional(REASONS), **COMMON,
)  # fmt: skip
UNABLE = st.builds(Completion, outcome=st.just("UNABLE"), removed=optional(SEEN), unable_reason=REASONS, **COMMON)
COMPLETIONS = DONE | UNABLE
ORDERS = st.builds(
    FieldOrder, order=WORDS, wave=TEXTS, verb=st.sampled_from(["create", "change", "cancel"]), usage_point=WORDS,
    usage_point_name=TEXTS, commodity=COMMODITIES, planned_day=DAYS, window_from=INSTANTS, window_until=INSTANTS,
    old_meter=TEXTS, old_manufacturer=TEXTS, old_serial=TEXTS, new_model=TEXTS, district=TEXTS, route=TEXTS,
    location=TEXTS, contractor=TEXTS, attempt=st.integers(1, 9), remarks=TEXTS,
)  # fmt: skip
STOPS = st.builds(
    RouteStop, usage_point=WORDS, usage_point_name=TEXTS, meter=WORDS, manufacturer=TEXTS, serial=SERIALS,
    route=st.just("R-1"), stop=st.integers(1, 99_999), registers=REGISTERS, location=TEXTS, address=TEXTS,
    access_method=TEXTS, expected_low=optional(VALUES), expected_high=optional(VALUES),
)  # fmt: skip
_READ: dict[str, Any] = dict(
    route=WORDS, usage_point=WORDS, usage_point_name=TEXTS, meter=st.builds(MeterSeen, TEXTS, TEXTS, TEXTS),
    register=TEXTS, read_at=INSTANTS, reader=TEXTS, business_date=optional(DAYS),
)  # fmt: skip
READS = st.builds(ManualRead, value=VALUES, skip_reason=st.just(""), **_READ) | st.builds(
    ManualRead, value=st.none(), skip_reason=WORDS, **_READ
)
