"""Registers of a meter as the fields of a REG record, in their order."""

from typing import Any

from canonical.metering import Register


def register_values(one: Register) -> tuple[Any, ...]:
    """Return id, reading type, unit, flow, dials, decimals, bucket, interval and demand of a register.

    They stand in the order of `canonical.metering.Register`, so that `Register(*values)` is the way back.
    """
    return (
        one.register,
        one.reading_type,
        one.unit,
        one.flow,
        one.dials,
        one.decimals,
        one.tou_bucket,
        one.interval_minutes,
        one.is_demand,
    )
