"""What really flowed: the consumption of every stream of the city, as exact integers, derived from seed and name alone.

A *stream* is the physical consumption behind one measuring device chain; two usage points that name the same stream
are twins. Values are counts of the stream's own unit: Wh for electricity (on the meter's side of any current
transformer), liters for gas and water. Nothing is stored: the same seed and name give the same values in every process.

* daily streams (register meters): `day_values` gives (on, mid, off) of each local day; `peak_of` its quarter-hour peak;
* half-hour streams (interval meters): `half_hours` gives the 48 values of one UTC day.
"""

from datetime import date
from functools import lru_cache
from hashlib import blake2b, shake_128

from simulators.local_days import DAYS, day_number, day_of, is_working_day

Kind = str
"""Size class of a stream: HOME, SHOP, GAS, WATER, SOLAR."""

_SIZES: dict[Kind, tuple[int, int]] = {
    "HOME": (1200, 14), "SHOP": (2600, 25), "GAS": (700, 11), "WATER": (60, 2), "SOLAR": (900, 18),
}  # fmt: skip
_WORKING = tuple(is_working_day(day_of(n)) for n in range(DAYS))


@lru_cache(maxsize=256)
def _bytes(seed: int, stream: str) -> bytes:
    return shake_128(f"{seed}|daily|{stream}".encode()).digest(5 * DAYS)


def day_values(seed: int, stream: str, kind: Kind) -> list[tuple[int, int, int]]:
    """Return (on, mid, off) of every local day, by day number, in the stream's unit; weekends and holidays are off."""
    base, step = _SIZES[kind]
    raw = _bytes(seed, stream)
    on, mid, off = raw[:DAYS], raw[DAYS : 2 * DAYS], raw[2 * DAYS : 3 * DAYS]
    values = []
    for number, working in enumerate(_WORKING):
        a = base + step * on[number]
        b = base + step * mid[number]
        c = 2 * base + 2 * step * off[number]
        values.append((a, b, c) if working else (0, 0, a + b + c))
    return values


def peaks(seed: int, stream: str, kind: Kind) -> list[tuple[int, int]]:
    """Return (W of the highest quarter hour, minutes from midnight to its end) of every local day, by day number."""
    base, step = _SIZES[kind]
    raw = _bytes(seed, stream)
    height, moment = raw[3 * DAYS : 4 * DAYS], raw[4 * DAYS :]
    return [(base + step * h, 15 * (m % 92 + 1)) for h, m in zip(height, moment, strict=True)]


def half_hours(seed: int, stream: str, utc_day: date) -> list[int]:
    """Return the 48 half-hour values (Wh) of one UTC day, in order."""
    text = f"{seed}|half|{stream}|{day_number(utc_day)}".encode()
    return [90 + 4 * value for value in blake2b(text, digest_size=48).digest()]
