"""One billing interface over two territories: each MDMS is asked of its own usage points and told of their bills."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from billing_story import Story
from billing_world import BookMdms, Night

from canonical.territories import BY_TERRITORY
from flows import billing_exchange as flow
from flows.delivery import relay_once
from flows.routing import ByTerritory, Routes, Territory
from store.session import Transaction

STORY = """
policy = { determinants = "hub", meter_data = "by territory" }
usage_point = [{ id = "U1", district = "N" }, { id = "U2", district = "S" }]
meter = [{ serial = "0001", up = "U1" }, { serial = "0002", up = "U2" }]

[[step]]
at = "2026-07-01T06:00"
reads = [
    ["0001", "2026-06-01", 100], ["0001", "2026-07-01", 350], ["0002", "2026-06-01", 100], ["0002", "2026-07-01", 400],
]
requests = [
    ["R1", "CYCLE", "up:U1", "2026-06-01", "2026-07-01"], ["R2", "CYCLE", "up:U2", "2026-06-01", "2026-07-01"],
]

[[step]]
at = "2026-07-01T06:30"
ack = "ACCEPTED"
billed = [["R1", 250], ["R2", 300]]
"""
TOWNS = (Territory("north", "", "mdms_north", frozenset({"N"})), Territory("south", "", "mdms_south", frozenset({"S"})))


@dataclass
class TwoTowns(Night):
    """A night in which an MDMS is chosen by territory."""

    def pass_at(self, now: datetime) -> flow.Verdict:
        self.machine += timedelta(hours=1)
        towns: dict[str, Any] = self.mdms.towns
        asked: Any = ByTerritory(
            towns.__getitem__, routes=Routes(territories=TOWNS), transaction=self.transaction, now=lambda: now
        )
        ports = {"cis": self.cis, BY_TERRITORY: asked}
        common: dict[str, Any] = {"transaction": self.transaction, "spool": self.spool, "now": now}
        flow.take_in(self.interface, ports={"cis": self.cis}, machine_now=self.machine, **common)
        for batch in flow.plan(self.interface, transaction=self.transaction, now=now):
            flow.advance(self.interface, batch, meter_data=asked, transaction=self.transaction, now=now)
        flow.hand_on(self.interface, ports=ports, **common)
        while relay_once({"cis": self.cis, **towns}, machine_now=self.machine, **common).carried:
            self.machine += timedelta(seconds=1)
        return flow.verdict(self.interface, transaction=self.transaction, now=now)


class Towns(BookMdms):
    """The MDMSes of both towns; each holds the book of all."""

    def __init__(self, story: Story) -> None:
        super().__init__(lambda: story.book.readings)
        self.towns = {name: BookMdms(lambda: story.book.readings) for name in ("mdms_north", "mdms_south")}


def test_each_mdms_is_asked_of_its_own_and_told_what_was_billed_of_it(transaction: Transaction, tmp_path: Path) -> None:
    (tmp_path / "given").mkdir()
    (tmp_path / "given" / "story.toml").write_text(STORY)
    story = Story(tmp_path, transaction, tmp_path)
    night = story.night
    mdms = Towns(story)
    story.night = TwoTowns(night.interface, night.cis, mdms, transaction, night.spool)

    story.play()

    told = {name: one.told for name, one in mdms.towns.items()}
    assert {q.usage_point for q in mdms.towns["mdms_north"].asked} == {"U1"}
    assert {q.usage_point for q in mdms.towns["mdms_south"].asked} == {"U2"}
    assert [len(lines) for lines in told.values()] == [1, 1]
    assert "'U1'" in told["mdms_north"][0]
    assert "'U2'" in told["mdms_south"][0]
