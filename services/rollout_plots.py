"""Plots of a rollout's report: planned beside done, burn-down, reasons, ageing, trend of deviations."""

from datetime import date, timedelta

from flows.meter_rollout.report_figures import AGES, RolloutReport
from services.page_plots import Bar, Line, Piece, bars, beside, columns, lines

SPAN = timedelta(days=30)
"""How far before its day a plot reaches, and behind it."""

MOST = 60
"""Points that the burn-down has at most; the days between are left out."""


def planned_and_done(report: RolloutReport) -> str:
    """Return what was planned beside what was done, by day."""
    first, last = report.day - SPAN, report.day + SPAN
    days = [
        (one.day[5:], [
            Piece("calm", one.planned, f"{one.day}: {one.planned:,} planned"),
            Piece("good", one.done + one.unplanned, f"{one.day}: {one.done + one.unplanned:,} done"),
            Piece("late", one.in_vain, f"{one.day}: {one.in_vain:,} visits in vain"),
        ])
        for one in report.days
        if first <= date.fromisoformat(one.day) <= last and (one.planned or one.done or one.unplanned or one.in_vain)
    ]  # fmt: skip
    return beside(days, "Planned and done by day", nothing="Nothing is planned, and nothing was done.")


def burn_down(report: RolloutReport) -> str:
    """Return what is left to be done at the end of each day, by the plan and really, from before the first one on."""
    days = [one for one in report.days if one.planned or one.done]
    every = 1 + len(days) // MOST
    kept = [one for n, one in enumerate(days) if n % every == 0 or n == len(days) - 1]
    listed = [one.remaining_by_plan + one.planned for one in kept[:1]]
    drawn = [
        Line("calm", [*listed, *(one.remaining_by_plan for one in kept)], "left by the plan"),
        Line("good", [*listed, *(one.remaining for one in kept)], "left"),
    ]
    names = ["before", *(one.day[5:] for one in kept)] if kept else []
    return lines(names, drawn, "Exchanges left", nothing="No order is listed.")


def ageing(report: RolloutReport) -> str:
    """Return a bar for each code of which something is open, cut by age."""
    rows = [
        Bar(one.code, f"{one.open:,}", [
            Piece(f"age{n}", number, f"{one.code}, {AGES[n]}: {number:,} open")
            for n, number in enumerate(one.ages)
            if number
        ])
        for one in report.deviations
        if one.open
    ]  # fmt: skip
    return bars(rows, "Open deviations by code and age", nothing="No deviation is open.")


def in_vain(report: RolloutReport) -> str:
    """Return a bar for each reason why a visit was in vain."""
    rows = [
        Bar(reason, f"{number:,}", [Piece("late", number, f"{reason}: {number:,} visits")])
        for reason, number in report.reasons.items()
    ]
    return bars(rows, "Visits in vain by reason", nothing="No visit was in vain.")


def raised(report: RolloutReport) -> str:
    """Return how many deviations became work on each day, the commonest codes apart."""
    first = (report.day - SPAN).isoformat()
    days = sorted({day for day, _ in report.trend if day >= first})
    codes = trend_codes(report)
    drawn = []
    for day in days:
        pieces = [
            Piece(f"age{n}", report.trend.get((day, code), 0), f"{day}: {report.trend.get((day, code), 0):,} {code}")
            for n, code in enumerate(codes)
        ]
        others = sum(number for (on, code), number in report.trend.items() if on == day and code not in codes)
        pieces.append(Piece("rest", others, f"{day}: {others:,} others"))
        drawn.append((day[5:], [one for one in pieces if one.size]))
    return columns(drawn, "Deviations that became work, by day", nothing="Nothing became work.", has_scale=True)


def trend_codes(report: RolloutReport) -> list[str]:
    """Return the codes that the trend shows apart, the commonest first."""
    return [one.code for one in sorted(report.deviations, key=lambda one: (-one.raised, one.code))[:5]]
