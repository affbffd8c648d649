"""Plays a billing story (`given/story.toml`) against the hub and tells what came of it, as `then/outcome.json` says it.

The stories are short on purpose: usage points with one meter each unless more are named, local times in the story's
zone, one pass of the interface at each step.
"""

import json
import tomllib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import billing_people
from billing_book import Book, day_of
from billing_world import BookMdms, FolderCis, Night

from canonical.billing import BilledRow, BillingPart, BillingRequestItem, Status, Verdict
from canonical.messages import Header, Message
from canonical.periods import Period
from flows import work as people
from flows.billing_exchange import Interface, readings_arrived, storms
from flows.billing_exchange.policy import Policy
from flows.billing_exchange.status import status
from flows.delivery import replay
from store import billing_items, billing_parts
from store.session import Transaction


class Story:
    """One story with its partners and the hub's store."""

    def __init__(self, folder: Path, transaction: Transaction, room: Path) -> None:
        self.told = tomllib.loads((folder / "given" / "story.toml").read_text())
        self.zone = ZoneInfo(self.told.get("zone", "America/Toronto"))
        settings: dict[str, Any] = self.told.get("policy", {})
        values: dict[str, Any] = {k: Decimal(str(v)) if isinstance(v, float) else v for k, v in settings.items()}
        for key in {"storm_districts", "manual_sources"} & values.keys():
            values[key] = frozenset(values[key])
        policy = Policy(interface="mass", partner="CISMASS", inboxes=("cis",), zone=self.zone.key, **values)
        if "assume_billed_hours" in self.told:
            policy = replace(policy, assume_billed_after=timedelta(hours=self.told["assume_billed_hours"]))
        interface = Interface(
            "mass", policy, "AMIHUB", "TEST", roles=frozenset({"cis", "mdms"}),
            sync_wait=timedelta(hours=self.told.get("sync_wait_hours", 0)), owners=self.told.get("owners", {}),
            multipliers=self.told.get("multipliers", {}),
        )  # fmt: skip
        self.book = Book(self.told, self.zone, self.at)
        mdms = BookMdms(lambda: self.book.readings)
        self.night = Night(interface, FolderCis(room / "cis"), mdms, transaction, room / "spool")
        self.given, self.transaction = folder / "given", transaction
        self.outcome: list[dict[str, Any]] = []
        self.seen: set[str] = set()
        self.answers: list[str] = []
        self.walked: list[str] = []

    def play(self) -> list[dict[str, Any]]:
        """Return what came of each step."""
        self.night.reference(
            self.book.masters(self.told.get("masters_first")),
            day=day_of(self.at(self.told["step"][0]["at"]), self.zone),
        )
        for step in self.told["step"]:
            self._step(step)
        return self.outcome

    def at(self, text: str) -> datetime:
        """Return a local time of the story; one with an offset says itself which of two it means."""
        instant = datetime.fromisoformat(text)
        return (instant if instant.tzinfo else instant.replace(tzinfo=self.zone)).astimezone(UTC)

    def _step(self, step: dict[str, Any]) -> None:
        now = self.at(step["at"])
        self.night.mdms.away = step.get("mdms_away", False)
        self.night.cis.full = step.get("cis_full", False)
        self.book.keep(step)
        if step.get("masters"):
            self.night.reference(self.book.masters(step["masters"]), day=day_of(now, self.zone))
        self._people(step, now)
        for serial in step.get("late", []):
            self._event(serial, now)
        asked = [self._request(*row) for row in step.get("requests", [])]
        asked += [
            BillingRequestItem(name, "CANCEL", "ELECTRICITY", Period(now, now), cancels=old)
            for name, old in step.get("cancels", [])
        ]
        if asked:
            name = self.night.requests(asked, day=day_of(now, self.zone), kind=step.get("kind", "ON"))
            if step.get("truncated"):
                path = self.night.cis.out / name
                path.write_bytes(path.read_bytes()[:-40])
            if step.get("spoil"):
                self._spoil(name, step["spoil"])
        if step.get("replay"):
            self._replay(now)
        if step.get("again"):
            self._repeat(step["again"])
        self._answers(step, now)
        self._decisions(step, now)
        verdict = self.night.pass_at(now)
        self.outcome.append(self._told(step, verdict))

    def _people(self, step: dict[str, Any], now: datetime) -> None:
        """Let route readers and crews tell what they saw."""
        for name in step.get("walked", []):
            self.walked += billing_people.walked(self.given / name, self.transaction, now)
        if step.get("exchanged"):
            points = {serial: row["up"] for serial, row in self.book.meters.items()}
            billing_people.exchanged(step["exchanged"], points.__getitem__, self.at, self.transaction, now)

    def _answers(self, step: dict[str, Any], now: datetime) -> None:
        """Let the CIS acknowledge what it has, and bill."""
        waiting = [name for name in self.night.parts() if name not in self.seen]
        how = step.get("ack", "")
        for name in waiting if how else []:
            self.seen.add(name)
            refused = [
                d.determinant_id
                for d in self.night.parts()[name].determinants
                if d.request_id in step.get("refuse", [])
            ]
            verdict: Verdict = "ACCEPTED_WITH_ERRORS" if refused else how
            self.night.acknowledge(name, verdict, reason=step.get("why", ""), refused=refused)
        rows = [self._bill(row, now) for row in step.get("billed", [])]
        if rows:
            self.night.bill(rows, day=day_of(now, self.zone))

    def _decisions(self, step: dict[str, Any], now: datetime) -> None:
        """Let people decide about work."""
        for act, district in step.get("storm", []):
            switch = {"on": storms.switch_on, "off": storms.switch_off, "override": storms.override}[act]
            switch(district, by="Ada", reason="ice storm", transaction=self.transaction, now=now)
        for act, code in step.get("people", []):
            rows = people.list_work(transaction=self.transaction)
            found = next((row for row in rows if row["code"].startswith(code)), None)
            assert found is not None, [row["code"] for row in rows]
            decide = {"release": people.release, "cancel": people.cancel, "waive": people.waive}[act]
            decide(found["work_id"], by="Ada", reason="checked", transaction=self.transaction, now=now)

    def _bill(self, row: list[Any], now: datetime) -> BilledRow:
        """Return a billed row for the latest version of a request's determinant."""
        request, quantity, event = [*row, "BILLED"][:3]
        found = [d for part in self.night.parts().values() for d in part.determinants if d.request_id == request]
        newest = max((d for d in found if "6030" not in {r.code for r in d.remarks}), key=lambda d: d.version)
        unit = "kWh" if newest.commodity == "ELECTRICITY" else "m3"
        return BilledRow(
            newest.determinant_id, newest.version, f"BILL-{request}", newest.period, Decimal(str(quantity)), event,
            now.replace(microsecond=0), unit=unit,
        )  # fmt: skip

    def _request(self, name: str, reason: str, subject: str, start: str, end: str, *more: str) -> BillingRequestItem:
        """Return one line of a request; the subject is `up:X`, `account:X`, `agreement:X` or `meter:X`."""
        kind, _, value = subject.partition(":")
        fields: dict[str, Any] = {"usage_point": value} if kind == "up" else {kind: value}
        if kind == "meter":
            fields = {"manufacturer": "ACM", "serial": value}
        commodity = next(
            (up.get("commodity", "ELECTRICITY") for up in self.told["usage_point"] if up["id"] == value), "ELECTRICITY"
        )
        period = Period(self.at(start), self.at(end))
        replaces = more[0] if more else ""
        return BillingRequestItem(name, reason, commodity, period, replaces=replaces, **fields)  # type: ignore[arg-type]

    def _replay(self, now: datetime) -> None:
        """Let a person order every stuck delivery again."""
        with self.transaction() as session:
            stuck = [part["delivery_id"] for part in billing_parts.parts(session, "mass", {"QUEUED"})]
        for name in stuck:
            replay(name, transaction=self.transaction, now=now, machine_now=self.night.machine, by="Ada")

    def _event(self, serial: str, now: datetime) -> None:
        """Let the MDMS tell the last reading of a meter by itself."""
        up = self.book.meters[serial]["up"]
        header = Header(f"event-{serial}-{now.isoformat()}", "mdms", "created", "MeterReadings")
        with self.transaction() as session:
            for last in self.book.readings[up][-1:]:
                answer = readings_arrived(session, Message(header, (last,)), now, queue="meter-desk")
        self.answers.append(answer.result)

    def _spoil(self, name: str, request: str) -> None:
        """Damage one line of a request file; its trailer still counts it."""
        path = self.night.cis.out / name
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join(x.replace("ELECTRICITY", "MOONSHINE") if f"|{request}|" in x else x for x in lines))

    def _repeat(self, name: str) -> None:
        """Let the CIS send a file again."""
        archive = self.night.cis.out.parent / "archive"
        found = next(path for path in sorted(archive.iterdir()) if path.name.startswith(name))
        (self.night.cis.out / found.name).write_bytes(found.read_bytes())

    def _told(self, step: dict[str, Any], verdict: Any) -> dict[str, Any]:
        """Return what came of a step: files, answers in them, items, work, verdict."""
        known = {name for each in self.outcome for name in each["parts"]}
        fresh = {name: part for name, part in self.night.parts().items() if name not in known}
        runs = status(self.night.interface, transaction=self.transaction, closed=True)
        answers = sorted((self.night.cis.inbound).glob("[BR][RFX]_*.ack"))
        return {
            "at": step["at"],
            "parts": {name: _part(part, self.told) for name, part in fresh.items()},
            "request_files": {path.stem: _acknowledged(path) for path in answers if path.name.startswith("BR_")},
            "items": self._items(),
            "runs": {
                run.run["file_name"]: [run.run["state"], list(run.balance.breaks)]
                for run in runs
                if run.run["state"] != "OPEN"
            },
            "work": sorted(
                f"{row['code']} {row['key']} {row['queue']} {row['at_risk_kwh'].normalize():f} {row['unit']}"
                for row in people.list_work(transaction=self.transaction)
            ),
            "told_mdms": len(self.night.mdms.told),
            **({"events": list(self.answers)} if step.get("late") and set(self.answers) != {"OK"} else {}),
            **({"walked": list(self.walked)} if step.get("walked") else {}),
            "verdict": [verdict.ok, [failure.split(":")[0] for failure in verdict.failures]],
        }

    def _items(self) -> dict[str, str]:
        """Return state and answer of each item."""
        with self.transaction() as session:
            rows = [
                row for up in self.told["usage_point"] for row in billing_items.of_usage_points(session, {up["id"]})
            ]
        return {row["request_id"]: f"{row['state']} {row['status']} {row['code']}".rstrip() for row in rows}


def _part(part: BillingPart, told: dict[str, Any]) -> dict[str, Any]:
    """Return what a part says, as a person would check it; `days` and `qualities` where the story asks for them."""
    said: dict[str, Any] = {
        f"{d.request_id} v{d.version}": {
            "status": str(d.status),
            **({"days": d.days} if told.get("days") else {}),
            **{f"{q.code} {q.season}".rstrip(): f"{q.quantity:f}" for q in d.quantities},
            **{m.code: _peak(m) for m in d.demands},
            **(
                {"reads": [_use(d, use) for use in d.registers]}
                if d.status is not Status.NO_READ and d.registers
                else {}
            ),
            **({"qualities": [_qualities(use) for use in d.registers]} if told.get("qualities") else {}),
            **({"remarks": [f"{r.code} {r.text}" for r in d.remarks]} if d.remarks else {}),
            **({"supersedes": True} if d.supersedes_id else {}),
        }
        for d in part.determinants
    }
    if part.closing is not None:
        c = part.closing
        said["closing"] = [c.requested, c.delivered, [list(u) for u in c.unanswered], c.rejected, c.cancelled]
    return said


def _use(determinant: Any, use: Any) -> str:
    """Return one register's sum."""
    serial = next(meter.serial for meter in determinant.meters if meter.meter == use.meter)
    if use.start_read is None:
        counts = f"{determinant.actual_intervals}/{determinant.expected_intervals}"
        return f"{serial} {use.register}: intervals {counts} = {use.quantity:f}"
    return f"{serial} {use.register}: {use.start_read:f} -> {use.stop_read:f} = {use.quantity:f}"


def _qualities(use: Any) -> str:
    """Return the qualities of one register's two reads; intervals have none."""
    return f"{use.register}: {use.start_quality or '-'} -> {use.stop_quality or '-'}"


def _peak(demand: Any) -> str:
    """Return a maximum demand with its time, and its resets where there were any."""
    resets = f", reset {demand.resets} times, last {demand.reset_at.isoformat()}" if demand.reset_at else ""
    return f"{demand.value:f} kW at {demand.at.isoformat()}{resets}"


def _acknowledged(path: Path) -> list[Any]:
    """Return what the hub said of a request file."""
    said = json.loads(path.read_text())
    return [said["verdict"], said["code"], {i["key"]: f"{i['verdict']} {i['code']}".rstrip() for i in said["items"]}]
