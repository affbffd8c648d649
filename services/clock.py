"""Business time: wall time, or in a demo site an origin and a rate that a file states.

Machine time (leases, back-off, throttle, timeouts) is always real; business time decides windows, deadlines and
cut-offs. Only this package reads a clock.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from canonical.codes.configuration import DEMO_CLOCK_UNREADABLE
from canonical.errors import MisconfiguredError

Clock = Callable[[], datetime]
"""Returns an aware UTC instant."""


def machine_now() -> datetime:
    """Return the machine's time, aware, in UTC."""
    return datetime.now(UTC)


def demo_clock(path: Path) -> Clock:
    """Return a clock that reads its origin and rate from a JSON file at every look, so that a driver may move it.

    The file holds `{"wall": unix seconds, "business": ISO instant, "rate": business seconds per second}`.
    """

    def now() -> datetime:
        try:
            stated = json.loads(path.read_text(encoding="utf-8"))
            origin = datetime.fromisoformat(stated["business"]).astimezone(UTC)
            elapsed = machine_now().timestamp() - float(stated["wall"])
            return origin + timedelta(seconds=elapsed * float(stated["rate"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise MisconfiguredError(
                f"demo clock {path.name} is not readable: {error}",
                code=DEMO_CLOCK_UNREADABLE,
                where=path.name,
            ) from error

    return now
