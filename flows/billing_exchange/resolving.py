"""Whose readings these are: usage points by the trade's name, meters by serial; what nobody knows is named."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from canonical.metering import FAR_FUTURE, Installation, IntervalBlock, MeterReadings, RegisterReading
from canonical.names import normal_serial
from store import reference_book
from store.session import Session


@dataclass(frozen=True, slots=True)
class Resolved:
    """Readings with the mRIDs of their usage points and meters."""

    readings: tuple[MeterReadings, ...]
    places: tuple[int, ...]
    """Place in the input of each of them."""
    unresolved: tuple[tuple[int, str], ...]
    """Place in the input, and why it has no owner."""


def resolve(session: Session, readings: Sequence[MeterReadings]) -> Resolved:
    """Return the readings under mRIDs, with few queries for all of them."""
    names = reference_book.usage_points_named(
        session, {one.usage_point_name for one in readings if not one.usage_point and one.usage_point_name}
    )
    meters = reference_book.installations_of_meters(
        session, {one.meter for one in readings if not one.usage_point and not one.usage_point_name and one.meter}
    )
    ups = {one.usage_point for one in readings if one.usage_point} | {up for found in names.values() for up in found}
    ups |= {m.usage_point for found in meters.values() for m in found}
    installed = reference_book.open_book(session, ups).installations
    done, places, unresolved = [], [], []
    for place, one in enumerate(readings):
        up, problem = _usage_point(one, names, meters)
        if not problem and not installed.get(up):
            problem = f"no meter is known at usage point {up}"
        if not problem:
            found, problem = _under(one, up, installed[up])
            if found is not None:
                done.append(found)
                places.append(place)
        if problem:
            unresolved.append((place, problem))
    return Resolved(tuple(done), tuple(places), tuple(unresolved))


def _usage_point(
    one: MeterReadings,
    names: dict[str, tuple[str, ...]],
    meters: dict[str, tuple[Installation, ...]],
) -> tuple[str, str]:
    """Return the usage point of some readings, or why it is not known."""
    if one.usage_point:
        return one.usage_point, ""
    label = one.usage_point_name or one.meter or one.serial
    found = names.get(one.usage_point_name, ()) if one.usage_point_name else ()
    if not found and one.meter:
        instant = _instant(one)
        hung = [m for m in meters.get(one.meter, ()) if instant is None or m.installed_at <= instant]
        found = tuple({m.usage_point: None for m in hung[-1:]})
    if len(found) == 1:
        return found[0], ""
    return "", f"{label!r} stands for {len(found)} usage points" if found else f"no master names {label!r}"


def _instant(one: MeterReadings) -> datetime | None:
    """Return an instant at which the readings were taken."""
    if one.registers:
        return one.registers[0].taken_at
    return one.blocks[0].start if one.blocks else None


def _under(one: MeterReadings, up: str, installed: Sequence[Installation]) -> tuple[MeterReadings | None, str]:
    """Return the readings under the mRIDs of usage point and meter, or why the meter is not known there."""
    known = {m.meter for m in installed}
    if one.meter in known:
        return _renamed(one, up, {}), ""
    if one.serial:
        fitting = {m.meter for m in installed if normal_serial(m.serial) == normal_serial(one.serial)}
        if len(fitting) != 1:
            return None, f"meter {one.serial!r} is not known at usage point {up}"
        return _renamed(one, up, dict.fromkeys(("", one.meter, one.serial), next(iter(fitting)))), ""
    if one.meter:
        return None, f"meter {one.meter} is not known at usage point {up}"
    return _by_time(one, up, installed)


def _by_time(one: MeterReadings, up: str, installed: Sequence[Installation]) -> tuple[MeterReadings | None, str]:
    """Return readings that name no meter, each under the one that hung when it was taken (invariant I4).

    A read on the instant of a removal is the removed meter's, on that of an installation the new one's; what both may
    have said is not guessed, nor is a block over an exchange.
    """
    registers, blocks = [], []
    for reading in one.registers:
        hung = _hung(installed, reading.taken_at, reading.taken_at)
        if reading.meter or reading.period is not None:
            registers.append(_named(reading, up, {}))
        elif len(hung) == 1:
            registers.append(_named(reading, up, {"": hung[0]}))
        else:
            return None, _nobody(up, reading.taken_at, len(hung))
    for block in one.blocks:
        hung = [block.meter] if block.meter else _hung(installed, block.period.start, block.period.end)
        if len(hung) != 1:
            return None, _nobody(up, block.start, len(hung))
        blocks.append(_named_block(block, up, {"": hung[0]}))
    return replace(one, usage_point=up, registers=tuple(registers), blocks=tuple(blocks)), ""


def _hung(installed: Sequence[Installation], first: datetime, last: datetime) -> list[str]:
    """Return the meters that hung from one instant to another, both included."""
    return sorted({m.meter for m in installed if m.installed_at <= first and last <= (m.removed_at or FAR_FUTURE)})


def _nobody(up: str, at: datetime, number: int) -> str:
    return f"meter (none named) is not known at usage point {up}: {number} hung there at {at.isoformat()}"


def _renamed(one: MeterReadings, up: str, meters: dict[str, str]) -> MeterReadings:
    """Return readings with the usage point set, and meters renamed."""
    if one.usage_point == up and not meters and all(r.usage_point == up for r in one.registers):
        return one
    return replace(
        one,
        usage_point=up,
        meter=meters.get(one.meter, one.meter),
        registers=tuple(_named(r, up, meters) for r in one.registers),
        blocks=tuple(_named_block(b, up, meters) for b in one.blocks),
    )


def _named(reading: RegisterReading, up: str, meters: dict[str, str]) -> RegisterReading:
    """Return one reading under mRIDs; a quantity of the whole usage point keeps no meter."""
    if reading.period is not None and not reading.meter:
        return replace(reading, usage_point=up)
    return replace(reading, usage_point=up, meter=meters.get(reading.meter, reading.meter))


def _named_block(block: IntervalBlock, up: str, meters: dict[str, str]) -> IntervalBlock:
    """Return one block under mRIDs."""
    return replace(block, usage_point=up, meter=meters.get(block.meter, block.meter))
