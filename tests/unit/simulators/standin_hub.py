"""The simplest thing that answers the CIS as a hub would: it knows the truth, and writes drops and notices by hand."""

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

from simulators.audit_books import Books, Request
from simulators.cis import open_cis, turn
from simulators.cis_day import Cis
from simulators.cis_files import acknowledge, hash_of, manifest_of, stem_of
from simulators.local_days import at_local, local_text, utc_text
from simulators.mdms_state import open_mdms
from simulators.script import BUSINESS_DAYS


def drop_lines(books: Books, requests: list[Request], *, sequence: int, interface: str) -> list[str]:
    """Return the lines of a whole one-part run that answers these requests with what the truth says."""
    day = requests[0].business_date
    lines = [
        f"HDR|billing_drop|1|F{sequence}|AMIHUB|{interface}|TEST|{local_text(datetime.now(UTC))}|{day}|America/Toronto"
    ]
    lines[0] += f"|{sequence}|ON|17|1|Y|0|"
    counts = dict.fromkeys(("SVC", "MTR", "REG", "DET", "DEM", "EXC", "CLS"), 0)
    sums: dict[str, object] = {}
    ids, reasons = [], []

    def add(record: str, *fields: str) -> None:
        lines.append("|".join((record, *fields)))
        counts[record] += 1

    for request in requests:
        expected, point = books.expected(request), books.points[request.usage_point]
        determinant = f"D-{request.request_id}"
        ids.append(determinant)
        status = expected.status if expected else point.trouble
        tail = [""] * 11
        add("SVC", determinant, "1", "", request.account, "", request.usage_point, "", "17", "", "", request.request_id, "", "CYCLE", request.period_start, request.period_end, "31", status, *tail)  # noqa: E501  # fmt: skip
        if expected is None:
            add("EXC", "ERROR", "6007 NO_READ", "", "")
            reasons.append(point.trouble)
            continue
        meter = books.meters[request.usage_point][-1]
        add("MTR", "m", meter.manufacturer, meter.serial, "", "", "NORMAL", "", str(meter.multiplier), "Y", "5", "3")
        for code, quantity in expected.quantities.items():
            unit = "m3" if code == "M3_TOTAL" else "kWh"
            add("DET", code, unit, "", "", "DELIVERED", str(quantity), "MDMS", "VALIDATED", "0")
            sums[f"{code}.{unit}"] = sums.get(f"{code}.{unit}", 0) + quantity  # type: ignore[operator]
    add("CLS", "REQUESTED", "", str(len(requests)))
    add("CLS", "DELIVERED", "", str(len(requests) - len(reasons)))
    for reason in sorted(set(reasons)):
        add("CLS", reason, "6007", str(reasons.count(reason)))
    totals = ";".join(f"{key}={value}" for key, value in sorted(sums.items()))
    lines.append("|".join(("TRL", *map(str, counts.values()), totals, "0", hash_of(ids))))
    return lines


def put_drop(cis: Cis, lines: list[str], *, sequence: int, interface: str, last: str = "F") -> str:
    """Lay a drop into the CIS's inbound folder, control file last."""
    name = f"BD_AMIHUB_{interface}_TEST_ON_17_20261117_{sequence:06d}_p01{last}_r0.dat"
    body = ("\n".join(lines) + "\n").encode()
    totals = {
        f"DET.{key}": value for key, value in (pair.split("=") for pair in lines[-1].split("|")[8].split(";") if pair)
    }
    control = manifest_of(
        name, body, sequence=sequence, layout="billing_drop/1", produced_at="", zone="", totals=totals | {"REG": "0"}
    )
    (cis.root / "inbound" / name).write_bytes(body)
    (cis.root / "inbound" / (stem_of(name) + ".ctl")).write_bytes(control)
    return name


def acknowledge_requests(cis: Cis) -> None:
    """Accept every item of every request file; refuse items of usage points that nobody knows."""
    for path in cis.root.glob("outbound/BR_*.dat"):
        rows = [line.split("|") for line in path.read_text().splitlines()]
        items: list[dict[str, object]] = [
            {"key": row[1], "verdict": "REJECTED" if row[1].endswith("STRAY") else "ACCEPTED", "code": "", "reason": ""}
            for row in rows
            if row[0] == "REQ"
        ]
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        acknowledge(cis.root / "inbound", path.name, digest, "ACCEPTED", at="", items=items)


def tell_mdms(run: Path) -> None:
    """Tell the MDMS every bill, as billed notices would."""
    books, mdms = Books(run), open_mdms(run)
    rows = []
    for bill in books.bills:
        if bill.event == "CANCELLED":
            continue
        point = books.points[books.requests[bill.request_id].usage_point]
        kind = {"GAS": "8.0.0.4.1.7.58", "WATER": "8.0.0.4.1.9.58"}.get(point.commodity, "8.0.0.4.1.1.12")
        ending = ".0.0.0.0.0.0.0.0.3.72.0" if bill.unit == "kWh" else ".0.0.0.0.0.0.0.0.0.42.0"
        row = (
            bill.determinant_id,
            bill.version,
            point.usage_point,
            kind + ending,
            bill.quantity,
            utc_text(datetime.now(UTC)),
        )
        rows.append(row)
    mdms.books.billed(rows)


def one_day(run: Path) -> None:
    """Let the CIS and the stand-in go through the first business day of a calm city."""
    cis = open_cis(run)
    open_mdms(run).books.db.close()
    day = BUSINESS_DAYS[0]
    turn(cis, at_local(day, 7, 1))
    acknowledge_requests(cis)
    turn(cis, at_local(day, 7, 2))
    books = Books(run)
    for sequence, interface in enumerate(("CISMASS", "CISINT"), 1):
        requests = [r for r in books.requests.values() if r.interface == interface and r.verdict == "ACCEPTED"]
        put_drop(
            cis,
            drop_lines(books, requests, sequence=sequence, interface=interface),
            sequence=sequence,
            interface=interface,
        )
    turn(cis, at_local(day, 8))
    turn(cis, at_local(day, 18, 31))
    tell_mdms(run)


def reference_of(run: Path) -> dict[str, object]:
    """Return the first acknowledgement that the CIS wrote."""
    path = next((run / "cis" / "root" / "outbound").glob("BD_*.ack"))
    found: dict[str, object] = json.loads(path.read_text())
    return found
