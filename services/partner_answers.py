"""ResponseMessages of partners that carry bare messages: what they say of the delivery that they answer."""

from collections.abc import Sequence
from functools import partial

from canonical.codes import message as codes
from canonical.errors import RejectedError
from canonical.messages import Message, Outcome, Reply
from flows import spine
from flows.confirmation import answered as settled
from flows.parked_work import tell_parked
from iec61968.bindings import unwrap
from iec61968.compression import CompressionLimits, expand_bytes
from iec61968.envelope import local_name
from iec61968.message_codec import message_from_xml
from iec61968.partner_replies import outcome_of
from iec61968.safe_xml import XmlLimits
from services.hub import Hub
from store.session import Transaction

GZIP = b"\x1f\x8b"
RESPONSE = "ResponseMessage"


def is_answer(raw: bytes, limits: XmlLimits) -> bool:
    """Return whether a message tells what became of something that the hub sent; one with readings tells those."""
    try:
        data = plain(raw, limits)
        if RESPONSE.encode() not in data[:4096]:
            return False
        message = unwrap(data, limits=limits).message
    except RejectedError:
        return False
    return local_name(message) == RESPONSE and next(message.iter("{*}MeterReadings"), None) is None


def take_answer(
    hub: Hub,
    raw: bytes,
    partner: str,
    *,
    roles: Sequence[str],
    limits: XmlLimits,
    transaction: Transaction | None = None,
) -> Reply:
    """Settle the delivery that a ResponseMessage answers; `roles` are those that the partner speaks for.

    `transaction` stands for the hub's own where a replay is only rehearsed.
    """

    def translate(data: bytes) -> Message[Outcome]:
        return _outcome_of(plain(data, limits), partner)

    instant = hub.now()
    return spine.receive(
        raw,
        source=partner,
        translate=translate,
        handle=partial(settled, destinations=roles, now=instant),
        transaction=transaction or hub.transaction,
        now=instant,
        machine_now=hub.machine_now(),
        on_park=partial(tell_parked, source=partner, queue="integration", now=instant, known=True),
    )


def plain(raw: bytes, limits: XmlLimits) -> bytes:
    """Return a body unpacked, as far as the limits allow.

    Raises:
        RejectedError: it is cut, goes on, or grows beyond them (COMPRESSED_REFUSED).
    """
    if not raw.startswith(GZIP):
        return raw
    return expand_bytes(raw, limits=CompressionLimits(total_bytes=limits.total_bytes), where="body")


def _outcome_of(raw: bytes, partner: str) -> Message[Outcome]:
    """Return what a ResponseMessage says of the message that it answers.

    Raises:
        RejectedError: it cannot be read, or has no Reply.
    """
    wire = message_from_xml(unwrap(raw).message)
    if wire.header is None or wire.reply is None:
        raise RejectedError("no Header or no Reply", code=codes.SCHEMA_INVALID, where=wire.name)
    outcome = outcome_of(wire.reply, verb="")
    if outcome.state == "unavailable":
        # Whoever answers later has the message: sent again by itself it would be a repeat, and get the same answer.
        outcome = Outcome("rejected", str(codes.PARTNER_REFUSED), outcome.reason)
    return Message(wire.header.canonical(source=partner), outcome)
