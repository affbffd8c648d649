"""Where meters hang, as believed while the exchanges of a batch are judged and applied one after another.

Everything is read by two looks and written by one (`write`): what did not change is not written. I1 is checked by the
rules before anything is changed here.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from canonical.metering import FAR_FUTURE
from flows.installation_parts import OF_METER, merged, parted
from flows.reference_rows import configurations_of
from store import reference, reference_bulk
from store.master_changes import Provenance
from store.reference import INSTALLATION
from store.rows import Row
from store.session import Session

Stay = dict[str, Any]
"""Columns of an installation; parts of one stay are put together."""

_KEPT = ("meter", "usage_point", "installed_at", "removed_at", "split", *OF_METER)


@dataclass(slots=True)
class Stays:
    """What is believed of some meters and usage points."""

    configurations: Mapping[str, list[Row]]
    """What the masters say of the meters, by meter in order of `valid_from`."""

    rows: Mapping[str, list[Row]]
    """Rows as they stand, by meter."""

    of_meter: dict[str, list[Stay]]
    touched: dict[str, Provenance] = field(default_factory=dict)
    """Meters of which something changed, and who said so last."""

    at: dict[str, list[Stay]] = field(default_factory=dict)
    """By usage point, in no order."""

    def standing(self, point: str, at: datetime, commodity: str = "") -> Stay | None:
        """Return what hangs at a usage point at an instant, of a commodity or of any."""
        for stay in self.at.get(point, ()):
            if stands(stay, at) and commodity in ("", stay["commodity"]):
                return stay
        return None

    def left(self, point: str, at: datetime) -> Stay | None:
        """Return what was taken away from a usage point at exactly an instant."""
        return next((one for one in self.at.get(point, ()) if one["removed_at"] == at), None)

    def follows(self, point: str, at: datetime, commodity: str) -> Stay | None:
        """Return what is hung at a usage point at an instant or later, None where nothing is."""
        later = [one for one in self.at.get(point, ()) if one["installed_at"] >= at and one["commodity"] == commodity]
        lasting = [one for one in later if one["removed_at"] != one["installed_at"]]
        return min(lasting, key=lambda one: one["installed_at"], default=None)

    def place(self, meter: str, at: datetime) -> Stay | None:
        """Return where a meter hangs at an instant, or later; None where it does nowhere any more."""
        mine = [one for one in self.of_meter.get(meter, ()) if (one["removed_at"] or FAR_FUTURE) > at]
        return min(mine, key=lambda one: one["installed_at"], default=None)

    def configuration(self, meter: str, at: datetime) -> Mapping[str, Any] | None:
        """Return how a meter is configured at an instant: as its master says, else as where it hung last."""
        versions = self.configurations.get(meter, ())
        begun = [one for one in versions if one["valid_from"] <= at]
        hung = self.of_meter.get(meter, ())
        known = begun[-1] if begun else versions[0] if versions else hung[-1] if hung else None
        if known is not None and hung and known["registers"] == "[]":
            return {**{name: known[name] for name in OF_METER}, "registers": hung[-1]["registers"]}
        return known

    def take_away(self, stay: Stay, at: datetime, *, by: Provenance) -> None:
        """Let a meter hang no longer than until an instant."""
        stay["removed_at"] = at
        self.touched[stay["meter"]] = by

    def hang(self, meter: str, point: str, at: datetime, *, by: Provenance, until: datetime | None = None) -> None:
        """Let a meter hang at a usage point from an instant on.

        Raises:
            KeyError: nobody has told how the meter is configured.
        """
        known = self.configuration(meter, at)
        if known is None:
            raise KeyError(meter)
        stay = {"meter": meter, "usage_point": point, "installed_at": at, "removed_at": until, "split": None}
        stay |= {name: known[name] for name in OF_METER}
        self.of_meter.setdefault(meter, []).append(stay)
        self.at.setdefault(point, []).append(stay)
        self.touched[meter] = by

    def forget(self, stay: Stay, *, by: Provenance) -> None:
        """Let a stay never have been."""
        for listed in (self.of_meter[stay["meter"]], self.at[stay["usage_point"]]):
            listed[:] = [one for one in listed if one is not stay]
        self.touched[stay["meter"]] = by

    def write(self, session: Session, *, now: datetime) -> None:
        """Record what changed, by each who said so; known from `now` on."""
        groups: dict[Provenance, list[str]] = {}
        for meter, by in self.touched.items():
            groups.setdefault(by, []).append(meter)
        for by, meters in groups.items():
            old = [row for meter in meters for row in self.rows.get(meter, ())]
            wanted = [part for meter in meters for part in self._parts(meter)]
            reference.replace(session, INSTALLATION, old, wanted, by=by, now=now)
        self.touched.clear()

    def _parts(self, meter: str) -> list[Stay]:
        """Return the stays of a meter as rows: parted where its configuration changes."""
        stays, versions = sorted(self.of_meter.get(meter, ()), key=_order), self.configurations.get(meter, ())
        return [part for stay in stays for part in parted(stay, versions)] if versions else list(stays)


def open_stays(session: Session, meters: Collection[str], points: Collection[str]) -> Stays:
    """Return what is believed of meters, of usage points, and of all meters that hang or hung there."""
    there = reference_bulk.held(session, INSTALLATION, "usage_point", points)
    wanted = {*meters, *(row["meter"] for row in there)}
    rows: dict[str, list[Row]] = {}
    for row in reference_bulk.held(session, INSTALLATION, "meter", wanted):
        rows.setdefault(row["meter"], []).append(row)
    of_meter = {meter: merged(sorted(map(_columns, own), key=_order)) for meter, own in rows.items()}
    stays = Stays(configurations_of(session, wanted), rows, of_meter)
    for stay in (one for own in of_meter.values() for one in own):
        stays.at.setdefault(stay["usage_point"], []).append(stay)
    return stays


def stands(stay: Stay, at: datetime) -> bool:
    """Return whether a stay has begun and not ended at an instant."""
    return bool(stay["installed_at"] <= at and (stay["removed_at"] is None or at < stay["removed_at"]))


def intersecting(stays: Iterable[Stay]) -> tuple[Stay, Stay] | None:
    """Return two stays of one commodity that share an instant (I1), None where there are none."""
    ordered = sorted((one for one in stays if one["removed_at"] != one["installed_at"]), key=_order)
    last: dict[str, Stay] = {}
    for stay in ordered:
        before = last.get(stay["commodity"])
        if before is not None and (before["removed_at"] or FAR_FUTURE) > stay["installed_at"]:
            return before, stay
        last[stay["commodity"]] = stay
    return None


def _columns(row: Row) -> Stay:
    return {name: row[name] for name in _KEPT}


def _order(stay: Mapping[str, Any]) -> tuple[datetime, datetime]:
    return stay["installed_at"], stay["removed_at"] or FAR_FUTURE
