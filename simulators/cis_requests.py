"""What the CIS asks, and its tariff calendar, as lines of `reference/1` and `billing_request/1`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from simulators.cis_files import body_of, hash_of
from simulators.city_book import Meter, Point
from simulators.local_days import HOLIDAYS, ZONE_NAME, local_text

ENV = "TEST"
HUB = "AMIHUB"
CALENDAR = "TOU-A"

TOU_LINES = (
    ("WEEKDAY", "00:00", "07:00", "OFF"),
    ("WEEKDAY", "07:00", "11:00", "ON"),
    ("WEEKDAY", "11:00", "17:00", "MID"),
    ("WEEKDAY", "17:00", "19:00", "ON"),
    ("WEEKDAY", "19:00", "24:00", "OFF"),
    ("WEEKEND", "00:00", "24:00", "OFF"),
    ("HOLIDAY", "00:00", "24:00", "OFF"),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request line."""

    request_id: str
    reason: str
    point: Point
    named_by: str
    """`ALL`, `AGREEMENT`, `ACCOUNT` or `METER`: what the line names the item by."""

    period: tuple[datetime, datetime]
    replaces: str = ""


@dataclass(frozen=True, slots=True)
class FileHead:
    """Header facts of a file of the CIS."""

    sender: str
    created: datetime
    day: date
    sequence: int


def _header(kind: str, head: FileHead, *more: str) -> str:
    file_id = f"{head.sender}-{kind}-{head.sequence:06d}"
    fields = ("HDR", kind, "1", file_id, head.sender, HUB, ENV, local_text(head.created), head.day.isoformat())
    return "|".join((*fields, ZONE_NAME, str(head.sequence), *more))


def calendar_body(head: FileHead) -> bytes:
    """Return the reference file of the CIS: the time-of-use calendar, of which no file of masters speaks."""
    lines = [_header("reference", head, "MASTER")]
    keys: list[str] = []
    counts = dict.fromkeys(("UPT", "AGR", "CYC", "TOU", "HOL", "MTR", "REG"), 0)

    def add(record: str, *fields: str) -> None:
        lines.append("|".join((record, *fields)))
        keys.append(fields[0])
        counts[record] += 1

    for days, start_at, end_at, bucket in TOU_LINES:
        add("TOU", CALENDAR, "1", ZONE_NAME, days, start_at, end_at, bucket)
    for holiday in sorted(HOLIDAYS):
        add("HOL", CALENDAR, "1", holiday.isoformat())
    lines.append("|".join(("TRL", *map(str, counts.values()), hash_of(keys))))
    return body_of(lines)


def request_body(
    head: FileHead, items: Sequence[Asked], meters: dict[str, list[Meter]], *, run_type: str, cycle: str
) -> bytes:
    """Return a billing request file."""
    lines = [_header("billing_request", head, run_type, cycle)]
    for item in items:
        point, (start, end) = item.point, item.period
        names = _names(item, meters)
        lines.append(
            "|".join(
                (
                    "REQ",
                    item.request_id,
                    item.reason,
                    point.commodity,
                    *names,
                    local_text(start),
                    local_text(end),
                    item.replaces,
                    "",
                )
            )
        )
    lines.append(f"TRL|{len(items)}|0|{hash_of(item.request_id for item in items)}")
    return body_of(lines)


def _names(item: Asked, meters: dict[str, list[Meter]]) -> tuple[str, str, str, str, str]:
    """Return usage point, agreement, account, manufacturer and serial as far as the line names them."""
    point = item.point
    match item.named_by:
        case "AGREEMENT":
            return "", point.agreement, "", "", ""
        case "ACCOUNT":
            return "", "", point.account, "", ""
        case "METER":
            meter = meters[point.usage_point][-1]
            return "", "", "", meter.manufacturer, meter.serial
        case _:
            return point.usage_point, point.agreement, point.account, "", ""


def naming(index: int, point: Point) -> str:
    """Return by what a request names its item: mostly by everything, now and then by one thing alone."""
    if point.trouble == "EXCHANGE":
        return "ALL"
    return {7: "AGREEMENT", 13: "METER", 17: "ACCOUNT"}.get(index % 20, "ALL")
