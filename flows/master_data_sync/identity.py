"""Which thing is meant: by mRID, then by the sender's own id, then by name, then by manufacturer and serial.

Nobody is guessed: what stands for two things is refused, what stands for none waits.
"""

from collections.abc import Collection

from canonical.codes.linkage import OBJECT_AMBIGUOUS
from canonical.errors import RejectedError
from canonical.ids import meter_mrid
from canonical.names import normal_serial
from store import names, reference, reference_book, reference_masters
from store.session import Session


def usage_point(session: Session, mrid: str, name: str, *, source: str) -> str | None:
    """Return the mRID of the usage point that a sender means, None while nobody has told of it.

    Raises:
        RejectedError: the name stands for several (OBJECT_AMBIGUOUS).
    """
    if mrid and reference.current(session, reference.USAGE_POINT, "usage_point", {mrid}):
        return mrid
    own = _only(names.meant(session, source, (mrid, name), "UsagePoint"), mrid or name)
    if own and reference.current(session, reference.USAGE_POINT, "usage_point", {own}):
        return own
    wanted = {one for one in (mrid, name) if one}
    named = reference_book.usage_points_named(session, wanted)
    return _only(tuple({point for one in wanted for point in named.get(one, ())}), name or mrid)


def meter(session: Session, mrid: str, serial: str, *, source: str, manufacturer: str = "") -> str | None:
    """Return the mRID of the meter that a sender means, None while nobody has told of it.

    Raises:
        RejectedError: the serial belongs to meters of several manufacturers (OBJECT_AMBIGUOUS).
    """
    minted = meter_mrid(manufacturer, serial) if manufacturer and serial else ""
    for one in (mrid, minted):
        if one and _is_known(session, one):
            return one
    own = _only(names.meant(session, source, (mrid, serial), "Meter"), mrid or serial)
    if own and _is_known(session, own):
        return own
    if minted:
        return None
    return _only(_of_serials(session, {one for one in (mrid, serial) if one}), serial or mrid)


def agreement_is_known(session: Session, agreement: str) -> bool:
    """Return whether a master has told of an agreement."""
    return bool(reference.current(session, reference.AGREEMENT, "agreement", {agreement}))


def _is_known(session: Session, mrid: str) -> bool:
    tables = (reference_masters.METER, reference.INSTALLATION)
    return any(reference.current(session, table, "meter", {mrid}) for table in tables)


def _of_serials(session: Session, serials: Collection[str]) -> tuple[str, ...]:
    """Return the meters that bear one of some serials, whoever made them."""
    wanted = {normal_serial(one) for one in serials}
    rows = [
        row
        for table in (reference_masters.METER, reference.INSTALLATION)
        for row in reference.current(session, table, "serial_normal", wanted)
    ]
    return tuple(sorted({row["meter"] for row in rows}))


def _only(found: Collection[str], label: str) -> str | None:
    """Return the one of several, or None where there is none."""
    if len(found) > 1:
        raise RejectedError(f"{label!r} stands for {len(found)} objects", code=OBJECT_AMBIGUOUS)
    return next(iter(found), None)
