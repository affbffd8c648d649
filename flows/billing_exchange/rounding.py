"""Rounding without loss: from rounded cumulative reads, or with the residual carried to the next bill (ruling 12)."""

from collections.abc import Mapping
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from functools import lru_cache

ZERO = Decimal(0)


@lru_cache(maxsize=16)
def quantum(decimals: int) -> Decimal:
    """Return the smallest step of a quantity with that many decimals."""
    return Decimal(1).scaleb(-decimals)


def rounded(value: Decimal, decimals: int) -> Decimal:
    """Return the value with that many decimals, halves to even."""
    return value.quantize(quantum(decimals), rounding=ROUND_HALF_EVEN)


def with_residual(
    total_code: str,
    total: Decimal,
    buckets: Mapping[str, Decimal],
    *,
    carried: Mapping[str, Decimal],
    decimals: int,
) -> tuple[dict[str, Decimal], dict[str, Decimal]]:
    """Return the billed quantity and the new residual, each by determinant code.

    The total is rounded with its own residual; buckets get the same total by largest remainder, so that they add up
    to it and no residual reaches a whole step. Quantity + residual = exact + residual carried, for every code.
    """
    step = quantum(decimals)
    whole = total + carried.get(total_code, ZERO)
    billed = {total_code: rounded(whole, decimals)}
    if buckets:
        parts = {code: exact + carried.get(code, ZERO) for code, exact in buckets.items()}
        # A tariff that changed its buckets leaves residual with the total alone: the largest bucket takes it.
        largest = max(parts, key=lambda code: (parts[code], code))
        parts[largest] += whole - sum(parts.values(), ZERO)
        floors = {code: part.quantize(step, rounding=ROUND_FLOOR) for code, part in parts.items()}
        steps = int((billed[total_code] - sum(floors.values(), ZERO)) / step)
        by_remainder = sorted(parts, key=lambda code: (floors[code] - parts[code], code))
        for n, code in enumerate(by_remainder):
            billed[code] = floors[code] + (step if n < steps else ZERO)
        residuals = {code: parts[code] - billed[code] for code in parts}
    else:
        residuals = {}
    residuals[total_code] = whole - billed[total_code]
    return billed, residuals
