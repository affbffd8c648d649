"""The register as people and programs read it: lines, JSON, CSV. Money in major units, energy to the thousandth."""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from canonical.unbilled import AGES, Reason, UnbilledEntry
from flows.unbilled.report import Report, Total
from services.report_output import safe

COLUMNS = (
    "day", "agreement", "account", "usage_point", "customer_class", "tariff", "cycle", "commodity", "reason",
    "evidence", "age", "age_days", "since", "since_by", "due", "quantity", "unit", "measured", "averaged", "corrected",
    "received", "money", "currency", "basis", "average_by", "read_at", "billed_reads", "latest_reads", "work",
)  # fmt: skip
"""Columns of the CSV, and keys of an entry as JSON."""


def money_of(minor: int, digits: int) -> str:
    """Return an amount in major units, thousands apart."""
    return f"{Decimal(minor).scaleb(-digits):,.{digits}f}"


def energy_of(micro: int) -> str:
    """Return a quantity that is counted in millionths, thousands apart, to the thousandth."""
    return f"{Decimal(micro).scaleb(-6):,.3f}"


def entry_to_dict(entry: UnbilledEntry, report_run: Any) -> dict[str, str]:
    """Return an entry as texts by `COLUMNS`."""
    digits, money = report_run["minor_digits"], entry.money_minor
    plain = {name: _text(getattr(entry, name)) for name in COLUMNS if name not in ("money", "currency")}
    worth = "" if money is None else f"{Decimal(money).scaleb(-digits):.{digits}f}"
    return {**plain, "money": worth, "currency": report_run["currency"]}


def _text(value: Any) -> str:
    """Return one value: an instant with `Z`, a quantity without exponent, reads as `name=value`."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value.normalize() + 0:f}"
    if isinstance(value, dict):
        return "; ".join(f"{name}={read}" for name, read in value.items())
    if isinstance(value, tuple):
        return " ".join(value)
    return str(value.isoformat()).replace("+00:00", "Z") if hasattr(value, "isoformat") else str(value)


def csv_lines(entries: Iterable[UnbilledEntry], report_run: Any) -> Iterator[str]:
    """Yield the entries as CSV lines with a header (RFC 4180, lines end with CR LF)."""
    room = io.StringIO()
    writer = csv.DictWriter(room, COLUMNS)
    writer.writeheader()
    for entry in entries:
        writer.writerow({name: safe(value) for name, value in entry_to_dict(entry, report_run).items()})
        yield room.getvalue()
        room.seek(0)
        room.truncate()
    yield room.getvalue()


def report_to_json(report: Report) -> str:
    """Return a report as JSON; quantities in millionths and money in minor units are whole numbers."""
    run = report.run
    return json.dumps(
        {
            "day": report.day.isoformat(),
            "as_of": run["as_of"].isoformat(),
            "state": run["state"],
            "currency": run["currency"],
            "minor_digits": run["minor_digits"],
            "totals": [_to_dict(one) for one in report.totals],
            "by": report.by,
            "groups": [_to_dict(one) for one in report.groups],
            "matrix": [
                {"reason": reason, "age": age, **_to_dict(one)}
                for (reason, age), each in sorted(report.matrix.items())
                for one in each
            ],
            "trend": [_to_dict(one) for one in report.trend],
            "top": [entry_to_dict(one, run) for one in report.top],
            "no_sa": [entry_to_dict(one, run) for one in report.without_agreement],
            "no_meter": [entry_to_dict(one, run) for one in report.without_meter],
        },
        indent=2,
    )


def _to_dict(total: Total) -> dict[str, Any]:
    """Return a sum as JSON knows it."""
    return {name: getattr(total, name) for name in Total.__slots__}


def report_lines(report: Report) -> Iterator[str]:
    """Yield a report as lines of text."""
    run = report.run
    digits, currency = run["minor_digits"], run["currency"]
    state = "" if run["state"] == "DONE" else f" ({run['state']}: counted in part)"
    yield f"Unbilled at the end of {report.day.isoformat()}, as of {run['as_of']:%Y-%m-%d %H:%MZ}{state}"
    for one in report.totals:
        rest = f", {energy_of(one.received_micro)} {one.unit} received" if one.received_micro else ""
        yield (
            f"  {one.entries:,} entries, {energy_of(one.quantity_micro)} {one.unit}{rest}, "
            f"{money_of(one.money_minor, digits)} {currency}" + (f", {one.unpriced} unpriced" if one.unpriced else "")
        )
    yield ""
    yield f"{report.by:<26} {'entries':>9} {'quantity':>18} unit {currency:>16} {'averaged':>16}"
    for one in report.groups:
        yield (
            f"{one.name or '-':<26} {one.entries:>9,} {energy_of(one.quantity_micro):>18} {one.unit:<4} "
            f"{money_of(one.money_minor, digits):>16} {energy_of(one.averaged_micro):>16}"
        )
    yield ""
    yield f"{currency + ' by reason and age':<26} " + " ".join(f"{age:>14}" for age in AGES)
    for reason in Reason:
        row = [report.matrix.get((reason, age), ()) for age in AGES]
        if any(row):
            cells = (money_of(sum(one.money_minor for one in each), digits) if each else "" for each in row)
            yield f"{reason:<26} " + " ".join(f"{cell:>14}" for cell in cells)
    yield from _entry_lines("Worth most", report.top, run)
    yield from _entry_lines("Meters without agreement (NO_SA)", report.without_agreement, run)
    yield from _entry_lines("Agreements without meter (NO_METER)", report.without_meter, run)
    yield ""
    yield "Trend"
    for one in report.trend:
        worth = f"{money_of(one.money_minor, digits):>16} {currency}"
        yield f"  {one.name} {one.entries:>9,} {energy_of(one.quantity_micro):>18} {one.unit:<4} {worth}"


def _entry_lines(title: str, entries: Iterable[UnbilledEntry], run: Any) -> Iterator[str]:
    """Yield entries under a title, or nothing where there are none."""
    for n, entry in enumerate(entries):
        if not n:
            yield ""
            yield title
        said = entry_to_dict(entry, run)
        who = entry.agreement or entry.usage_point
        work = f"  work {', '.join(name[:8] for name in entry.work)}" if entry.work else ""
        yield (
            f"  {who:<20} {said['quantity']:>14} {entry.unit:<4} {said['money'] or 'no rate':>12} {entry.age:>6} days  "
            f"{entry.reason}: {entry.evidence}{work}"
        )
