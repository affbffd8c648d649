"""Demand resets of one meter: how often its maximum demand began anew, and when last (record DEM)."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from canonical.metering import RegisterReading
from canonical.periods import Period
from flows.billing_exchange.energy import reading_type

RESET_REASON = "demandReset"
"""CIM ReadingReasonKind of a value that was read because the demand was reset."""

RESET_COUNT = 122
"""CIM measurement kind of a register that counts demand resets (field 7)."""


def resets_of(readings: Sequence[RegisterReading], meter: str, period: Period) -> tuple[int, datetime | None]:
    """Return the number of demand resets of a meter in a period, and the instant of the last one.

    Told by values read for a demand reset, by demands of a billing period (their register begins anew at its end), and
    by the meter's own counter, whichever tells most. A reset at the start of the period belongs to the one before.
    """
    own = [reading for reading in readings if reading.meter == meter and reading.quality.is_usable]
    told = {at for reading in own for at in _instants(reading) if period.start < at <= period.end}
    counted, last = _counted(own, period)
    instants = [at for at in (max(told, default=None), last) if at is not None]
    return max(len(told), counted), max(instants, default=None)


def _instants(reading: RegisterReading) -> Iterator[datetime]:
    """Yield the instant at which a reading says that its demand was reset; a demand's own stamp is that of its peak."""
    kind = reading_type(reading.reading_type)
    if kind.is_demand:
        if reading.period is not None and (reading.reason == RESET_REASON or kind.is_billing_quantity):
            yield reading.period.end
    elif reading.reason == RESET_REASON:
        yield reading.taken_at


def _counted(readings: Sequence[RegisterReading], period: Period) -> tuple[int, datetime | None]:
    """Return by how much the counter went up in the period, and when its last value was first seen."""
    values = {r.taken_at: r.value for r in readings if reading_type(r.reading_type).fields[6] == RESET_COUNT}
    inside = [at for at in sorted(values) if at <= period.end]
    before = [at for at in inside if at <= period.start]
    if not before or values[inside[-1]] <= values[before[-1]]:
        return 0, None
    last = values[inside[-1]]
    return int(last - values[before[-1]]), next(at for at in inside if values[at] == last)
