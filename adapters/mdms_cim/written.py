"""Canonical readings back to what the MDMS would write: the other half of `translate`, for golden cases and tests."""

from collections.abc import Iterable
from dataclasses import dataclass

from canonical.metering import MeterReadings
from iec61968.canonical_nouns.readings import columns_from_readings
from iec61968.nouns.columns import MeterReadingColumns
from iec61968.nouns.meter_readings import readings_to_xml


@dataclass(frozen=True, slots=True)
class Meant:
    """What a sample document means: its readings, and each meter's manufacturer, which readings do not repeat."""

    manufacturers: tuple[str, ...]
    """One for each of `readings`, in order."""

    readings: tuple[MeterReadings, ...]


def written(meant: Meant) -> bytes:
    """Return the MeterReadings document that means this."""
    return readings_to_xml(
        columns_from_readings(one, manufacturer=manufacturer)
        for manufacturer, one in zip(meant.manufacturers, meant.readings, strict=True)
    )


def manufacturers_of(columns: Iterable[MeterReadingColumns]) -> tuple[str, ...]:
    """Return the manufacturer that each MeterReading states for its meter's serial, or an empty string."""
    return tuple(next((n.authority for n in one.meter.names if n.authority), "") for one in columns)
