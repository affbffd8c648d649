"""Business time: a demo's clock starts at its origin and runs at its rate; a driver may move it."""

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from canonical.errors import MisconfiguredError
from services.clock import demo_clock, machine_now


def _state(path: Path, business: str, rate: float) -> None:
    path.write_text(json.dumps({"wall": time.time(), "business": business, "rate": rate}))


def test_a_standing_clock_shows_its_origin(tmp_path: Path) -> None:
    file = tmp_path / "clock.json"
    _state(file, "2026-11-17T06:00:00-05:00", 0)

    assert demo_clock(file)() == datetime(2026, 11, 17, 11, tzinfo=UTC)


def test_a_running_clock_runs_at_its_rate_and_follows_its_driver(tmp_path: Path) -> None:
    file = tmp_path / "clock.json"
    file.write_text(json.dumps({"wall": time.time() - 10, "business": "2026-11-17T06:00:00+00:00", "rate": 60}))
    now = demo_clock(file)

    first = now()
    _state(file, "2026-11-18T06:00:00+00:00", 0)

    assert first >= datetime(2026, 11, 17, 6, 10, tzinfo=UTC)
    assert now() == datetime(2026, 11, 18, 6, tzinfo=UTC)


def test_a_clock_that_cannot_be_read_stops_the_flow(tmp_path: Path) -> None:
    with pytest.raises(MisconfiguredError) as error:
        demo_clock(tmp_path / "clock.json")()

    assert error.value.code.name == "DEMO_CLOCK_UNREADABLE"


def test_machine_time_is_aware() -> None:
    assert machine_now().utcoffset() == timedelta(0)
