"""Shipment files: their lots and meters come into stock, become masters, and are told to the systems."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from canonical.billing import ItemVerdict
from canonical.codes.file import BAD_FIELD
from canonical.codes.rollout import KEYS_MISSING
from canonical.codes.shipments import LOT_FAILED, METER_FAILED
from canonical.errors import ErrorCode, RejectedError
from canonical.ids import meter_mrid
from canonical.messages import Item, Rejection
from canonical.names import normal_serial
from canonical.rollout import ShippedLot, ShippedMeter
from flows.file_handling import FileContext
from flows.master_data_sync.policy import Policy
from flows.routing import deliver
from flows.routing.deliver import Sending
from flows.routing.routes import Routes
from flows.shipments import masters, releasing
from flows.shipments.policy import ShipmentPolicy
from flows.shipments.stock import Arrived, again, arrived
from flows.shipments.telling import tell
from store import reference, shipments
from store.master_changes import Provenance
from store.rows import Row
from store.session import Session

Lots = dict[tuple[str, str], Row]


@dataclass(frozen=True, slots=True)
class ShipmentHandler:
    """Takes the items of shipment files (`flows.file_handling.FileHandler`)."""

    policy: ShipmentPolicy
    masters: Policy
    routes: Routes
    encode: deliver.Encode

    def begin(self, session: Session, file: FileContext) -> None:
        """Check that the file says when it was shipped.

        Raises:
            RejectedError: it is no instant (BAD_FIELD).
        """
        shipped_at(file)

    def handle(
        self, session: Session, file: FileContext, batch: Sequence[Item[Any] | Rejection], *, now: datetime
    ) -> Sequence[ItemVerdict]:
        """Take a batch; the same meter again, with the same content, is a repeat."""
        reference.lock(session)
        sending = Sending(self.routes, self.encode, now)
        good = [one for one in batch if isinstance(one, Item)]
        lots = self._lots(session, file, [one.payload for one in good], sending=sending)
        meters = [one for one in good if isinstance(one.payload, ShippedMeter)]
        verdicts = self._meters(session, file, meters, lots, sending=sending)
        return [
            ItemVerdict(one.key, one.verdict, one.code, one.reason, one.line)
            if isinstance(one, Rejection)
            else verdicts.get(one.line) or ItemVerdict(one.key, "ACCEPTED", line=one.line)
            for one in batch
        ]

    def finish(self, session: Session, file: FileContext, *, now: datetime) -> None:
        """Nothing is left to do."""

    def _lots(self, session: Session, file: FileContext, payloads: Sequence[Any], *, sending: Sending) -> Lots:
        """Keep what the batch says of lots, and return all lots that it speaks of."""
        told = [one for one in payloads if isinstance(one, ShippedLot)]
        rows = [
            {
                "manufacturer": normal_serial(one.manufacturer), "lot": one.lot, "result": one.result,
                "shipment": file.facts.header.get("shipment", ""), "known_at": sending.now,
            }
            for one in told
        ]  # fmt: skip
        shipments.keep_lots(session, rows)
        for one in told:
            if one.result == "PASS":  # a second test passed: what the first one blocked is free
                maker = normal_serial(one.manufacturer)
                releasing.unblock_all(session, maker, one.lot, cause=file.file_id, policy=self.policy, sending=sending)
        return shipments.lots(session, {one.lot for one in payloads})

    def _meters(
        self, session: Session, file: FileContext, items: Sequence[Item[Any]], lots: Lots, *, sending: Sending
    ) -> dict[int, ItemVerdict]:
        """Take the meters of a batch, and return the verdict on each by its line."""
        before = shipments.of_meters(session, {_mrid(one.payload) for one in items})
        taken: list[Arrived] = []
        verdicts: dict[int, ItemVerdict] = {}
        for item in items:
            fresh, code = self._one(file, item.payload, before, lots, now=sending.now)
            if fresh is not None:
                taken.append(fresh)
                remark = str(fresh.row["code"])
                verdicts[item.line] = ItemVerdict(item.key, "ACCEPTED", remark, "blocked" if remark else "", item.line)
            elif code is not None:
                verdicts[item.line] = ItemVerdict(item.key, "REJECTED", str(code), code.meaning, item.line)
            else:
                verdicts[item.line] = ItemVerdict(item.key, "DUPLICATE", line=item.line)
        if taken:
            self._take(session, file, taken, before.keys(), sending=sending)
            keyed = {(row["manufacturer"], row["lot"]) for row in before.values() if row["code"] == str(KEYS_MISSING)}
            releasing.end_key_work(session, keyed, now=sending.now)
        return verdicts

    def _one(
        self, file: FileContext, meter: ShippedMeter, before: Mapping[str, Row], lots: Lots, *, now: datetime
    ) -> tuple[Arrived | None, ErrorCode | None]:
        """Return what becomes of one meter."""
        header = file.facts.header
        lot = lots.get((normal_serial(meter.manufacturer), meter.lot))
        fresh = arrived(meter, shipment=header.get("shipment", ""), shipped_at=shipped_at(file), lot=lot, now=now)
        known = before.get(fresh.mrid)
        return (fresh, None) if known is None else again(known, fresh)

    def _take(
        self,
        session: Session,
        file: FileContext,
        taken: Sequence[Arrived],
        again_shipped: Collection[str],
        *,
        sending: Sending,
    ) -> None:
        """Keep meters that are new or changed, make masters of them, and tell of those that are not blocked."""
        shipments.keep(session, [one.row for one in taken])
        wrapped = [
            {"meter": one.mrid, "wrapped_by": one.meter.wrapped_by, "wrapped": one.meter.wrapped_key}
            for one in taken
            if one.meter.wrapped_key
        ]
        shipments.keep_keys(session, wrapped)
        by = Provenance(file.role, file.file_id, shipped_at(file))
        masters.know(session, taken, by=by, policy=self.masters, sending=sending)
        if again_shipped:
            own = [one for one in taken if one.mrid in again_shipped]
            masters.restate(session, own, by=by, policy=self.masters, sending=sending)
        free = [one.row for one in taken if one.row["state"] == "STOCK"]
        tell(
            session, free, verb="create", cause=file.file_id, effective_at=shipped_at(file), policy=self.policy,
            sending=sending,
        )  # fmt: skip
        self._work(session, taken, now=sending.now)

    def _work(self, session: Session, taken: Sequence[Arrived], *, now: datetime) -> None:
        """Open work for what is blocked: one item for each lot and cause, one for each meter that failed itself."""
        found: dict[tuple[ErrorCode, str], int] = {}
        for one in taken:
            lot = f"{one.row['manufacturer']}/{one.meter.lot}"
            for code, key in ((LOT_FAILED, lot), (KEYS_MISSING, lot), (METER_FAILED, one.mrid)):
                if one.row["code"] == str(code):
                    found[code, key] = found.get((code, key), 0) + 1
        for (code, key), number in found.items():
            words = f"{key}: {number} meters are blocked: {code.meaning}"
            deliver.tell(session, code, key, words, queue=self.policy.queue, now=now)


def shipped_at(file: FileContext) -> datetime:
    """Return the instant, UTC, at which the meters of a file left the factory.

    Raises:
        RejectedError: it is no instant (BAD_FIELD).
    """
    text = file.facts.header.get("shipped_at", "")
    try:
        instant = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise RejectedError(f"shipped_at {text!r} is no instant", code=BAD_FIELD, where=file.name) from error
    if instant.tzinfo is None:
        raise RejectedError(f"shipped_at {text!r} says no offset from UTC", code=BAD_FIELD, where=file.name)
    return instant.astimezone(UTC)


def _mrid(meter: ShippedMeter) -> str:
    return meter_mrid(meter.manufacturer, meter.serial)
