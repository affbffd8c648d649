"""What a billing story's masters say, and the book of its MDMS: made of the tables of `given/story.toml`."""

from array import array
from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from canonical.customers import CustomerAgreement, TouCalendar, TouWindow
from canonical.ids import meter_mrid
from canonical.metering import Installation, IntervalBlock, MeterReadings, Register, RegisterReading, UsagePoint
from canonical.periods import Period, expected_intervals, local_days, start_of_day
from canonical.quality import Quality
from canonical.reading_types import billing_code, demand_code, interval_code, register_code

TIERS = {"": 0, "ON": 1, "MID": 2, "OFF": 3}
At = Callable[[str], datetime]


class Book:
    """The masters of a story and what its MDMS holds."""

    def __init__(self, told: dict[str, Any], zone: ZoneInfo, at: At) -> None:
        self.told, self.zone, self.at = told, zone, at
        self.meters = {row["serial"]: row for row in told["meter"]}
        self.readings: dict[str, list[MeterReadings]] = {}

    def masters(self, only: list[str] | None = None) -> list[Any]:
        """Return the reference data of the story, or of some usage points."""
        since = self.at("2025-01-01")
        found: list[Any] = [self._calendar(self.told["calendar"])] if "calendar" in self.told else []
        for up in self.told["usage_point"]:
            if only is not None and up["id"] not in only:
                continue
            commodity, calendar = up.get("commodity", "ELECTRICITY"), "TOU" if up.get("tou") else ""
            found.append(
                UsagePoint(up["id"], f"NMI{up['id']}", self.zone.key, commodity, "AMI", since,
                           district=up.get("district", ""))
            )  # fmt: skip
            found.append(
                CustomerAgreement(
                    f"G{up['id']}", f"A{up['id']}", up["id"], up.get("class", "RESIDENTIAL"), "R1", "07", calendar,
                    up.get("net", False), since, None,
                )
            )  # fmt: skip
        meters = [row for row in self.told["meter"] if only is None or row["up"] in only]
        return [*found, *map(self._installation, meters)]

    def _calendar(self, rows: list[list[str]]) -> TouCalendar:
        """Return the calendar of the story: days, start, end, bucket and, for some, season with first and last day."""
        windows = tuple(
            TouWindow(days, time.fromisoformat(start), time.fromisoformat(end), bucket, *season)
            for days, start, end, bucket, *season in rows
        )
        return TouCalendar("TOU", 1, self.zone.key, windows)

    def _installation(self, row: dict[str, Any]) -> Installation:
        """Return one meter of the story."""
        removed = self.at(row["removed"]) if row.get("removed") else None
        registers = [self._register(row, *one) for one in row.get("registers", [["T", "DELIVERED"]])]
        if row.get("interval") and row.get("with_total"):
            registers.append(Register("T0", register_code("ELECTRICITY"), "kWh", "DELIVERED", 6, 3))
        if row.get("demand"):
            registers.append(Register("D", demand_code(), "kW", "DELIVERED", 6, 3, is_demand=True))
        return Installation(
            row["up"], meter_mrid("ACM", row["serial"]), "ACM", row["serial"], row.get("commodity", "ELECTRICITY"),
            self.at(row.get("installed", "2025-01-01")), removed, Decimal(str(row.get("multiplier", 1))),
            tuple(registers),
        )  # fmt: skip

    def _register(self, row: dict[str, Any], name: str, flow: Any, tou: str = "") -> Register:
        """Return one register of a meter; a meter with `interval` has channels."""
        commodity, minutes = row.get("commodity", "ELECTRICITY"), row.get("interval", 0)
        unit = "kWh" if commodity == "ELECTRICITY" else "m3"
        code = interval_code(minutes, flow) if minutes else register_code(commodity, flow, TIERS[tou])
        dials = 0 if minutes else row.get("dials", 5)
        return Register(name, code, unit, flow, dials, 0, tou_bucket=tou, interval_minutes=minutes)

    def keep(self, step: dict[str, Any]) -> None:
        """Write what a step says into the MDMS's book."""
        for read in step.get("reads", []):
            self._read(*read)
        for channel in step.get("intervals", []):
            self._intervals(**channel)
        for one in step.get("stated", []):
            self._stated(*one)
        for one in step.get("demands", []):
            self._demand(*one)

    def _read(
        self, serial: str, when: str, value: Any, quality: str = "VALIDATED", register: str = "T", reason: str = ""
    ) -> None:
        """Write one read of a register."""
        row = self.meters[serial]
        commodity = row.get("commodity", "ELECTRICITY")
        registers = {name: (flow, *tou) for name, flow, *tou in row.get("registers", [["T", "DELIVERED"]])}
        flow, *tou = registers.get(register, ("DELIVERED",))
        code = register_code(commodity, flow, TIERS[tou[0] if tou else ""])
        self._add(serial, code, self.at(when), value, Quality(quality), reason=reason)

    def _stated(self, serial: str, start: str, end: str, value: Any, tou: str = "", quality: str = "VALIDATED") -> None:
        """Write one determinant of a period as the MDMS calculated it."""
        code = billing_code(register_code("ELECTRICITY", "DELIVERED", TIERS[tou]))
        period = Period(self.at(start), self.at(end))
        self._add(serial, code, period.end, value, Quality(quality), period=period)

    def _demand(self, serial: str, when: str, value: Any, start: str, end: str, reason: str = "") -> None:
        """Write one maximum demand with the time of its peak and the span over which it was kept."""
        period = Period(self.at(start), self.at(end))
        self._add(serial, demand_code(), self.at(when), value, Quality.VALIDATED, period=period, reason=reason)

    def _add(self, serial: str, code: str, at: datetime, value: Any, quality: Quality, **more: Any) -> None:
        up, meter = self.meters[serial]["up"], meter_mrid("ACM", serial)
        reading = RegisterReading(up, meter, code, at, Decimal(str(value)), quality, "", "mdms", **more)
        self.readings.setdefault(up, []).append(MeterReadings(up, meter, (reading,)))

    def _intervals(
        self, serial: str, start: str, end: str, value: int, quality: str = "VALIDATED", *, by_day: bool = False
    ) -> None:
        """Write equal intervals over a span; `by_day` in blocks of a local day each, as a legal-time source sends."""
        row = self.meters[serial]
        span = Period(self.at(start), self.at(end))
        edges = [start_of_day(day, self.zone) for day in local_days(span, self.zone)] if by_day else [span.start]
        for begin, stop in zip(edges, [*edges[1:], span.end], strict=True):
            count = expected_intervals(Period(begin, stop), row["interval"])
            block = IntervalBlock(
                row["up"], meter_mrid("ACM", serial), interval_code(row["interval"]), begin, row["interval"], -3,
                array("q", [value] * count), ((count, Quality(quality), ""),), "mdms",
            )  # fmt: skip
            self.readings.setdefault(row["up"], []).append(MeterReadings(row["up"], block.meter, blocks=(block,)))


def day_of(instant: datetime, zone: ZoneInfo) -> date:
    """Return the local date of an instant."""
    return instant.astimezone(zone).date()
