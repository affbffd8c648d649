"""Business time of the demo: one small file says which business instant it is, and how fast it runs.

    {"wall": unix seconds, "business": ISO instant, "rate": business seconds per real second}

Business now = business + (wall now - wall) x rate. The demo driver rewrites the file; everybody else reads it.
"""

import json
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path


def business_now(path: Path) -> datetime:
    """Return the business instant of this moment, in UTC, by the clock file."""
    state = json.loads(path.read_text())
    elapsed = max(time.time() - float(state["wall"]), 0.0)
    start = datetime.fromisoformat(state["business"]).astimezone(UTC)
    return start + timedelta(seconds=elapsed * float(state["rate"]))


def set_business(path: Path, instant: datetime, *, rate: float) -> None:
    """Make it `instant` now, running at `rate` business seconds a real second from here on."""
    state = {"wall": time.time(), "business": instant.astimezone(UTC).isoformat(), "rate": rate}
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(state))
    os.replace(fresh, path)
