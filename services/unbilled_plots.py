"""Plots of the register as inline SVG: reasons by age as bars, the last days as columns. Colors come from the page."""

from canonical.unbilled import AGES, Reason
from flows.unbilled.report import Report
from services.page_plots import Bar, Piece, bars, columns
from services.unbilled_text import energy_of, money_of


def reasons_by_age(report: Report) -> str:
    """Return a bar for each reason, cut by age: by worth, or by energy where the site states no rates.

    What is in its normal course is not drawn: beside it all else would be too small to be seen.
    """
    rows = []
    for reason in Reason:
        if reason is Reason.IN_CYCLE:
            continue
        pieces = [_piece(report, reason, n) for n in range(len(AGES))]
        total = sum(piece.size for piece in pieces)
        if any(piece.text for piece in pieces):
            rows.append(Bar(reason.value, _shown(report, total), tuple(piece for piece in pieces if piece.size > 0)))
    return bars(rows, "Unbilled by reason and age", nothing="Everything is in its normal course.")


def _piece(report: Report, reason: Reason, age: int) -> Piece:
    """Return the piece of one reason and age; its text is empty where there is no entry."""
    each = report.matrix.get((reason, AGES[age]), ())
    size = sum(one.money_minor if has_money(report) else one.quantity_micro for one in each)
    entries = sum(one.entries for one in each)
    text = f"{reason}, {AGES[age]} days: {_shown(report, size)}, {entries:,} entries" if each else ""
    return Piece(f"age{age}", size, text)


def trend(report: Report) -> str:
    """Return a column for each counted day: what is in its normal course below, all else above."""
    days = sorted({one.name for one in report.trend})
    return columns([(day[5:], _day(report, day)) for day in days], "Unbilled over the last days")


def _day(report: Report, day: str) -> list[Piece]:
    """Return the two pieces of one day's column."""
    if has_money(report):
        calm = report.trend_reasons.get((day, Reason.IN_CYCLE), 0)
        rest = sum(worth for (one, reason), worth in report.trend_reasons.items() if one == day) - calm
        said = [("calm", calm, "in its normal course"), ("late", rest, "all other reasons")]
    else:
        said = [("late", sum(one.quantity_micro for one in report.trend if one.name == day), "all reasons")]
    return [Piece(style, size, f"{day}: {_shown(report, size)}, {what}") for style, size, what in said if size > 0]


def has_money(report: Report) -> bool:
    """Return whether anything of the day has a rate; without one, energy is drawn."""
    return any(one.money_minor for one in report.totals)


def _shown(report: Report, size: int) -> str:
    """Return a size of the plot as text."""
    if has_money(report):
        return f"{money_of(size, report.run['minor_digits'])} {report.run['currency']}"
    return f"{energy_of(size)} {' + '.join(one.unit for one in report.totals)}"
