"""What the CIS says it billed: figures locked, compared with ours, told to the MDMS (rulings 2 and 3)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from canonical.billing import BilledRow, ItemVerdict
from canonical.codes.billing import BILLED_MISMATCH, BILLED_TWICE, BILLED_UNKNOWN
from canonical.ids import mint
from canonical.messages import Item, Rejection
from canonical.periods import Period
from flows.billing_exchange import holds, ladder
from flows.billing_exchange.interface import Interface, State
from flows.billing_exchange.stored import from_micro, micro, plain
from flows.file_handling import FileContext
from store import billing_items, billing_parts, determinants, work
from store.billing_items import Change
from store.session import Session

Row = Mapping[str, Any]
BILLABLE = (State.BATCHED, State.SENT, State.ACKED)


@dataclass(frozen=True, slots=True)
class BilledHandler:
    """Takes billed extracts of every billing interface that is named."""

    interfaces: Mapping[str, Interface]
    """By name of the interface."""

    def begin(self, session: Session, file: FileContext) -> None:
        """Nothing is opened for an extract."""

    def handle(
        self, session: Session, file: FileContext, batch: Sequence[Item[Any] | Rejection], *, now: datetime
    ) -> Sequence[ItemVerdict]:
        """Record what was billed, row by row in one batch."""
        rows = [(n, entry.payload) for n, entry in enumerate(batch) if isinstance(entry, Item)]
        verdicts = {
            n: ItemVerdict(entry.key, entry.verdict, entry.code, entry.reason, entry.line)
            for n, entry in enumerate(batch)
            if isinstance(entry, Rejection)
        }
        verdicts |= record(session, self.interfaces, rows, source=file.name, now=now)
        return [verdicts[n] for n in range(len(batch))]

    def finish(self, session: Session, file: FileContext, *, now: datetime) -> None:
        """Nothing is left to do."""


def record(
    session: Session,
    interfaces: Mapping[str, Interface],
    rows: Sequence[tuple[int, BilledRow]],
    *,
    source: str,
    now: datetime,
    assumed: bool = False,
) -> dict[int, ItemVerdict]:
    """Record rows of an extract (or what stands for one) and return the verdict on each by its place."""
    names = {row.determinant_id for _, row in rows}
    items = billing_items.by_determinants(session, names)
    versions = determinants.payloads(session, {(row.determinant_id, row.version) for _, row in rows})
    earlier: dict[str, list[Row]] = {}
    for known in determinants.billed(session, names):
        earlier.setdefault(known["determinant_id"], []).append(known)
    book = _Book(session, interfaces, items, versions, earlier, source, assumed)
    verdicts = {place: book.enter(row) for place, row in rows}
    book.write(now)
    return verdicts


class _Book:
    """Rows of one batch on their way into the store."""

    def __init__(
        self,
        session: Session,
        interfaces: Mapping[str, Interface],
        items: Mapping[str, Row],
        versions: Mapping[tuple[str, int], Row],
        earlier: dict[str, list[Row]],
        source: str,
        assumed: bool,
    ) -> None:
        """Keep what the rows are compared with."""
        self.session, self.interfaces, self.items, self.versions = session, interfaces, items, versions
        self.earlier, self.source, self.assumed = earlier, source, assumed
        self.rows: list[dict[str, Any]] = []
        self.locked: list[tuple[str, int]] = []
        self.changes: list[dict[str, Any]] = []
        self.notes: list[Change] = []
        self.work: list[Any] = []

    def enter(self, row: BilledRow) -> ItemVerdict:
        """Return the verdict on one row."""
        item, version = self.items.get(row.determinant_id), self.versions.get((row.determinant_id, row.version))
        if item is None or version is None or item["sent_version"] < row.version:
            reason = f"version {row.version} of {row.determinant_id} was never handed on"
            return ItemVerdict(row.determinant_id, "REJECTED", str(BILLED_UNKNOWN), reason, row.line)
        billed_id = mint("billed", row.determinant_id, row.version, row.bill_id, row.event)
        known = self.earlier.setdefault(row.determinant_id, [])
        if any(one["billed_id"] == billed_id for one in known):
            return ItemVerdict(row.determinant_id, "DUPLICATE", line=row.line)
        matches = micro(row.quantity) == version["quantity_micro"]
        stored = self._stored(row, item, billed_id, matches=matches)
        self._compare(row, item, version, known, matches=matches)
        known.append(stored)
        self.rows.append(stored)
        if row.event == "CANCELLED":
            self._cancelled(row, item)
        else:
            self._billed(row, item)
        return ItemVerdict(row.determinant_id, "ACCEPTED", line=row.line)

    def _stored(self, row: BilledRow, item: Row, billed_id: str, *, matches: bool) -> dict[str, Any]:
        """Return the row as the store keeps it."""
        return {
            "billed_id": billed_id, "determinant_id": row.determinant_id, "version": row.version,
            "item_id": item["item_id"], "bill_id": row.bill_id, "period_start": row.period.start,
            "period_end": row.period.end, "quantity_micro": micro(row.quantity), "event": row.event, "at": row.at,
            "source": f"{self.source}:{row.line}" if row.line else self.source, "assumed": self.assumed,
            "matches": matches, "interface": item["interface"],
            "notified_at": row.at if row.event == "CANCELLED" else None,
        }  # fmt: skip

    def _compare(self, row: BilledRow, item: Row, version: Row, known: Sequence[Row], *, matches: bool) -> None:
        """Raise work where the bill and the determinant disagree."""
        interface = self.interfaces.get(item["interface"])
        if interface is None or row.event == "CANCELLED":
            return
        ours = from_micro(version["quantity_micro"])
        if not matches:
            reason = f"bill {row.bill_id} says {plain(row.quantity)}, determinant says {plain(ours)} {item['unit']}"
            self.work.append(
                holds.work_item(interface, item, BILLED_MISMATCH, reason, at_risk=abs(row.quantity - ours))
            )
        standing = {one["bill_id"] for one in known if one["event"] != "CANCELLED"}
        standing -= {one["bill_id"] for one in known if one["event"] == "CANCELLED"}
        if standing - {row.bill_id}:
            reason = f"bills {', '.join(sorted(standing | {row.bill_id}))} carry {row.determinant_id}"
            self.work.append(holds.work_item(interface, item, BILLED_TWICE, reason, at_risk=row.quantity))

    def _billed(self, row: BilledRow, item: Row) -> None:
        """Lock what was billed; better readings that waited are looked at now."""
        self.locked.append((row.determinant_id, row.version))
        if item["state"] not in BILLABLE:
            return
        again = bool(item["recheck"])
        self.changes.append(
            {"item_id": item["item_id"], "state": State.BILLED, "recheck": False,
             "step": ladder.RECHECK if again else item["step"],
             "next_due_at": row.at if again else item["next_due_at"]}
        )  # fmt: skip
        path = {State.BATCHED: (State.SENT, State.ACKED), State.SENT: (State.ACKED,)}.get(item["state"], ())
        why = f"bill {row.bill_id}" + (" (assumed)" if self.assumed else "")
        self.notes.append(Change(item["item_id"], (item["state"], *path, State.BILLED), why, "cis"))

    def _cancelled(self, row: BilledRow, item: Row) -> None:
        """Note that the CIS took its bill back; a request that names the item in `replaces` bills it again."""
        why = f"bill {row.bill_id} cancelled by the CIS"
        self.notes.append(Change(item["item_id"], (item["state"], item["state"]), why, "cis"))

    def write(self, now: datetime) -> None:
        """Write everything that the rows changed."""
        determinants.record_billed(self.session, self.rows)
        determinants.lock(self.session, self.locked, at=now)
        billing_items.change(self.session, self.changes)
        billing_items.note(self.session, self.notes, now=now)
        work.raise_work(self.session, self.work, now=now)


def assume(session: Session, interface: Interface, *, now: datetime) -> int:
    """Count loaded determinants as billed where the site says after how long, and return their number (ruling 3)."""
    after: timedelta | None = interface.policy.assume_billed_after
    if after is None:
        return 0
    total = 0
    for part in billing_parts.parts(session, interface.name, {"ACKED"}):
        if part["acked_at"] is None or part["acked_at"] + after > now:
            continue
        rows = [r for r in billing_parts.items_of_part(session, part["file_id"]) if r["state"] == State.ACKED]
        energetic = [r for r in rows if r["status"] not in ("NO_READ", "HELD", "REJECTED")]
        found = [(n, _assumed(row, part, part["acked_at"] + after)) for n, row in enumerate(energetic)]
        record(
            session, {interface.name: interface}, found, source=f"assumed {after} after loading", now=now, assumed=True
        )
        billing_parts.change_part(session, part["file_id"], state="BILLED")
        total += len(found)
    return total


def _assumed(row: Row, part: Row, at: datetime) -> BilledRow:
    """Return what stands for a row of an extract."""
    period = Period(row["period_start"], row["period_end"])
    return BilledRow(
        row["determinant_id"], row["carried"], f"assumed {part['name']}", period,
        from_micro(row["quantity_micro"]), "BILLED", at,
    )  # fmt: skip
