"""Applying the multiplier exactly once between meter and bill, whichever source told a value (invariant I3).

Every source states its values raw or with the multiplier applied. One bill may rest on several sources: what an MDMS
states applied beside what a person read off the same meter.
"""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from canonical.metering import MISSING, IntervalBlock, MultiplierState


def is_applied(source: str, multipliers: Mapping[str, MultiplierState]) -> bool:
    """Return whether the values of a source carry the multiplier already; the empty name stands for all unnamed."""
    return multipliers.get(source, multipliers.get("", "raw")) == "applied"


def in_one_state(
    blocks: Sequence[IntervalBlock], multiplier: Decimal, multipliers: Mapping[str, MultiplierState]
) -> tuple[Sequence[IntervalBlock], Decimal]:
    """Return blocks of one channel so that all are in one state, and what turns their sum into the billed quantity.

    Blocks of one state stay as they are; where sources differ, raw values are multiplied, exactly. Without blocks the
    factor is that of a raw source.
    """
    states = {is_applied(block.source, multipliers) for block in blocks}
    if len(states) < 2:
        return blocks, Decimal(1) if True in states else multiplier
    scaled = [
        block if is_applied(block.source, multipliers) else _multiplied(block, multiplier.normalize())
        for block in blocks
    ]
    return scaled, Decimal(1)


def _multiplied(block: IntervalBlock, multiplier: Decimal) -> IntervalBlock:
    """Return a block with the multiplier applied, still in whole numbers: 12.5 is 125 and one decimal more."""
    exponent = multiplier.as_tuple().exponent
    places = min(exponent, 0) if isinstance(exponent, int) else 0
    factor = int(multiplier.scaleb(-places))
    values = array("q", (value if value == MISSING else value * factor for value in block.values))
    return replace(block, values=values, exponent=block.exponent + places)
