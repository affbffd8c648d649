"""What was said of each item of a file: kept with the file's entry, so that a repeat is answered item by item."""

from collections.abc import Iterator, Mapping, Sequence

from sqlmodel import Field, Session, SQLModel, col, delete, func, select

from canonical.billing import ItemVerdict
from store import bulk
from store.columns import BigInteger


class MessageItem(SQLModel, table=True):
    """The verdict on one item of a file."""

    __tablename__ = "message_item"

    entry: int = Field(primary_key=True, foreign_key="message.entry", sa_type=BigInteger)
    number: int = Field(primary_key=True)
    """Position among the file's items, 1 for the first."""
    line: int
    key: str = ""
    verdict: str
    code: str = ""
    reason: str = ""


def add(session: Session, entry: int, verdicts: Sequence[ItemVerdict], *, first: int) -> None:
    """Keep the verdicts of one batch, whose first item has position `first`."""
    bulk.insert(
        session,
        MessageItem,
        [
            (entry, number, verdict.line, verdict.key, verdict.verdict, verdict.code, verdict.reason)
            for number, verdict in enumerate(verdicts, first)
        ],
    )


def forget(session: Session, entry: int) -> None:
    """Drop what was said of the items of a message that is handled anew from its beginning."""
    session.exec(delete(MessageItem).where(col(MessageItem.entry) == entry))


def last(session: Session, entry: int) -> int:
    """Return the position of the last item of a file that has a verdict, 0 for none."""
    return session.exec(select(func.max(MessageItem.number)).where(MessageItem.entry == entry)).one() or 0


def rejected(session: Session, entry: int, *, line: int = 0) -> list[int]:
    """Return the positions of the items of a file that were rejected, on one line only where it is named."""
    query = select(MessageItem.number).where(MessageItem.entry == entry, MessageItem.verdict == "REJECTED")
    if line:
        query = query.where(MessageItem.line == line)
    return list(session.exec(query.order_by(col(MessageItem.number))).all())


def replace(session: Session, entry: int, verdicts: Mapping[int, ItemVerdict]) -> None:
    """Write what is said now of items that were handled again, by position."""
    for number, said in verdicts.items():
        row = session.get_one(MessageItem, (entry, number))
        row.verdict, row.code, row.reason = said.verdict, said.code, said.reason
    session.flush()


def count(session: Session, entry: int) -> dict[str, int]:
    """Return how many items of a file got each verdict."""
    rows = session.exec(
        select(MessageItem.verdict, func.count()).where(MessageItem.entry == entry).group_by(MessageItem.verdict)
    )
    return dict(rows.all())


def verdicts(session: Session, entry: int, *, but: str = "") -> Iterator[ItemVerdict]:
    """Yield the verdicts on a file's items in their order, those that are not `but` where it is named."""
    table = MessageItem
    columns = (table.key, table.verdict, table.code, table.reason, table.line)
    query = select(*columns).where(table.entry == entry).order_by(col(table.number))  # type: ignore[call-overload]
    if but:
        query = query.where(table.verdict != but)
    for row in session.execute(query.execution_options(yield_per=5000)):
        yield ItemVerdict(*row)
