"""What each system of the rollout holds in its own books at the end, in the words of the auditor."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from simulators.local_days import midnight
from simulators.rollout_books import home_of
from simulators.rollout_expected import Fact, moment
from simulators.rollout_truth import FIELD_DAY

Books = sqlite3.Connection


def held_by(run: Path, system: str, names: Mapping[str, str]) -> set[Fact]:
    """Return what a system holds of exchanges: what it held before and nobody touched is left out.

    `names` are manufacturer and serial by mRID: a book keeps a meter by whichever of them it was told.
    """
    path = home_of(run, system) / "books.sqlite"
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return {replace(fact, meter=names.get(fact.meter, fact.meter)) for fact in HELD[system](db)}
    finally:
        db.close()


def _links(db: Books) -> Iterator[Fact]:
    """Yield stays that began or ended since the field day; what touches is one stay, and what had no time none."""
    since = moment(midnight(FIELD_DAY).isoformat())
    rows = db.execute(
        "SELECT usage_point, id, start, end FROM link WHERE kind = 'Meter' ORDER BY usage_point, id, start"
    )
    stays: list[tuple[str, str, str, str]] = []
    for point, meter, begun, ended in rows:
        start, end = moment(begun), moment(ended or "")
        if start == end:
            continue
        if stays and stays[-1][:2] == (point, meter) and stays[-1][3] == start:
            start = stays.pop()[2]
        stays.append((point, meter, start, end))
    for point, meter, start, end in stays:
        if end or start >= since:
            yield Fact("link", point, meter, f"{start} to {end}")


def _values(db: Books) -> Iterator[Fact]:
    for point, meter, kind, value in db.execute("SELECT usage_point, meter, reading_type, value FROM reading"):
        yield Fact("reading", point, meter, f"{kind} {Decimal(value):.3f}")


def _cis(db: Books) -> Iterator[Fact]:
    for point, removed, installed, at in db.execute("SELECT usage_point, removed, installed, at FROM exchange"):
        yield Fact("exchange", point, installed, f"{removed} at {moment(at)}")
    ready = "SELECT id FROM object WHERE class = 'UsagePoint' AND xml LIKE '%amiBillingReady>%'"
    for (point,) in db.execute(ready):
        yield Fact("certified", point)
    yield from _values(db)


def _mdms(db: Books) -> Iterator[Fact]:
    yield from _links(db)
    yield from _values(db)


def _hes(db: Books) -> Iterator[Fact]:
    for meter, state, registered in db.execute("SELECT meter, state, registered FROM device"):
        yield Fact("device", "", meter, f"{state}, registered" if registered and state != "OUT" else state)


def _oms(db: Books) -> Iterator[Fact]:
    """Yield the meter of each usage point of which it was told anything: the one that it was told last."""
    since = moment(midnight(FIELD_DAY).isoformat())
    rows = db.execute("SELECT usage_point, id, start FROM link WHERE kind = 'Meter' ORDER BY rowid")
    told = {point: meter for point, meter, start in rows if moment(start) >= since}
    yield from (Fact("hangs", point, meter) for point, meter in told.items())


def _wams(db: Books) -> Iterator[Fact]:
    for (meter,) in db.execute("SELECT id FROM object WHERE class = 'Meter' AND xml LIKE '%Returned%'"):
        yield Fact("returned", "", meter)


HELD: dict[str, Callable[[Books], Iterator[Fact]]] = {
    "cis_ws": _cis, "mdms_ws": _mdms, "hes_ws": _hes, "oms_ws": _oms, "wams_ws": _wams,
}  # fmt: skip
"""How the books of each system are read."""
