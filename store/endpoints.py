"""How destinations are doing: throttle, circuit breaker, and the batches under way. All times are machine time."""

from datetime import datetime, timedelta

from sqlalchemy import Table, delete, insert
from sqlalchemy import select as sa_select
from sqlmodel import Field, Session, SQLModel, select

from store.columns import BigInteger, Instant
from store.conflict import insert_if_new


class Endpoint(SQLModel, table=True):
    """How one destination is doing: its throttle and its circuit breaker."""

    __tablename__ = "endpoint"

    destination: str = Field(primary_key=True)
    permits_used: int = 0
    """Deliveries begun in the running minute."""
    permits_until: datetime | None = Field(default=None, sa_type=Instant, nullable=True)
    """End of that minute: the permits are free again, whoever died holding them."""
    failures: int = 0
    """Attempts in a row that found it away."""
    open_until: datetime | None = Field(default=None, sa_type=Instant, nullable=True)
    """The breaker is open until then; after it, one delivery tries."""
    openings: int = 0
    """How often in a row the breaker opened."""
    reason: str = ""
    """Why it opened last."""


class EndpointBatch(SQLModel, table=True):
    """One batch that a relay carries to a destination: counted here, so that nobody counts the deliveries."""

    __tablename__ = "endpoint_batch"

    batch: int | None = Field(default=None, primary_key=True, sa_type=BigInteger)
    destination: str = Field(index=True)
    size: int
    """Deliveries leased."""
    until: datetime = Field(sa_type=Instant)
    """End of the lease, whoever died holding it."""


BATCH: Table = SQLModel.metadata.tables["endpoint_batch"]


def locked(session: Session, destination: str) -> Endpoint:
    """Return the row of a destination, locked: relays lease for one destination one after the other."""
    query = (
        select(Endpoint)
        .where(Endpoint.destination == destination)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    found = session.exec(query).one_or_none()
    if found is None:
        insert_if_new(session, Endpoint, Endpoint(destination=destination).model_dump())
        found = session.exec(query).one()
    return found


def under_way(session: Session, destination: str, *, machine_now: datetime) -> int:
    """Return how many deliveries relays hold for a destination; a batch whose lease ended is forgotten."""
    rows = session.execute(
        sa_select(BATCH.c.batch, BATCH.c.size, BATCH.c.until).where(BATCH.c.destination == destination)
    ).all()
    over = [batch for batch, _, until in rows if until <= machine_now]
    if over:
        end_batches(session, over)
    return sum(size for _, size, until in rows if until > machine_now)


def begin_batch(session: Session, destination: str, size: int, *, until: datetime) -> int:
    """Note that a relay holds deliveries until an instant, and return the batch's number."""
    begun = insert(BATCH).values(destination=destination, size=size, until=until).returning(BATCH.c.batch)
    return int(session.execute(begun).scalar_one())


def end_batches(session: Session, batches: list[int]) -> None:
    """Note that batches are recorded; one that is not there is over already."""
    session.execute(delete(BATCH).where(BATCH.c.batch.in_(batches)))


def note_answer(session: Session, destination: str) -> None:
    """Close the breaker: the destination answered."""
    endpoint = locked(session, destination)
    endpoint.failures, endpoint.openings, endpoint.open_until, endpoint.reason = 0, 0, None, ""


def note_absence(
    session: Session,
    destination: str,
    *,
    machine_now: datetime,
    threshold: int,
    open_s: float,
    cap_s: float,
    reason: str,
) -> None:
    """Count that the destination was away, and open the breaker at the threshold, each time twice as long."""
    endpoint = locked(session, destination)
    endpoint.failures += 1
    is_open = endpoint.open_until is not None and endpoint.open_until > machine_now
    if endpoint.failures >= threshold and not is_open:
        wait = min(cap_s, open_s * 2.0**endpoint.openings)
        endpoint.open_until = machine_now + timedelta(seconds=wait)
        endpoint.openings = min(endpoint.openings + 1, 30)
        endpoint.reason = reason
