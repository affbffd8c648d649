"""What the receiver of a part says of it: loaded, loaded but for some items, or refused whole (domain 4.4)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from canonical.billing import FileAcknowledgement, ItemVerdict
from canonical.codes.billing import ACKNOWLEDGEMENT_UNKNOWN, ITEM_REFUSED, PART_REFUSED
from canonical.messages import Item, Outcome, Rejection
from flows.billing_exchange import holds, parts
from flows.billing_exchange.interface import Interface, State
from flows.file_handling import FileContext
from store import billing_items, billing_parts, deliveries, work
from store.billing_items import Change
from store.session import Session

LOADED = ("ACCEPTED", "ACCEPTED_WITH_ERRORS", "DUPLICATE")


@dataclass(frozen=True, slots=True)
class AcknowledgementHandler:
    """Takes acknowledgements of parts of every billing interface that is named."""

    interfaces: Mapping[str, Interface]
    """By name of the interface."""

    def begin(self, session: Session, file: FileContext) -> None:
        """Nothing is opened for an acknowledgement."""

    def handle(
        self, session: Session, file: FileContext, batch: Sequence[Item[Any] | Rejection], *, now: datetime
    ) -> Sequence[ItemVerdict]:
        """Apply each acknowledgement to its part; the same one again changes nothing."""
        verdicts = []
        for entry in batch:
            if isinstance(entry, Rejection):
                verdicts.append(ItemVerdict(entry.key, "REJECTED", entry.code, entry.reason, entry.line))
            else:
                verdicts.append(self._apply(session, file.role, entry.payload, now=now))
        return verdicts

    def finish(self, session: Session, file: FileContext, *, now: datetime) -> None:
        """Nothing is left to do."""

    def _apply(self, session: Session, role: str, said: FileAcknowledgement, *, now: datetime) -> ItemVerdict:
        """Return the verdict on one acknowledgement."""
        loaded = said.verdict in LOADED
        outcome = Outcome("confirmed" if loaded else "rejected", said.code, said.reason)
        delivery = deliveries.confirm(session, destination=role, confirm_name=said.file_name, outcome=outcome, now=now)
        part = billing_parts.part_named(session, said.file_name)
        if part is None or part["interface"] not in self.interfaces:
            if delivery is not None:
                return ItemVerdict(said.file_name, "ACCEPTED")
            reason = f"no part bears the name {said.file_name}"
            return ItemVerdict(said.file_name, "REJECTED", str(ACKNOWLEDGEMENT_UNKNOWN), reason)
        interface = self.interfaces[part["interface"]]
        if part["state"] in ("ACKED", "NACKED", "REPLACED"):
            return ItemVerdict(said.file_name, "DUPLICATE")
        if loaded:
            load(session, interface, part, said, now=now)
        else:
            refuse(session, interface, part, said, now=now)
        return ItemVerdict(said.file_name, "ACCEPTED")


def load(
    session: Session,
    interface: Interface,
    part: Mapping[str, Any],
    said: FileAcknowledgement,
    *,
    now: datetime,
    by: str = "cis",
) -> None:
    """Record that a part is loaded, without the items that the receiver refused; `by` says so."""
    refused = {item.key: item for item in said.items if item.verdict == "REJECTED"}
    file_id = part["file_id"]
    billing_parts.judge_lines(session, file_id, verdict="ACKED")
    if refused:
        billing_parts.judge_lines(session, file_id, verdict="REJECTED", only=set(refused))
        _refuse_items(session, interface, part, refused, now=now)
    billing_items.move_part(session, file_id, before=State.BATCHED, after=State.SENT, why="", by="hub", now=now)
    why = f"{part['name']} {said.verdict}"
    billing_items.move_part(session, file_id, before=State.SENT, after=State.ACKED, why=why, by=by, now=now)
    billing_items.look_again(session, file_id, now=now)
    billing_parts.change_part(
        session, file_id, state="ACKED", acked_at=now, ack_verdict=said.verdict, ack_reason=said.reason,
        rejected_items=len(refused), sent_at=part["sent_at"] or now,
    )  # fmt: skip
    settle_work(session, interface, part, now=now)


def refuse(
    session: Session, interface: Interface, part: Mapping[str, Any], said: FileAcknowledgement, *, now: datetime
) -> None:
    """Record that a part was refused whole; its items are reworked into a revision of it."""
    file_id, reason = part["file_id"], f"{said.code} {said.reason}".strip()
    for before, after, by in (
        (State.BATCHED, State.SENT, "hub"),
        (State.SENT, State.NACKED, "cis"),
        (State.NACKED, State.REWORK, "hub"),
    ):
        billing_items.move_part(session, file_id, before=before, after=after, why=reason, by=by, now=now)
    billing_parts.judge_lines(session, file_id, verdict="NACKED", reason=reason)
    billing_parts.change_part(
        session, file_id, state="NACKED", acked_at=now, ack_verdict=said.verdict, ack_reason=reason
    )
    if part["delivery_id"]:
        deliveries.cancel(session, part["delivery_id"], reason=f"refused ({reason}), a revision takes its place")
    parts.revise(session, part, now=now)
    about = holds.work_about(
        interface, part["name"], PART_REFUSED, f"{part['name']}: {reason}", due_at=now, run_id=part["run_id"]
    )
    work.raise_work(session, [about], now=now)
    settle_work(session, interface, part, now=now)


def _refuse_items(
    session: Session,
    interface: Interface,
    part: Mapping[str, Any],
    refused: Mapping[str, ItemVerdict],
    *,
    now: datetime,
) -> None:
    """Hold the items that the receiver refused; a person releases (the same determinant goes again) or cancels them."""
    changes, notes, raised = [], [], []
    for row in billing_parts.items_of_part(session, part["file_id"]):
        said = refused.get(row["determinant_id"])
        if said is None or row["state"] not in (State.BATCHED, State.SENT):
            continue
        reason = f"{said.code} {said.reason}".strip()
        path = (row["state"], State.NACKED, State.REWORK, State.HELD)
        notes.append(Change(row["item_id"], path, reason, "cis"))
        changes.append(
            {"item_id": row["item_id"], "state": State.HELD, "code": str(ITEM_REFUSED), "step": "", "next_due_at": None}
        )
        raised.append(holds.work_item(interface, row, ITEM_REFUSED, reason))
    billing_items.change(session, changes)
    billing_items.note(session, notes, now=now)
    work.raise_work(session, raised, now=now)


def settle_work(
    session: Session,
    interface: Interface,
    part: Mapping[str, Any],
    *,
    now: datetime,
    why: str = "the acknowledgement came",
) -> None:
    """Resolve the work that waited for this acknowledgement; a loaded revision settles the refusal before it."""
    names = {parts.overdue_work(interface, part, now=now).work_id}
    before = billing_parts.part(session, part["replaces_file_id"]) if part["replaces_file_id"] else None
    if before is not None:
        names.add(holds.work_about(interface, before["name"], PART_REFUSED, "", due_at=now).work_id)
    waiting = [row["work_id"] for row in work.open_of_run(session, part["run_id"]) if row["work_id"] in names]
    work.act(session, waiting, "resolved", state="RESOLVED", by="hub", reason=why, now=now)
