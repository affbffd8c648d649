"""Links that systems of different clocks tell: one change of a meter, at instants that differ by their granularity.

Who keeps days tells of a hanging at midnight, who keeps seconds at ten: the same one (ruling 7). Of both, the finer
instant stands, in whatever order they come.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from canonical.granularity import SECOND, Grain, same_time
from canonical.ids import mint
from flows.master_data_sync import installations
from store import master_origins
from store.master_changes import Provenance
from store.rows import Row
from store.session import Session

Step = Literal["create", "close"]
KIND = "stay"
"""Under which `master_origins` keeps who told of the beginning or end of a stay."""


@dataclass(frozen=True, slots=True)
class Clocks:
    """How finely whoever tells of links keeps time."""

    grains: Mapping[str, Grain]

    def of(self, source: str) -> Grain:
        """Return the grain of a system; to the second where nobody says another."""
        return self.grains.get(source, SECOND)


EXACT = Clocks({})


def note(session: Session, meter: str, point: str, step: Step, at: datetime, source: str) -> None:
    """Remember who told of the beginning or end of a stay."""
    master_origins.note(session, KIND, mint(KIND, meter, point, step, at), source)


def same(
    session: Session, meter: str, point: str, step: Step, at: datetime, *, source: str, clocks: Clocks
) -> tuple[Row, bool] | None:
    """Return the row whose beginning or end is what a system tells, and whether it tells it more exactly.

    None where no stay of the meter at the usage point begins or ends about then, or where all clocks are exact.
    """
    if not clocks.grains:
        return None
    own = clocks.of(source)
    for row in _edges(session, meter, point, step):
        held: datetime = row["installed_at"] if step == "create" else row["removed_at"]
        theirs = clocks.of(_told_by(session, meter, point, step, held))
        if held != at and same_time(at, held, one_grain=own, other_grain=theirs):
            return row, own.is_finer_than(theirs)
    return None


def after_the_other(session: Session, meter: str, point: str, at: datetime, *, source: str, clocks: Clocks) -> datetime:
    """Return when a meter is hung that a system tells of by a coarse clock: not before the other one was taken away."""
    for row in installations.at_usage_point(session, point):
        end: datetime | None = row["removed_at"]
        if row["meter"] == meter or end is None or not row["installed_at"] <= at < end:
            continue
        theirs = clocks.of(_told_by(session, row["meter"], point, "close", end))
        if theirs.is_finer_than(clocks.of(source)) and same_time(
            at, end, one_grain=clocks.of(source), other_grain=theirs
        ):
            return end
    return at


def refine(session: Session, row: Row, step: Step, at: datetime, *, by: Provenance, now: datetime) -> None:
    """Bring the beginning or end of a stay to a more exact instant; what hangs there before or after gives way."""
    meter, point = row["meter"], row["usage_point"]
    column = "installed_at" if step == "create" else "removed_at"
    held: datetime = row[column]
    other: Step = "close" if step == "create" else "create"
    for near in installations.at_usage_point(session, point):
        if near["meter"] == meter or near["commodity"] != row["commodity"]:
            continue
        edge = near["removed_at"] if step == "create" else near["installed_at"]
        in_the_way = edge is not None and (at < edge <= held if step == "create" else held <= edge < at)
        if in_the_way:
            source = _told_by(session, near["meter"], point, other, edge)
            installations.move(session, near, "removed_at" if step == "create" else "installed_at", at, by=by, now=now)
            note(session, near["meter"], point, other, at, source)
    installations.move(session, row, column, at, by=by, now=now)


def _edges(session: Session, meter: str, point: str, step: Step) -> list[Row]:
    """Return the rows with which stays of a meter at a usage point begin, or end."""
    mine = [row for row in installations.of_meter(session, meter) if row["usage_point"] == point]
    if step == "create":
        return [row for row in mine if not row["split"]]
    goes_on = {row["installed_at"] for row in mine if row["split"]}
    return [row for row in mine if row["removed_at"] is not None and row["removed_at"] not in goes_on]


def _told_by(session: Session, meter: str, point: str, step: Step, at: datetime) -> str:
    name = mint(KIND, meter, point, step, at)
    return master_origins.creators(session, {name}).get((KIND, name), "")
