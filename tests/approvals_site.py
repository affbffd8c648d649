"""A site that leaves the waves of its rollout to people, with one wave planned and three houses in it."""

from collections.abc import Callable
from pathlib import Path

from upgraded import upgraded
from wave_town import House, build

from services.hub import open_hub
from services.rollout_waves import plan_wave
from store.session import open_engine, transactions

SITE = """
[site]
name = "Example"
zone = "America/Toronto"
env = "TEST"
sender = "AMIHUB"
data = "var"
demo_clock = "clock.json"

[roles.wams]
adapter = "wams_cim"
kind = "work_system"
clock = "UTC"
multiplier = "raw"
  [roles.wams.settings]
  url = "https://wams.example/cim"
  user = "amihub"
  password = "secret"
  ca_file = "ca.pem"

[rollout]
work_system = "wams"
approvals = ["plan", "release"]

[rollout.waves.north-1]
first_day = 2026-12-01
last_day = 2026-12-04
capacity_per_day = 2
districts = ["NORTH"]
hardware = [{ model = "NEW-1" }]
"""
CLOCK = '{"wall": 0, "business": "2026-11-30T15:00:00+00:00", "rate": 0}'


def write_site(folder: Path, enter: Callable[[str], None]) -> Path:
    """Write the site file into a folder, load its masters and plan its wave; `enter` makes a path $AMIHUB_SITE."""
    (folder / "var").mkdir()
    (folder / "clock.json").write_text(CLOCK)
    path = folder / "site.toml"
    path.write_text(SITE)
    enter(str(path))
    url = f"sqlite:///{folder}/var/hub.db"
    upgraded(url)
    engine = open_engine(url)
    with transactions(engine)() as session:
        build(session, [House(number) for number in (1, 2, 3)])
    engine.dispose()
    with open_hub() as hub:
        plan_wave(hub, "north-1", by="Ada")
    return path
