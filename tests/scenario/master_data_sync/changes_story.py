"""A story of changes, played on a hub: files of systems, billed periods, subscribers, and what everybody has."""

import json
import tomllib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlalchemy import select, update

from canonical.holdings import HeldChanges, Holding, Withdrawn
from canonical.messages import FileFacts, FileIdentity, Item, Message, Parcel
from flows.file_handling import FileContext
from flows.holdings import held_by_hub
from flows.master_data_feed import Subscriber, feed
from flows.master_data_sync import Policy, approval
from flows.master_data_sync.file_changes import ChangesHandler
from flows.master_data_sync.records import DEFAULTS, Records
from flows.routing import Routes, Sending
from store import billing_items, master_subscribers, work
from store.billing import BillingItemRow
from store.deliveries import Delivery
from store.rows import rows_of
from store.session import Transaction


def instant(text: str | datetime) -> datetime:
    """Return an instant of a story, UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC) if isinstance(text, str) else text


@dataclass
class Story:
    """One story: its site, its steps, and what was said."""

    given: Path
    transaction: Transaction
    told: list[str] = field(default_factory=list)
    verdicts: list[str] = field(default_factory=list)

    def play(self) -> dict[str, Any]:
        """Play every step in order and return what it came to."""
        told = tomllib.loads((self.given / "story.toml").read_text())
        site = told.get("site", {})
        days = site.get("max_backdate_days", 0)
        systems = site.get("systems", {})
        records = Records({**DEFAULTS, **site["records"]}, systems) if "records" in site else Records()
        self.policy = Policy(records=records, max_backdate=timedelta(days=days) if days else None)
        self.subscribers = [
            Subscriber(name, one["role"], frozenset(one["kinds"]), mode=one.get("mode", "realtime"))
            for name, one in told.get("subscribers", {}).items()
        ]
        for number, step in enumerate(told["steps"], 1):
            getattr(self, f"_{step['do']}")(step, number, instant(step["at"]))
        return self._end()

    def _file(self, step: dict[str, Any], number: int, now: datetime) -> None:
        """A system lays down a file of changes."""
        said = instant(step.get("true_until", step["at"]))
        facts = FileFacts({"watermark": said.isoformat()}, {}, {}, 0, 0)
        file = FileContext(
            f"file-{number}", step["from"], f"MX_{number}.dat", FileIdentity("masters", "X"), facts, "0" * 64, now
        )
        items: list[Item[Any]] = [
            Item(line, f"{one['kind']} {one['id']}", _held(one)) for line, one in enumerate(step["items"], 2)
        ]
        handler = ChangesHandler(self.policy, Routes(), self._encode)
        with self.transaction() as session:
            found = handler.handle(session, file, items, now=now)
        self.verdicts += [f"{number}: {one.key}: {one.verdict} {one.code} {one.reason}".strip() for one in found]

    def _billed(self, step: dict[str, Any], number: int, now: datetime) -> None:
        """A period of a usage point is billed."""
        row = BillingItemRow(
            item_id=f"i-{number}", interface="mass", run_id="r", line=number, request_id=f"RQ-{number}", reason="",
            commodity="ELECTRICITY", usage_point=step["usage_point"], agreement="G1", account="A1", cycle="07",
            period_start=instant(step["from"]), period_end=instant(step["to"]), replaces="", asked_as="",
            fingerprint="", state="BILLED", step="", determinant_id="d", supersedes_id="", unit="kWh",
        )  # fmt: skip
        with self.transaction() as session:
            billing_items.add(session, [row.model_dump()], now=now)

    def _feed(self, _step: dict[str, Any], _number: int, now: datetime) -> None:
        """The pass tells subscribers what is news."""
        feed(self.subscribers, sending=Sending(Routes(), self._encode, now), transaction=self.transaction)

    def _answers(self, step: dict[str, Any], _number: int, _now: datetime) -> None:
        """A role answers everything that is on its way to it."""
        table = Delivery.__table__  # type: ignore[attr-defined]
        with self.transaction() as session:
            mine = (table.c.destination == step["role"], table.c.state == "pending")
            session.execute(update(table).where(*mine).values(state=step["state"], code=step.get("code", "")))

    def _approve(self, step: dict[str, Any], _number: int, now: datetime) -> None:
        """A person approves what waits for it."""
        for row in approval.asked(transaction=self.transaction):
            verdict = approval.approve(
                row["waiting_id"], approval.Act("Ann", step["reason"]), policy=self.policy,
                sending=Sending(Routes(), self._encode, now), transaction=self.transaction,
            )  # fmt: skip
            self.verdicts.append(f"approved: {verdict.disposition}")

    def _encode(self, role: str, message: Message[Any]) -> Parcel:
        payload = message.payload
        if isinstance(payload, HeldChanges):
            lines = [f"{one.kind} {one.object_id}" for one in payload.holdings]
            self.told.append(f"{role}: {payload.mode} {payload.sequence}: {', '.join(lines)}")
        else:
            things = [json.loads(json.dumps(_short(one), default=str)) for one in payload.things]
            self.told.append(f"{role}: {payload.verb} {payload.noun} {things} at {payload.effective_at:%Y-%m-%d}")
        body = self.told[-1].encode()
        return Parcel("x", "text/plain", sha256(body).hexdigest(), len(body), body)

    def _end(self) -> dict[str, Any]:
        """Return what was said to everybody, what the hub holds, what is work, and how subscribers stand."""
        with self.transaction() as session:
            held = [one for kind in KINDS for one in held_by_hub(session, kind)]
            rows = work.listed(session, limit=100)
            stands = [row for one in self.subscribers for row in master_subscribers.listed(session, one.name)]
            pending = rows_of(session, select(Delivery.__table__.c.destination))  # type: ignore[attr-defined]
        return {
            "verdicts": self.verdicts,
            "held": [f"{one.kind} {one.object_id} {_day(one.valid_from)}..{_day(one.valid_to)} {dict(one.facts)}"
                     for one in held],
            "work": sorted(f"{row['code']}: {row['summary']}" for row in rows),
            "told": self.told,
            "subscribers": sorted(f"{row['subscriber']}: {row['kind']} {row['object_id']} {row['state']}"
                                  for row in stands),
            "deliveries": len(pending),
        }  # fmt: skip


KINDS: Any = ("usage_point", "meter", "installation", "agreement", "topology")


def _held(one: dict[str, Any]) -> Holding | Withdrawn:
    """Return what a line of a story's file says."""
    until = instant(one["until"]) if "until" in one else None
    if "withdrawn" in one:
        return Withdrawn(one["kind"], one["id"], instant(one["withdrawn"]))
    return Holding(one["kind"], one["id"], instant(one["since"]), until, one.get("facts", {}))


def _day(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d}" if at is not None else ""


def _short(thing: Any) -> dict[str, Any]:
    """Return the fields of a thing that say anything."""
    return {name: getattr(thing, name) for name in thing.__slots__
            if getattr(thing, name) and name not in ("valid_from", "registers", "address")}  # fmt: skip
