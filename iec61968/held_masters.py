"""What a system is asked about master data that it holds: GetMeterConfig and GetUsagePointConfig."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from canonical.codes import message as codes
from canonical.errors import RejectedError, UnavailableError
from canonical.ids import mint
from canonical.master_data import MasterData
from canonical.ports import HeldNoun
from iec61968.canonical_nouns.master_data import master_data_from_wire
from iec61968.dialects.reply_codes import is_retryable
from iec61968.envelope import WireReply
from iec61968.message_client import exchange
from iec61968.nouns import get_meter_config, get_usage_point_config
from iec61968.nouns.elements import Identified
from iec61968.partner import Partner, address_of
from iec61968.wire import WireHeader, WireMessage, WirePayload, WireRequest

log = logging.getLogger(__name__)


def question_about(noun: HeldNoun, ids: Sequence[str], partner: Partner, *, as_of: datetime) -> WireMessage:
    """Return the question for meters or usage points by mRID; the same question is the same bytes in every run."""
    asked: Any
    if noun == "MeterConfig":
        meters = tuple(get_meter_config.Meter(mrid=one) for one in ids)
        asked = get_meter_config.to_xml(get_meter_config.GetMeterConfig(meter=meters), edition=partner.peer.edition)
    else:
        points = tuple(Identified(mrid=one) for one in ids)
        query = get_usage_point_config.GetUsagePointConfig(usage_point=points)
        asked = get_usage_point_config.to_xml(query, edition=partner.peer.edition)
    identity = mint("cim-question", noun, as_of, *ids)
    header = WireHeader(
        "get", noun, identity, mint("cim-conversation", identity), timestamp=as_of, source=partner.speech.sender
    )
    return WireMessage("request", header, f"Get{noun}", WireRequest(parts=(asked,)))


def held_in_batches(
    noun: HeldNoun,
    ids: Sequence[str],
    partner: Partner,
    *,
    batch: int,
    source: str,
    as_of: datetime,
    timeout_s: float,
) -> Iterator[MasterData]:
    """Yield what a system holds of objects, one message for each batch of them; what it does not have is left out.

    Raises:
        UnavailableError: no answer in time, the connection was cut, or it failed for a reason that may pass.
        RejectedError: it refused the question as a whole, or its answer cannot be read.
        MisconfiguredError: its certificate is not the pinned one, or it refuses our credentials.
    """
    for start in range(0, len(ids), batch):
        some = ids[start : start + batch]
        found, reply = held(noun, some, partner, source=source, as_of=as_of, timeout_s=timeout_s)
        judge(reply, f"Get{noun}")
        if found is not None:
            yield found


def judge(reply: WireReply, identity: str) -> None:
    """Raise when a question as a whole was refused; log what is left out of its answer.

    Raises:
        UnavailableError: FAILED for a reason that may pass.
        RejectedError: FAILED otherwise.
    """
    whole = [error for error in reply.errors if not error.object_id]
    if reply.result == "FAILED" and (whole or not reply.errors):
        said = "; ".join(f"{e.code} {e.reason}".strip() for e in whole) or "FAILED"
        if any(is_retryable(error.code) for error in whole):
            raise UnavailableError(said, code=codes.PARTNER_AWAY, where=f"question {identity}")
        raise RejectedError(said, code=codes.PARTNER_REFUSED, where=f"question {identity}")
    for error in reply.errors:
        if error.object_id:
            log.info("question %s: nothing of %s: %s", identity, error.object_id, error.code)


def held(
    noun: HeldNoun, ids: Sequence[str], partner: Partner, *, source: str, as_of: datetime, timeout_s: float
) -> tuple[MasterData | None, WireReply]:
    """Return what a system holds of some objects, None when it sends none, and its reply.

    Raises:
        UnavailableError: no answer in time, or a refusal that may pass.
        RejectedError: a fault, or an answer that cannot be read.
        MisconfiguredError: its certificate is not the pinned one, or it refuses our credentials.
    """
    peer = replace(partner.peer, url=address_of(f"Get{noun}", partner))
    now = partner.machine_now() if partner.machine_now is not None else None
    question = question_about(noun, ids, partner, as_of=as_of)
    answer = exchange(peer, question, typed=noun, timeout_s=timeout_s, machine_now=now)
    if answer.reply is None or answer.header is None:
        raise RejectedError("an answer without a Reply", code=codes.PARTNER_REFUSED, where=peer.url)
    if answer.payload == WirePayload():
        return None, answer.reply
    # What is held is said as if it were told anew: by `created`, at the instant of the answer where none is stated.
    told = replace(answer, header=replace(answer.header, verb="created", noun=noun))
    strict = peer.policy == "strict"
    found = master_data_from_wire(told, source=source, conventions=partner.speech.conventions, strict=strict)
    return found.payload, answer.reply
