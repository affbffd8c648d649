"""The ledger of files that partners offer: one row for each arrival of a name, from first sight to retired.

seen -> claimed -> held | working -> accepted | accepted_with_errors | rejected | duplicate

A claim is a lease of machine time with a token: a worker that lost it changes nothing. The name may arrive again after
the first arrival was retired; that is another row with the next arrival number.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, Session, SQLModel, col, func, select

from canonical.codes.message import CLAIM_LOST, NOT_IN_STORE
from canonical.errors import RejectedError, UnavailableError
from canonical.ids import mint
from canonical.messages import OfferedFile
from store.columns import BigInteger, Facts, Instant
from store.conflict import insert_if_new

APPLIED = ("accepted", "accepted_with_errors")
FINAL = (*APPLIED, "rejected", "duplicate")
"""States after which only the move to the partner's archive or reject folder is left."""


class IntakeFile(SQLModel, table=True):
    """One arrival of a file."""

    __tablename__ = "intake_file"
    __table_args__ = (
        UniqueConstraint("role", "name", "arrival"),
        Index("ix_intake_file_stream", "role", "stream", "sequence"),
        Index("ix_intake_file_sha256", "role", "sha256"),
    )

    file_id: str = Field(primary_key=True)
    role: str
    name: str
    arrival: int
    """1 for the first arrival of this name."""
    folder: str = ""
    size: int = Field(sa_type=BigInteger)
    """On the partner's server, as are the next two."""
    modified: float
    has_manifest: bool
    polls: int = 1
    """Polls in a row that saw this size and time stamp."""
    stable_since: datetime = Field(sa_type=Instant)
    """Machine time of the first of them."""
    first_seen_at: datetime = Field(sa_type=Instant, index=True)
    """Business time, as are the others that follow unless they say otherwise."""
    last_seen_at: datetime = Field(sa_type=Instant)
    state: str = Field(default="seen", index=True)
    token: int = 0
    leased_until: datetime | None = Field(default=None, sa_type=Instant, nullable=True)
    """Machine time; None while nobody works on it."""
    sha256: str = ""
    """Of the bytes on the wire."""
    path: str = ""
    """Where it lies in our spool, relative to it."""
    kind: str = ""
    sender: str = ""
    stream: str = ""
    sequence: int | None = Field(default=None, sa_type=BigInteger, nullable=True)
    revision: int = 0
    business_date: date | None = None
    in_sequence: bool = False
    """Whether its number counts as taken in its stream."""
    held_since: datetime | None = Field(default=None, sa_type=Instant, nullable=True)
    alerted: bool = False
    """Whether the end of its waiting time was reported."""
    released_by: str = ""
    """Person who let it pass in spite of its date or sequence."""
    replays: int = 0
    """How often a person had it, or items of it, handled again; each has an acknowledgement of its own."""
    judged_at: datetime | None = Field(default=None, sa_type=Instant, nullable=True)
    verdict: str = ""
    code: str = ""
    reason: str = ""
    counts: dict[str, Any] | None = Field(default=None, sa_type=Facts, nullable=True)
    """Items by verdict and records by type."""
    entry: int | None = Field(default=None, sa_type=BigInteger, nullable=True)
    """Its entry among the messages."""
    delivery_id: str = ""
    """Its acknowledgement's delivery."""
    retired_at: datetime | None = Field(default=None, sa_type=Instant, nullable=True, index=True)

    @property
    def offered(self) -> OfferedFile:
        """Return the file as the partner last showed it."""
        return OfferedFile(self.name, self.size, self.modified, self.has_manifest, self.folder)


@dataclass(frozen=True, slots=True)
class StreamPlace:
    """What a stream's ledger says of one sequence number."""

    lowest: int | None
    """Lowest number that counts as taken, None in a stream without any."""

    last: int | None
    """Highest number that counts as taken."""

    taken_by: str
    """Name of the file that took this very number with effect, or empty."""


def see(
    session: Session, role: str, listing: Sequence[OfferedFile], *, now: datetime, machine_now: datetime
) -> list[IntakeFile]:
    """Note what a poll saw, and return every file of the role that is not retired, by name.

    A file whose size or time stamp changed since the last poll counts its polls from one again; one that the partner
    took back before anybody worked on it is retired.
    """
    known = {row.name: row for row in open_files(session, role)}
    for name in known.keys() - {file.name for file in listing}:
        if known[name].state == "seen":
            known[name].retired_at = now
    for file in listing:
        if (row := known.get(file.name)) is None:
            _add(session, role, file, now=now, machine_now=machine_now)
            continue
        if row.state == "seen" and (row.size, row.modified) != (file.size, file.modified):
            row.polls, row.stable_since = 0, machine_now
            row.size, row.modified = file.size, file.modified
        row.polls += 1
        row.has_manifest, row.folder, row.last_seen_at = file.has_manifest, file.folder, now
    session.flush()
    return open_files(session, role)


def open_files(session: Session, role: str) -> list[IntakeFile]:
    """Return the files of a role that are not retired, by name."""
    rows = select(IntakeFile).where(IntakeFile.role == role, col(IntakeFile.retired_at).is_(None))
    return list(session.exec(rows.order_by(col(IntakeFile.name))).all())


def _add(session: Session, role: str, file: OfferedFile, *, now: datetime, machine_now: datetime) -> None:
    """Open the row of a new arrival; another worker may have done so at the same moment."""
    arrivals = select(func.max(IntakeFile.arrival)).where(IntakeFile.role == role, IntakeFile.name == file.name)
    arrival = (session.exec(arrivals).one() or 0) + 1
    row = IntakeFile(
        file_id=mint("file", role, file.name, arrival),
        role=role,
        name=file.name,
        arrival=arrival,
        folder=file.folder,
        size=file.size,
        modified=file.modified,
        has_manifest=file.has_manifest,
        stable_since=machine_now,
        first_seen_at=now,
        last_seen_at=now,
    )
    insert_if_new(session, IntakeFile, row.model_dump())


def claim(
    session: Session, file_id: str, *, machine_now: datetime, lease_s: float, kind: str = ""
) -> IntakeFile | None:
    """Return the file when this worker may work on it now; None while another does, or when it is done.

    `kind` is what its name says, so that others see what is being worked on.
    """
    row = locked(session, file_id)
    if row.state in FINAL or (row.leased_until is not None and row.leased_until > machine_now):
        return None
    row.token += 1
    row.leased_until = machine_now + timedelta(seconds=lease_s)
    row.kind = row.kind or kind
    if row.state == "seen":
        row.state = "claimed"
    session.flush()
    return row


def masters_at_work(session: Session, *, machine_now: datetime, but: Sequence[str] = ()) -> bool:
    """Whether a worker has reference files in hand, of whichever inbox, other than those of the ids `but`."""
    query = select(IntakeFile.file_id).where(
        IntakeFile.kind == "reference",
        col(IntakeFile.state).not_in(FINAL),
        col(IntakeFile.leased_until) > machine_now,
        col(IntakeFile.file_id).not_in(but),
    )
    return session.exec(query.limit(1)).first() is not None


def held_by(session: Session, file: IntakeFile) -> IntakeFile:
    """Return the row that this worker claimed, locked until the transaction ends.

    Raises:
        UnavailableError: another worker took it over (CLAIM_LOST): the transaction must not commit.
    """
    row = locked(session, file.file_id)
    if row.token != file.token or row.state in FINAL:
        raise UnavailableError(f"file {file.name!r} was taken over by another worker", code=CLAIM_LOST)
    return row


def let_go(session: Session, file: IntakeFile) -> None:
    """Give a claim back, so that the next pass begins at once; somebody else's claim stays as it is."""
    row = locked(session, file.file_id)
    if row.token == file.token and row.state not in FINAL:
        row.leased_until = None
        if row.state == "claimed":
            row.state = "seen"
        session.flush()


def locked(session: Session, file_id: str) -> IntakeFile:
    """Return a row, locked.

    Raises:
        RejectedError: there is none (NOT_IN_STORE).
    """
    query = select(IntakeFile).where(IntakeFile.file_id == file_id).with_for_update()
    row = session.exec(query.execution_options(populate_existing=True)).one_or_none()
    if row is None:
        raise RejectedError(f"no file has the id {file_id!r}", code=NOT_IN_STORE)
    return row


def namesake(session: Session, file: IntakeFile) -> IntakeFile | None:
    """Return the first arrival of the same name that was judged before this one, or None."""
    query = select(IntakeFile).where(
        IntakeFile.role == file.role,
        IntakeFile.name == file.name,
        col(IntakeFile.arrival) < file.arrival,
        col(IntakeFile.state).in_(FINAL),
    )
    return session.exec(query.order_by(col(IntakeFile.arrival)).limit(1)).one_or_none()


def twin(session: Session, file: IntakeFile, sha256: str) -> IntakeFile | None:
    """Return a file of another name with the same content that had, or will have, its effect; or None."""
    query = select(IntakeFile).where(
        IntakeFile.role == file.role,
        IntakeFile.sha256 == sha256,
        IntakeFile.name != file.name,
        col(IntakeFile.state).in_((*APPLIED, "held", "working")),
    )
    return session.exec(query.order_by(col(IntakeFile.first_seen_at), col(IntakeFile.name)).limit(1)).one_or_none()


def place_in_stream(session: Session, file: IntakeFile) -> StreamPlace:
    """Return what the stream of a file says of the file's sequence number."""
    stream = (IntakeFile.role == file.role, IntakeFile.stream == file.stream, IntakeFile.file_id != file.file_id)
    counted = select(func.min(IntakeFile.sequence), func.max(IntakeFile.sequence))
    lowest, last = session.exec(counted.where(*stream, col(IntakeFile.in_sequence))).one()
    taken = select(IntakeFile.name).where(
        *stream, IntakeFile.sequence == file.sequence, col(IntakeFile.state).in_((*APPLIED, "working"))
    )
    return StreamPlace(lowest, last, session.exec(taken.limit(1)).one_or_none() or "")


def retire(session: Session, file_id: str, *, now: datetime) -> None:
    """Note that a file was moved away from where it was offered."""
    row = locked(session, file_id)
    row.retired_at = row.retired_at or now
    session.flush()


def release(session: Session, file_id: str, *, person: str) -> None:
    """Let a held file pass in spite of its date or sequence, at the next pass.

    Raises:
        RejectedError: there is no such file, or it is not held (NOT_IN_STORE).
    """
    row = locked(session, file_id)
    if row.state != "held":
        raise RejectedError(f"file {row.name!r} is not held but {row.state}", code=NOT_IN_STORE)
    row.released_by = person
    session.flush()


def listed(
    session: Session, *, role: str = "", state: str = "", name: str = "", limit: int = 100
) -> Sequence[IntakeFile]:
    """Return files of the ledger, the latest first; empty arguments do not narrow."""
    query = select(IntakeFile)
    if role:
        query = query.where(IntakeFile.role == role)
    if state:
        query = query.where(IntakeFile.state == state)
    if name:
        query = query.where(col(IntakeFile.name).contains(name, autoescape=True) | (col(IntakeFile.file_id) == name))
    order = (col(IntakeFile.first_seen_at).desc(), col(IntakeFile.name), col(IntakeFile.arrival).desc())
    return session.exec(query.order_by(*order).limit(limit)).all()
