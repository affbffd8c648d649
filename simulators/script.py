"""The script of the demo: which troubles happen to whom, and at which business time everybody does what.

Troubles of a usage point (`Point.trouble`):

* `LATE`           the MDMS has nothing at the first question; asked to read the meter again, it has
* `LATE_FILE`      its NEM12 data comes in a second file at 09:40
* `ESTIMATE`       the meter never answers; the MDMS estimates at 15:00
* `ESTIMATE_LATE`  the same, and after the bill the actual read arrives (second business day, 09:00)
* `NO_READ`        the meter never answers and the MDMS cannot estimate
* `HELD`           the MDMS's own determinants contradict its reads
* `EXCHANGE`       the meter is replaced inside the period
* `ROLLOVER`       the total register passes its last digit inside the period
* `TWIN`           one of two usage points behind one physical consumption (SOAP and NEM12)
"""

from dataclasses import dataclass
from datetime import date, datetime

from simulators.local_days import at_local

BUSINESS_DAYS = (date(2026, 11, 17), date(2026, 11, 18))

NEVER_AT_FIRST = ("LATE", "ESTIMATE", "ESTIMATE_LATE", "NO_READ")
"""Troubles of which the first question finds nothing."""

ESTIMATED = ("ESTIMATE", "ESTIMATE_LATE")

UNKNOWN_USAGE_POINT = "00000000-0000-5000-8000-00000000dead"
"""A usage point that the CIS asks for and nobody knows."""


@dataclass(frozen=True, slots=True)
class Moment:
    """One business time of one business day, in the city's wall time."""

    hour: int
    minute: int

    def on(self, day: date) -> datetime:
        """Return the instant of this moment on a local date."""
        return at_local(day, self.hour, self.minute)


REFERENCE = Moment(5, 30)
"""The CIS drops its tariff calendar."""

READINGS_FILES = Moment(6, 0)
REQUESTS = Moment(7, 0)
RESEND = Moment(7, 30)
"""The CIS sends again what was refused, and once more, under another name, what was taken."""

LATE_FILE = Moment(9, 40)
LATE_ACTUAL = Moment(9, 0)
"""Second business day: the MDMS tells the actual read of what was billed on an estimate."""

LATE_ANSWER = Moment(8, 0)
"""Second business day: the CIS answers the part that it had not answered."""

ESTIMATES = Moment(15, 0)
BILLING = Moment(18, 30)
"""The CIS bills what it has loaded and writes the billed extract."""
