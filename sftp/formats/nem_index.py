"""Whether a 250 record's quantity agrees with its index reads, and if not, why it may not."""

from decimal import Decimal
from typing import Literal

from canonical.codes.file import NEM_INDEX_MISMATCH
from sftp.formats.nem_records import EXACT, Accumulation

Cause = Literal["direction", "rollover", "reversed rollover", "multiplier", "unexplained"]


def mismatch_cause(previous: Decimal, current: Decimal, quantity: Decimal) -> Cause | None:
    """Return why a quantity is not current minus previous, None when it is.

    `direction`: its sign is turned. `rollover`: the index passed its highest value once (forward, or `reversed
    rollover` for an index that runs backward). `multiplier`: a whole multiple of the difference, as with current
    transformers. `unexplained`: none of these.
    """
    difference = EXACT.subtract(current, previous)
    if quantity == difference:
        return None
    if quantity == -difference:
        return "direction"
    width = max(len(str(int(abs(previous)))), len(str(int(abs(current)))))
    for digits in range(width, width + 2):
        span = Decimal(10**digits)
        if abs(quantity) == EXACT.add(span, difference):
            return "rollover"
        if abs(quantity) == EXACT.subtract(span, difference):
            return "reversed rollover"
    if difference and EXACT.remainder(quantity, difference) == 0:
        return "multiplier"
    return "unexplained"


def index_mismatch(record: Accumulation) -> str:
    """Return a warning when a record's quantity, which governs, is not what its index reads say; else nothing."""
    if not record.previous.read or not record.current.read:
        return ""
    previous, current = Decimal(record.previous.read), Decimal(record.current.read)
    cause = mismatch_cause(previous, current, record.quantity)
    if cause is None:
        return ""
    return (
        f"{NEM_INDEX_MISMATCH}: line {record.line}: quantity {record.quantity}, index {previous} to {current} "
        f"({current - previous}): {cause}"
    )
