"""Telling systems of meters: messages of MeterConfig of up to 100 meters, and which delivery tells of which meter."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from canonical.codes.linkage import DONE_BY_HAND
from canonical.ids import mint
from canonical.master_data import MasterData
from canonical.messages import Header, Message
from flows.master_data_sync.forward import LANE
from flows.routing import deliver
from flows.routing.deliver import Sending, Telling
from flows.shipments.policy import MOST_IN_MESSAGE, ShipmentPolicy
from flows.shipments.stock import meter_of, shipped_of
from store import shipments
from store.rows import Row
from store.session import Session

DISPOSED = "Disposed"
"""Life cycle state of a meter that is no more."""


def tell(
    session: Session,
    rows: Sequence[Mapping[str, Any]],
    *,
    verb: Literal["create", "close"],
    cause: str,
    effective_at: datetime,
    policy: ShipmentPolicy,
    sending: Sending,
) -> None:
    """Tell every system of the policy of shipped meters, and note in `told` who was told of which.

    `cause` names what it is told for, such as a file's id: told again for the same cause, the messages are the same.
    Of `create`, whoever was told of a meter already is not told again.
    """
    told: dict[str, dict[str, str]] = {row["meter"]: dict(row["told"]) for row in rows}
    notes: list[dict[str, Any]] = []
    keys = shipments.wrapped_keys(session, told) if verb == "create" else {}
    for role in policy.roles:
        wanted = [row for row in rows if verb == "close" or role not in told[row["meter"]]]
        groups = [wanted[at : at + MOST_IN_MESSAGE] for at in range(0, len(wanted), MOST_IN_MESSAGE)]
        messages = [_telling(group, keys, verb, cause, effective_at, role) for group in groups]
        sent = deliver.send_many(session, messages, sending=sending)
        for group, delivery in zip(groups, sent, strict=True):
            names = [row["meter"] for row in group]
            state = "PENDING" if delivery else "MANUAL"
            for name in names:
                told[name][role] = state
            if delivery:
                own = {"delivery_id": delivery, "role": role, "meters": names, "state": "PENDING"}
                notes.append({**own, "told_at": sending.now})
    _by_hand(session, rows, told, verb=verb, cause=cause, policy=policy, now=sending.now)
    shipments.note_tellings(session, notes)
    shipments.keep_told(session, told)


def _telling(
    group: Sequence[Mapping[str, Any]],
    keys: Mapping[str, Row],
    verb: Literal["create", "close"],
    cause: str,
    effective_at: datetime,
    role: str,
) -> Telling:
    """Return the message that tells one role of some meters."""
    own = mint("shipped", cause, verb, ",".join(row["meter"] for row in group))
    header = Header(own, "hub", verb, "MeterConfig", own, causation_id=cause, effective_at=effective_at)
    if verb == "create":
        return Telling(Message(header, tuple(shipped_of(row, keys.get(row["meter"])) for row in group)), role, LANE)
    ended = tuple(meter_of(row, status=DISPOSED) for row in group)
    return Telling(Message(header, MasterData(verb, "MeterConfig", effective_at, ended)), role, LANE)


def _by_hand(
    session: Session,
    rows: Sequence[Mapping[str, Any]],
    told: Mapping[str, dict[str, str]],
    *,
    verb: str,
    cause: str,
    policy: ShipmentPolicy,
    now: datetime,
) -> None:
    """Make meters a person's work in place of systems that the site lacks."""
    for system in policy.by_hand:
        wanted = [row for row in rows if verb == "close" or system not in told[row["meter"]]]
        for row in wanted:
            told[row["meter"]][system] = "MANUAL"
        if wanted:
            places = ", ".join(sorted({row["shipment"] or row["meter"] for row in wanted}))
            words = f"for {system}: {verb} of {len(wanted)} meters of {places}: `amihub shipments list`"
            deliver.tell(session, DONE_BY_HAND, f"{cause}/{system}/{verb}", words, queue=policy.queue, now=now)
