"""Plots of a report's page as inline SVG: bars, columns, lines. Colors are classes of the page; texts are escaped."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

BAR, GAP, LABEL, WIDTH = 22, 10, 280, 900
COLUMNS_HIGH, FOOT = 200, 34


@dataclass(frozen=True, slots=True)
class Piece:
    """One colored piece of a bar or column."""

    style: str
    """Class of the page that colors it."""

    size: int
    text: str
    """What it says when pointed at."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One horizontal bar: its name before, its sum behind."""

    name: str
    said: str
    pieces: Sequence[Piece]


@dataclass(frozen=True, slots=True)
class Line:
    """One line over columns: a size for each, None where it has ended."""

    style: str
    sizes: Sequence[int | None]
    text: str


def bars(rows: Sequence[Bar], title: str, *, nothing: str) -> str:
    """Return bars below each other, the longest as wide as there is room; `nothing` is said where there is none."""
    most = max((sum(piece.size for piece in one.pieces) for one in rows), default=0) or 1
    parts = [_bar(n, one, most) for n, one in enumerate(rows)]
    return _svg(len(rows) * (BAR + GAP), parts, title) if rows else _said(nothing)


def _bar(n: int, one: Bar, most: int) -> str:
    room, y, x = WIDTH - LABEL - 160, n * (BAR + GAP), float(LABEL)
    parts = [f'<text x="{LABEL - 10}" y="{y + 16}" class="name">{escape(one.name)}</text>']
    for piece in one.pieces:
        wide = piece.size * room / most
        parts.append(_rect(x, y, max(wide, 1.0), BAR, piece))
        x += wide
    return "".join([*parts, f'<text x="{x + 8:.1f}" y="{y + 16}" class="sum">{escape(one.said)}</text>'])


def columns(
    days: Sequence[tuple[str, Sequence[Piece]]], title: str, *, nothing: str = "", has_scale: bool = False
) -> str:
    """Return a column for each day, its pieces upon each other; some of the days are named below.

    With `has_scale` the size of the highest stands at the top: where sizes are numbers that people read.
    """
    if not days and nothing:
        return _said(nothing)
    most = max((sum(piece.size for piece in pieces) for _, pieces in days), default=0) or 1
    step = (WIDTH - 20) / max(len(days), 8)
    parts = [f'<text x="10" y="12" class="sum">{most:,}</text>'] if has_scale else []
    for n, (_, pieces) in enumerate(days):
        y = float(COLUMNS_HIGH)
        for piece in pieces:
            high = piece.size * (COLUMNS_HIGH - 20) / most
            y -= high
            parts.append(_rect(10 + n * step, y, step * 0.72, high, piece))
    return _svg(COLUMNS_HIGH + FOOT, [*parts, *_axis([name for name, _ in days], step)], title)


def beside(days: Sequence[tuple[str, Sequence[Piece]]], title: str, *, nothing: str) -> str:
    """Return the pieces of each day as columns beside each other; the number of the highest stands at the top."""
    if not days:
        return _said(nothing)
    most = max((piece.size for _, pieces in days for piece in pieces), default=0) or 1
    step = (WIDTH - 20) / max(len(days), 8)
    parts = [f'<text x="10" y="12" class="sum">{most:,}</text>']
    for n, (_, pieces) in enumerate(days):
        wide = step * 0.8 / max(len(pieces), 1)
        for place, piece in enumerate(pieces):
            high = piece.size * (COLUMNS_HIGH - 20) / most
            parts.append(_rect(10 + n * step + place * wide, COLUMNS_HIGH - high, wide * 0.94, high, piece))
    return _svg(COLUMNS_HIGH + FOOT, [*parts, *_axis([name for name, _ in days], step)], title)


def lines(days: Sequence[str], drawn: Sequence[Line], title: str, *, nothing: str) -> str:
    """Return lines over days, from nothing to the highest size that any has; its number stands at the top."""
    if not days:
        return _said(nothing)
    most = max((size for one in drawn for size in one.sizes if size is not None), default=0) or 1
    step = (WIDTH - 20) / max(len(days), 8)
    parts = [f'<text x="10" y="12" class="sum">{most:,}</text>']
    for one in drawn:
        points = [
            (10 + n * step + step * 0.36, COLUMNS_HIGH - size * (COLUMNS_HIGH - 20) / most)
            for n, size in enumerate(one.sizes)
            if size is not None
        ]
        drawing = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        said = f"<title>{escape(one.text)}</title>"
        parts.append(f'<polyline points="{drawing}" class="line {one.style}">{said}</polyline>')
        parts += [
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" class="{one.style}">{said}</circle>' for x, y in points[-1:]
        ]
    return _svg(COLUMNS_HIGH + FOOT, [*parts, *_axis(days, step)], title)


def _axis(names: Sequence[str], step: float) -> list[str]:
    """Return the line below columns, and the names of some of them."""
    every = 1 + len(names) // 12
    parts = [
        f'<text x="{10 + n * step + step * 0.36:.1f}" y="{COLUMNS_HIGH + 18}" class="day">{escape(name)}</text>'
        for n, name in enumerate(names)
        if n % every == 0
    ]
    return [*parts, f'<line x1="10" x2="{WIDTH - 10}" y1="{COLUMNS_HIGH}" y2="{COLUMNS_HIGH}" class="axis"/>']


def _said(text: str) -> str:
    """Return words in the place of a drawing: they keep their size on a narrow page."""
    return f'<p class="why">{escape(text)}</p>'


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
