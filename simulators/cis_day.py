"""The CIS's working day: at which business time it drops which file. Every step is taken once, also over a restart."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path

from simulators import cis_billing, sabotage, script
from simulators.cis_books import CisBooks
from simulators.cis_files import manifest_of, put, stem_of
from simulators.cis_requests import ENV, HUB, Asked, FileHead, calendar_body, naming, request_body
from simulators.city_book import CityBook, CycleDay, Meter, Point
from simulators.knobs import Knobs
from simulators.local_days import ZONE_NAME, local_text

INTERFACES = ("CISMASS", "CISINT")


@dataclass(slots=True)
class Cis:
    """The CIS with its city, books and folders."""

    root: Path
    books: CisBooks
    knobs: Knobs
    city: CityBook
    points: dict[str, Point]
    meters: dict[str, list[Meter]]
    cycles: list[CycleDay]

    def offer(self, kind: str, head: FileHead, middle: str, body: bytes, *, layout: str, cut: bool = False) -> str:
        """Put a data file and its control file on offer and return its name; `cut`: the last fifth gets lost."""
        name = f"{kind}_{head.sender}_{HUB}_{ENV}_{middle}_{head.day:%Y%m%d}_{head.sequence:06d}_r0.dat"
        control = manifest_of(
            name, body, sequence=head.sequence, layout=layout, produced_at=local_text(head.created), zone=ZONE_NAME
        )
        whole = body[: len(body) * 4 // 5] if cut else body
        put(self.root / "outbound", name, whole)
        put(self.root / "outbound", stem_of(name) + ".ctl", control)
        self.books.file(name, "sent", "", "", "", head.created)
        return name

    def head(self, kind: str, sender: str, day: date, now: datetime) -> FileHead:
        """Return the header facts of the next file of a kind."""
        return FileHead(sender, now, day, self.books.next_number(f"{sender}/{kind}"))


Step = tuple[datetime, str, Callable[[Cis, datetime], bool]]
"""(business time, name, act); the act returns whether it could be done now."""


def steps_of(cis: Cis) -> Iterator[Step]:
    """Yield every step of the script in order of business time."""
    for number, cycle in enumerate(cis.cycles):
        day = cycle.day
        if number == 0:
            yield script.REFERENCE.on(day), "reference", partial(_send_calendar, day=day)
        yield script.REQUESTS.on(day), f"requests {day}", partial(_send_requests, cycle=cycle)
        yield script.RESEND.on(day), f"resend {day}", partial(_resend, cycle=cycle)
        yield script.RESEND.on(day), f"duplicate {day}", partial(_duplicate, cycle=cycle)
        yield script.BILLING.on(day), f"billing {day}", partial(_bill, day=day)


def _send_calendar(cis: Cis, now: datetime, *, day: date) -> bool:
    head = cis.head("RF", "CISMASS", day, now)
    cis.offer("RF", head, "MASTER", calendar_body(head), layout="reference/1")
    return True


def due(cis: Cis, cycle: CycleDay, interface: str) -> list[Asked]:
    """Return the items of a cycle and interface, in the city's order, and one mass item that nobody knows."""
    items = []
    for index, point in enumerate(cis.points.values()):
        if point.cycle == cycle.cycle and point.interface == interface:
            request_id = f"R{cycle.cycle}-{index:06d}"
            items.append(Asked(request_id, "CYCLE", point, naming(index, point), cycle.period))
    if interface == "CISMASS" and not cis.city.facts["calm"]:
        stranger = Point(
            script.UNKNOWN_USAGE_POINT, "", "ELECTRICITY", "REGISTER", "SOAP", "", "", "", "AC-NOBODY",
            "AG-NOBODY", "", "", "", "UNKNOWN",
        )  # fmt: skip
        items.append(Asked(f"R{cycle.cycle}-STRAY", "CYCLE", stranger, "ALL", cycle.period))
    return items


def _send_requests(cis: Cis, now: datetime, *, cycle: CycleDay) -> bool:
    for interface in INTERFACES:
        items = due(cis, cycle, interface)
        if interface == "CISMASS" and str(cycle.day) in cis.knobs.listed("truncate_request"):
            keep = len(items) * 5 // 6
            _request(cis, cycle, interface, items[:keep], now)
            _request(cis, cycle, interface, items[keep:], now, cut=True)
        elif items:
            _request(cis, cycle, interface, items, now)
    return True


def _request(
    cis: Cis,
    cycle: CycleDay,
    interface: str,
    items: Sequence[Asked],
    now: datetime,
    *,
    cut: bool = False,
    run_type: str = "ON",
) -> None:
    head = cis.head("BR", interface, cycle.day, now)
    body = request_body(head, items, cis.meters, run_type=run_type, cycle=cycle.cycle)
    name = cis.offer("BR", head, f"{run_type}_{cycle.cycle}", body, layout="billing_request/1", cut=cut)
    start, end = (local_text(instant) for instant in (items[0].period if items else cycle.period))
    cis.books.asked(
        (
            item.request_id, interface, cycle.business_date, item.reason, item.point.usage_point, item.point.account,
            item.point.agreement, start, end, item.replaces, name,
        )
        for item in items
    )  # fmt: skip


def _resend(cis: Cis, now: datetime, *, cycle: CycleDay) -> bool:
    """Send again, whole and under the next number, what the hub refused as cut; wait until it has refused it."""
    if str(cycle.day) not in cis.knobs.listed("truncate_request"):
        return True
    row = cis.books.db.execute(
        "SELECT name FROM file WHERE direction = 'sent' AND verdict = 'REJECTED' AND name LIKE 'BR_CISMASS%' "
        "AND name LIKE ?",
        (f"%_{cycle.day:%Y%m%d}_%",),
    ).fetchone()
    if row is None:
        return False
    ids = {r[0] for r in cis.books.db.execute("SELECT request_id FROM request WHERE file = ?", (row[0],))}
    with cis.books.db:
        cis.books.db.execute("UPDATE request SET verdict = '', code = '', told = '' WHERE file = ?", (row[0],))
    _request(cis, cycle, "CISMASS", [item for item in due(cis, cycle, "CISMASS") if item.request_id in ids], now)
    return True


def _duplicate(cis: Cis, now: datetime, *, cycle: CycleDay) -> bool:
    """Send the first request file of the day once more, byte for byte, under another name."""
    if str(cycle.day) not in cis.knobs.listed("duplicate_request"):
        return True
    if not cis.books.done(f"resend {cycle.day}"):
        return False
    row = cis.books.db.execute(
        "SELECT name FROM file WHERE direction = 'sent' AND name LIKE 'BR_CISMASS%' AND name LIKE ? "
        "AND verdict LIKE 'ACCEPTED%' ORDER BY name",
        (f"%_{cycle.day:%Y%m%d}_%",),
    ).fetchone()
    if row is None:
        return False
    found = [path for path in cis.root.glob(f"outbound/**/{row[0]}") if path.is_file()]
    if not found:
        return False
    head = cis.head("BR", "CISMASS", cycle.day, now)
    cis.offer("BR", head, f"ON_{cycle.cycle}", found[0].read_bytes(), layout="billing_request/1")
    return True


def _bill(cis: Cis, now: datetime, *, day: date) -> bool:
    for interface in INTERFACES:
        made = cis_billing.bill_loaded(cis.books, interface, now=now)
        send_extract(cis, interface, day, now)
        cis.books.note(f"{interface}: {made} bills made", now)
    sabotage.double_bill(cis, now)
    return True


def send_extract(cis: Cis, interface: str, day: date, now: datetime) -> None:
    """Put the billed extract of an interface on offer, if there is anything to say."""
    rows = cis_billing.unreported(cis.books, interface)
    if not rows:
        return
    head = cis.head("BX", interface, day, now)
    name = cis.offer("BX", head, "BILLED", cis_billing.extract_body(head, rows), layout="billed/1")
    cis_billing.mark_reported(cis.books, rows, name)


def ask_again(cis: Cis, request_ids: Sequence[str], now: datetime) -> None:
    """Ask for a rebill of requests whose bills were cancelled (one off-cycle file for each cycle and interface)."""
    groups: dict[tuple[str, str], list[Asked]] = {}
    for request_id in request_ids:
        row = cis.books.db.execute(
            "SELECT interface, usage_point, business_date FROM request WHERE request_id = ?", (request_id,)
        ).fetchone()
        cycle = next(c for c in cis.cycles if c.business_date == row[2])
        asked = Asked(f"{request_id}-RB", "REBILL", cis.points[row[1]], "ALL", cycle.period, request_id)
        groups.setdefault((row[0], cycle.cycle), []).append(asked)
    today = max(
        (c for c in cis.cycles if c.day <= (now - timedelta(hours=5)).date()),
        key=lambda c: c.day,
        default=cis.cycles[0],
    )
    for (interface, cycle_code), items in groups.items():
        cycle = CycleDay(cycle_code, today.business_date, today.period_start, today.period_end)
        _request(cis, cycle, interface, items, now, run_type="OFF")
