"""Plots of the register as inline SVG: reasons by age as bars, the last days as columns. Colors come from the page."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from canonical.unbilled import AGES, Reason
from flows.unbilled.report import Report
from services.unbilled_text import energy_of, money_of

BAR, GAP, LABEL, WIDTH = 22, 10, 230, 900
COLUMNS_HIGH, FOOT = 200, 34


@dataclass(frozen=True, slots=True)
class Piece:
    """One colored piece of a bar or column."""

    style: str
    """Class of the page that colors it."""

    size: int
    text: str
    """What it says when pointed at."""


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
            rows.append((reason.value, _shown(report, total), [piece for piece in pieces if piece.size > 0]))
    most = max((sum(p.size for p in pieces) for _, _, pieces in rows), default=0) or 1
    parts = [_bar(n, name, said, pieces, most) for n, (name, said, pieces) in enumerate(rows)]
    if not parts:
        parts = ['<text x="10" y="16" class="sum">Everything is in its normal course.</text>']
    high = max(1, len(rows)) * (BAR + GAP)
    return _svg(high, parts, "Unbilled by reason and age")


def _bar(n: int, name: str, said: str, pieces: Sequence[Piece], most: int) -> str:
    """Return one horizontal bar with its name before and its sum behind."""
    room, y, x = WIDTH - LABEL - 160, n * (BAR + GAP), float(LABEL)
    parts = [f'<text x="{LABEL - 10}" y="{y + 16}" class="name">{escape(name)}</text>']
    for piece in pieces:
        wide = piece.size * room / most
        parts.append(_rect(x, y, max(wide, 1.0), BAR, piece))
        x += wide
    return "".join([*parts, f'<text x="{x + 8:.1f}" y="{y + 16}" class="sum">{escape(said)}</text>'])


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
    columns = [(day, _day(report, day)) for day in days]
    most = max((sum(p.size for p in pieces) for _, pieces in columns), default=0) or 1
    step = (WIDTH - 20) / max(len(columns), 8)
    parts = []
    for n, (day, pieces) in enumerate(columns):
        x, y = 10 + n * step, float(COLUMNS_HIGH)
        for piece in pieces:
            high = piece.size * (COLUMNS_HIGH - 20) / most
            y -= high
            parts.append(_rect(x, y, step * 0.72, high, piece))
        if n % (1 + len(columns) // 12) == 0:
            parts.append(f'<text x="{x + step * 0.36:.1f}" y="{COLUMNS_HIGH + 18}" class="day">{day[5:]}</text>')
    parts.append(f'<line x1="10" x2="{WIDTH - 10}" y1="{COLUMNS_HIGH}" y2="{COLUMNS_HIGH}" class="axis"/>')
    return _svg(COLUMNS_HIGH + FOOT, parts, "Unbilled over the last days")


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


def _rect(x: float, y: float, wide: float, high: float, piece: Piece) -> str:
    """Return a colored rectangle that says what it is."""
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{high:.1f}" class="{piece.style}">'
        f"<title>{escape(piece.text)}</title></rect>"
    )


def _svg(high: float, parts: Sequence[str], title: str) -> str:
    """Return a drawing that fits its column."""
    return (
        f'<svg viewBox="0 0 {WIDTH} {high:.0f}" role="img" aria-label="{escape(title)}" '
        f'xmlns="http://www.w3.org/2000/svg">{"".join(parts)}</svg>'
    )
