"""The report of a rollout as people and programs read it: lines, JSON, CSV. No names, addresses or remarks."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Any

from flows.meter_rollout.report_figures import AGES, DayFigures, Deviation, Duration, RolloutReport, Unbilled, percent
from services.report_output import safe
from services.rollout_text import STATES
from services.unbilled_text import energy_of, money_of

SHOWN = timedelta(days=14)
"""How far before and behind its day the table of days reaches."""

COLUMNS = ("table", "name", "measure", "value")


def title_of(report: RolloutReport) -> str:
    """Return what a report is about."""
    return f"wave {report.wave}" if report.wave else "all waves"


def figures_of(report: RolloutReport) -> list[tuple[str, str, str]]:
    """Return the figures that a report begins with: value, what it is, and what it is a part of."""
    today, certified = report.today, report.to_certified
    return [
        (f"{report.done:,} of {report.listed:,}", "exchanges done", percent(report.done, report.listed)),
        (f"{today.done:,} of {today.planned:,}", f"done on {report.day} against the plan", in_vain_of(report)),
        (f"{report.open_deviations:,}", "deviations open", f"{today.raised:,} became work on {report.day}"),
        (percent(report.first_time, report.judged), "validated first time", f"of {report.judged:,}"),
        (percent(report.silent, report.awaited), "of new meters not heard", f"{report.silent:,} of {report.awaited:,}"),
        (f"{report.certified:,}", "certified for AMI billing", f"{report.closed:,} closed"),
        (
            f"{long(certified.p50_minutes)} / {long(certified.p95_minutes)}",
            "done to certified, p50 / p95",
            "whole time",
        ),
        (caused(report), "unbilled at exchanges under way", "outside of its normal course" if report.unbilled else ""),
    ]


def in_vain_of(report: RolloutReport) -> str:
    """Return the visits in vain as words."""
    return f"{report.today.in_vain:,} visits in vain, {report.in_vain:,} in all"


def long(minutes: int | None) -> str:
    """Return a duration as people say it."""
    if minutes is None:
        return "-"
    hours, rest = divmod(minutes, 60)
    return f"{hours // 24} d {hours % 24} h" if hours >= 24 else f"{hours} h {rest} min" if hours else f"{rest} min"


def caused(report: RolloutReport) -> str:
    """Return what is unbilled beyond the normal course, in money; in energy where the site states no rates."""
    run, late = report.unbilled_run, [one for one in report.unbilled if one.reason != "IN_CYCLE"]
    if run is None:
        return "not counted"
    money = sum(one.money_minor for one in late)
    if money or not late:
        return f"{money_of(money, run['minor_digits'])} {run['currency']}"
    units = dict.fromkeys(one.unit for one in late)
    return ", ".join(f"{energy_of(sum(one.quantity_micro for one in late if one.unit == u))} {u}" for u in units)


def worth_of(one: Unbilled, run: Any) -> str:
    """Return what an entry is worth."""
    said = f"{money_of(one.money_minor, run['minor_digits'])} {run['currency']}"
    return f"{said}, {one.unpriced} without rate" if one.unpriced else said


def near(report: RolloutReport) -> list[DayFigures]:
    """Return the days around the report's own."""
    first, last = report.day - SHOWN, report.day + SHOWN
    return [one for one in report.days if first <= date.fromisoformat(one.day) <= last]


def report_lines(report: RolloutReport) -> Iterator[str]:
    """Yield a report as lines of text."""
    yield f"Rollout, {title_of(report)}, {report.day}, as known {report.until:%Y-%m-%d %H:%MZ}"
    for value, what, beside in figures_of(report):
        yield f"  {value:>22}  {what}" + (f" ({beside})" if beside else "")
    if report.unplanned:
        yield f"  {report.unplanned:>22,}  exchanges outside of every wave"
    states = ", ".join(f"{report.states[name]:,} {name}" for name in STATES if report.states.get(name))
    yield f"  orders: {states or 'none'}"
    yield from _days(report)
    yield from _deviations(report)
    if report.reasons:
        yield f"\nVisits in vain: {', '.join(f'{number:,} {reason}' for reason, number in report.reasons.items())}"
    for kind, groups in report.groups.items():
        if groups:
            yield f"\n{'Most deviations by ' + kind:<40} {'done':>8} {'raised':>8} {'open':>8} {'share':>8}"
        for one in groups:
            share = percent(one.raised, one.done)
            yield f"{one.name:<40} {one.done:>8,} {one.raised:>8,} {one.open:>8,} {share:>8}"
    yield from _elsewhere(report)


def _days(report: RolloutReport) -> Iterator[str]:
    rows = near(report)
    if not rows:
        return
    names = ("planned", "done", "unplanned", "in vain", "certified", "raised", "left", "by plan")
    yield f"\n{'day':<14} " + " ".join(f"{name:>9}" for name in names)
    for one in rows:
        left = "" if one.remaining is None else f"{one.remaining:,}"
        numbers = (one.planned, one.done, one.unplanned, one.in_vain, one.certified, one.raised)
        cells = [*(f"{n:,}" for n in numbers), left, f"{one.remaining_by_plan:,}"]
        yield f"{one.day} {date.fromisoformat(one.day):%a} " + " ".join(f"{cell:>9}" for cell in cells)


def _deviations(report: RolloutReport) -> Iterator[str]:
    if not report.deviations:
        return
    yield f"\n{'deviation':<34} {'raised':>7} {'open':>7} " + " ".join(f"{age:>9}" for age in AGES) + "  oldest"
    for one in report.deviations:
        spread = " ".join(f"{number or '':>9}" for number in one.ages)
        oldest = f"{one.oldest:%Y-%m-%d}" if one.oldest else ""
        yield f"{one.code:<34} {one.raised:>7,} {one.open:>7,} {spread}  {oldest}"


def _elsewhere(report: RolloutReport) -> Iterator[str]:
    """Yield what lies with shipments and with billing."""
    for n, row in enumerate(report.blocked):
        if not n:
            yield "\nShipped meters that are blocked"
        yield f"  {row['meters']:>8,}  {row['shipment']}, {row['manufacturer']} lot {row['lot'] or '-'}: {row['code']}"
    run = report.unbilled_run
    if run is not None:
        yield f"\nUnbilled at exchanges under way, register of {run['day']}"
        for one in report.unbilled:
            said = f"{energy_of(one.quantity_micro):>16} {one.unit:<4} {worth_of(one, run):>20}"
            yield f"  {one.reason:<28} {one.entries:>8,} {said}"


def report_to_json(report: RolloutReport) -> str:
    """Return a report as JSON: whole numbers, instants in UTC, money in minor units, energy in millionths."""
    told = asdict(report)
    told["trend"] = [{"day": day, "code": code, "raised": n} for (day, code), n in sorted(report.trend.items())]
    told["deviations"] = [{**asdict(one), "ages": dict(zip(AGES, one.ages, strict=True))} for one in report.deviations]
    return json.dumps(told, indent=2, default=_said)


def _said(value: Any) -> str:
    """Return an instant or a date as text."""
    if isinstance(value, datetime | date):
        return value.isoformat().replace("+00:00", "Z")
    raise TypeError(f"a report has no {type(value).__name__}")


def csv_lines(report: RolloutReport) -> Iterator[str]:
    """Yield every figure as a line of CSV: table, name, measure, value (RFC 4180, lines end with CR LF)."""
    room = io.StringIO()
    writer = csv.writer(room)
    writer.writerow(COLUMNS)
    for row in _cells(report):
        writer.writerow([safe(str(cell)) for cell in row])
    yield room.getvalue()


def _cells(report: RolloutReport) -> Iterator[tuple[str, str, str, object]]:
    own = asdict(report)
    wave = report.wave or "*"
    yield "rollout", wave, "day", report.day
    yield "rollout", wave, "until", _said(report.until)
    for name in ("listed", "done", "unplanned", "certified", "closed", "judged", "first_time", "awaited", "silent"):
        yield "rollout", wave, name, own[name]
    for name in Duration.__slots__:
        value = own["to_certified"][name]
        yield "to_certified", wave, name, "" if value is None else value
    tables: tuple[tuple[str, Iterable[tuple[str, Mapping[str, Any]]]], ...] = (
        ("state", ((state, {"orders": number}) for state, number in sorted(report.states.items()))),
        ("day", ((one["day"], one) for one in own["days"])),
        ("visit_in_vain", ((reason, {"visits": number}) for reason, number in report.reasons.items())),
        ("deviation", ((one.code, _of_code(one)) for one in report.deviations)),
        ("trend", ((f"{day} {code}", {"raised": number}) for (day, code), number in sorted(report.trend.items()))),
        *((kind, ((one["name"], one) for one in own["groups"][kind])) for kind in own["groups"]),
        ("blocked", ((f"{one['shipment']} {one['lot']} {one['code']}", one) for one in own["blocked"])),
        ("unbilled", ((f"{one['reason']} {one['unit']}", one) for one in own["unbilled"])),
    )  # fmt: skip
    for table, rows in tables:
        for name, row in rows:
            yield from ((table, name, measure, n) for measure, n in row.items() if isinstance(n, int))


def _of_code(one: Deviation) -> dict[str, int]:
    """Return the figures of one code."""
    return {"raised": one.raised, "open": one.open, **dict(zip(AGES, one.ages, strict=True))}
