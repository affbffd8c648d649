"""Files that were judged, looked at again: what took their place, and how one is opened once more."""

from sqlmodel import Session, col, select

from canonical.codes.message import NOT_REPLAYABLE
from canonical.errors import RejectedError
from store import files
from store.files import APPLIED, IntakeFile


def of_entry(session: Session, entry: int) -> IntakeFile | None:
    """Return the arrival of a file that is this entry among the messages; None where it is no file."""
    query = select(IntakeFile).where(IntakeFile.entry == entry).order_by(col(IntakeFile.arrival).desc())
    return session.exec(query).first()


def reopen(session: Session, file_id: str, *, path: str, person: str) -> None:
    """Have a refused file judged and applied again from `path` in our spool, in spite of its date and sequence.

    Raises:
        RejectedError: there is no such file (NOT_IN_STORE), or it was not refused (NOT_REPLAYABLE).
    """
    row = files.locked(session, file_id)
    if row.state == "held":  # an earlier order that was interrupted, or a file that waits for its turn
        row.released_by = person
        return
    if row.state != "rejected":
        raise RejectedError(f"file {row.name} is {row.state}", code=NOT_REPLAYABLE, where=row.role)
    row.state, row.path, row.released_by, row.replays = "held", path, person, row.replays + 1
    row.verdict = row.code = row.reason = ""
    row.judged_at = row.retired_at = row.leased_until = None
    session.flush()


def successor(session: Session, role: str, name: str) -> str | None:
    """Return the name of the first file with accepted items that came after a refused one, in its place.

    In its place: same sender, stream and business date. None while there is no such file.
    """
    arrivals = select(IntakeFile).where(
        IntakeFile.role == role, IntakeFile.name == name, IntakeFile.state == "rejected"
    )
    refused = session.exec(arrivals.order_by(col(IntakeFile.arrival).desc())).first()
    if refused is None or not refused.stream:
        return None
    later = select(IntakeFile).where(
        IntakeFile.role == role,
        IntakeFile.sender == refused.sender,
        IntakeFile.stream == refused.stream,
        IntakeFile.business_date == refused.business_date,
        col(IntakeFile.state).in_(APPLIED),
        col(IntakeFile.judged_at) >= refused.judged_at,
    )
    for row in session.exec(later.order_by(col(IntakeFile.judged_at), col(IntakeFile.name))):
        if (row.counts or {}).get("accepted"):
            return row.name
    return None
