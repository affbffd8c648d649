"""What the register says of a day: totals, reasons by age, what is worth most, the trend; read from the store."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from canonical.codes.billing import UNBILLED_NOT_COUNTED
from canonical.errors import RejectedError
from canonical.unbilled import AGES, Reason, UnbilledEntry
from flows.unbilled.rows import entry_from
from store import unbilled
from store.session import Transaction

Row = Mapping[str, Any]
BY: Mapping[str, str] = {
    "reason": "reason",
    "class": "customer_class",
    "cycle": "cycle",
    "age": "age",
    "tariff": "tariff",
    "commodity": "commodity",
}
"""By what the totals may be asked for, and the column that holds it."""

TREND_DAYS = 30


@dataclass(frozen=True, slots=True)
class Total:
    """A sum over entries of one unit."""

    name: str
    unit: str
    entries: int
    quantity_micro: int
    """Delivered and unbilled, in millionths of `unit`."""

    averaged_micro: int
    """The part of it that rests on averages."""

    received_micro: int
    money_minor: int
    unpriced: int
    """Entries without a rate; their money is in no sum."""


@dataclass(frozen=True, slots=True)
class Report:
    """One day of the register."""

    day: date
    run: Row
    """Instant, state and currency of the run that counted it."""

    by: str
    totals: tuple[Total, ...]
    """By unit."""

    groups: tuple[Total, ...]
    """By what was asked for, and unit."""

    matrix: Mapping[tuple[str, str], tuple[Total, ...]]
    """By reason and age, one for each unit."""

    trend: tuple[Total, ...]
    """By day (its name) and unit, oldest first."""

    trend_reasons: Mapping[tuple[str, str], int]
    """Money in minor units by day and reason."""

    top: tuple[UnbilledEntry, ...]
    without_agreement: tuple[UnbilledEntry, ...]
    without_meter: tuple[UnbilledEntry, ...]


def read_report(
    *, transaction: Transaction, day: date | None = None, by: str = "reason", limit: int = 20, listed: int = 200
) -> Report:
    """Return a day of the register; the latest one that was counted whole where none is named.

    Raises:
        RejectedError: the day was not counted (UNBILLED_NOT_COUNTED).
    """
    with transaction() as session:
        name = day.isoformat() if day is not None else unbilled.latest_day(session)
        found = unbilled.run_of(session, name) if name else None
        if found is None:
            raise RejectedError(f"the register has no entries of {name or 'any day'}", code=UNBILLED_NOT_COUNTED)
        column = BY[by]
        matrix = unbilled.totals(session, name, ("reason", "age"))
        reasons = unbilled.trend(session, name, days=TREND_DAYS, by=("reason",))
        return Report(
            day=date.fromisoformat(name),
            run=found,
            by=by,
            totals=_named(unbilled.totals(session, name, ("unit",)), "unit"),
            groups=_ordered(_named(unbilled.totals(session, name, (column,)), column), by),
            matrix=_matrix(matrix),
            trend=_named(unbilled.trend(session, name, days=TREND_DAYS), "day"),
            trend_reasons=_summed(reasons),
            top=_entries(unbilled.top(session, name, limit=limit)),
            without_agreement=_entries(unbilled.of_reason(session, name, Reason.NO_SA, limit=listed)),
            without_meter=_entries(unbilled.of_reason(session, name, Reason.NO_METER, limit=listed)),
        )


def read_entries(*, transaction: Transaction, day: date, page: int = 5000) -> Iterator[UnbilledEntry]:
    """Yield every entry of a day, in order of agreement, a page in each transaction."""
    after = ("", "")
    while True:
        with transaction() as session:
            rows = unbilled.entries(session, day.isoformat(), after=after, limit=page)
        yield from map(entry_from, rows)
        if len(rows) < page:
            return
        after = (rows[-1]["agreement"], rows[-1]["usage_point"])


def _named(rows: Sequence[Row], column: str) -> tuple[Total, ...]:
    """Return totals named by one column."""
    return tuple(_total(row, str(row[column])) for row in rows)


def _total(row: Row, name: str) -> Total:
    return Total(
        name, row["unit"], row["entries"], row["quantity_micro"], row["averaged_micro"], row["received_micro"],
        row["money_minor"], row["unpriced"],
    )  # fmt: skip


def _ordered(totals: Sequence[Total], by: str) -> tuple[Total, ...]:
    """Return totals in the order that people expect: ages by age, all else by worth."""
    if by == "age":
        return tuple(sorted(totals, key=lambda one: (AGES.index(one.name), one.unit)))
    return tuple(sorted(totals, key=lambda one: (-one.money_minor, -one.quantity_micro, one.name, one.unit)))


def _matrix(rows: Sequence[Row]) -> dict[tuple[str, str], tuple[Total, ...]]:
    """Return totals by reason and age, one for each unit."""
    found: dict[tuple[str, str], tuple[Total, ...]] = {}
    for row in rows:
        key = (row["reason"], row["age"])
        found[key] = (*found.get(key, ()), _total(row, row["reason"]))
    return found


def _summed(rows: Sequence[Row]) -> dict[tuple[str, str], int]:
    """Return money by day and reason."""
    found: dict[tuple[str, str], int] = {}
    for row in rows:
        key = (row["day"], row["reason"])
        found[key] = found.get(key, 0) + row["money_minor"]
    return found


def _entries(rows: Sequence[Row]) -> tuple[UnbilledEntry, ...]:
    return tuple(map(entry_from, rows))
