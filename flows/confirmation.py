"""What a partner's answer means for the delivery that it answers: confirmed, or parked with the partner's words."""

from collections.abc import Sequence
from datetime import datetime

from canonical.codes.message import CORRELATION_MISMATCH
from canonical.errors import RejectedError
from canonical.messages import Message, Outcome, Reply
from store import deliveries
from store.session import Session


def answered(session: Session, message: Message[Outcome], *, destinations: Sequence[str], now: datetime) -> Reply:
    """Settle the delivery that an answer names by its correlation id; a handler for `spine.receive`.

    `destinations` are the roles that the answering partner speaks for; `now` is business time.

    Raises:
        RejectedError: none of their deliveries bears that id (CORRELATION_MISMATCH).
    """
    name = message.header.correlation_id
    for destination in destinations:
        delivery = deliveries.confirm(
            session, destination=destination, confirm_name=name, outcome=message.payload, now=now
        )
        if delivery is not None:
            return Reply("OK", name, details={"delivery": delivery})
    raise RejectedError(
        f"no delivery to {', '.join(destinations) or 'this partner'} bears {name!r}",
        code=CORRELATION_MISMATCH,
        where="Header/CorrelationID",
    )
