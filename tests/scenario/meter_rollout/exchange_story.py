"""A story of exchanges, played on a hub: who was told of what, what the field told, and how everything ended."""

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from completion_world import INTERVALS, OFF, ON, POLICY, RECEIVED, TOTAL, World, assert_i1
from sqlalchemy import select, update

from canonical.event_kinds import EventKind
from canonical.events import EndDeviceEvent
from canonical.messages import Message, Parcel
from canonical.rollout import Completion, MeterSeen, RegisterValue
from flows.master_data_sync import links
from flows.meter_rollout import correcting, sequence, strays, verification
from flows.meter_rollout.correcting import Person
from flows.routing import Routes, Sending
from store import billing_items, end_device_events, gateways, work
from store.billing import BillingItemRow
from store.deliveries import Delivery
from store.master_changes import Provenance
from store.reference_masters import METER
from store.rows import rows_of
from store.session import Transaction

REGISTERS = {"TOTAL": TOTAL, "RECEIVED": RECEIVED, "INTERVALS": INTERVALS, "ON": ON, "OFF": OFF}


def instant(text: Any) -> datetime:
    """Return an instant of a story, UTC."""
    return datetime.fromisoformat(str(text)).replace(tzinfo=UTC)


class Story:
    """One story: usage points U1 to U3 with meters O1 to O3, N1 to N3 in stock, and what happens."""

    def __init__(self, given: Path, transaction: Transaction) -> None:
        """Read a story."""
        self.told = tomllib.loads((given / "story.toml").read_text())
        site = self.told.get("site", {})
        self.world = World(transaction, policy=replace(POLICY, **site))
        self.said: list[str] = []

    def play(self) -> dict[str, Any]:
        """Play every step in order and return what it came to; I1 holds after each."""
        for number, step in enumerate(self.told["steps"], 1):
            if "at" in step:
                self.world.now = max(self.world.now, instant(step["at"]))
            getattr(self, f"_{step['do']}")(step, number)
            assert_i1(self.world)
        return self._end()

    def _meter(self, step: dict[str, Any], _number: int) -> None:
        """A master tells of a meter."""
        own = [REGISTERS[name] for name in step.get("registers", ["TOTAL"])]
        fields = {name: step[name] for name in ("multiplier", "commodity") if name in step}
        self.world.meter(step["maker"], step["serial"], *own, **fields)

    def _agreement(self, step: dict[str, Any], _number: int) -> None:
        """The CIS tells of the agreement of a usage point."""
        given = {name: value for name, value in step.items() if name not in ("do", "point")}
        self.world.agreement(step["point"], **{k: instant(v) if k[:5] == "valid" else v for k, v in given.items()})

    def _order(self, step: dict[str, Any], _number: int) -> None:
        """A wave has an order at a usage point."""
        given = {name: value for name, value in step.items() if name not in ("do", "point", "state")}
        self.world.order(step["point"], step.get("state", "DISPATCHED"), **given)

    def _read(self, step: dict[str, Any], _number: int) -> None:
        """A meter of a usage point was read."""
        meter = {"meter": self._mrid(step["meter"])} if "meter" in step else {}
        self.world.read(step["point"], instant(step["taken"]), step["value"], **meter)

    def _tell(self, step: dict[str, Any], _number: int) -> None:
        """The field tells completions, and they are judged."""
        became = self.world.tell(*map(_completion, step["completions"]), source=step.get("from", "contractor"))
        self.said += [one.code for one in became if one.code]
        if step.get("judged", True):
            self.world.judge()

    def _judge(self, _step: dict[str, Any], _number: int) -> None:
        """A pass judges what is due."""
        self.world.judge()

    def _link(self, step: dict[str, Any], number: int) -> None:
        """Another system tells that a meter was hung, or taken away."""
        with self.world.transaction() as session:
            by = Provenance(step["from"], f"m{number}", self.world.now)
            at, meter, point = instant(step["effective"]), self._mrid(step["meter"]), f"U{step['point']}"
            links.change(session, meter, point, step["verb"], at, by=by, now=self.world.now)

    def _gateway(self, step: dict[str, Any], _number: int) -> None:
        """A meter is read by way of another."""
        spans = [{"slave": one, "gateway": self._mrid(step["meter"]), "since": instant(step["since"])}
                 for one in step["slaves"]]  # fmt: skip
        with self.world.transaction() as session:
            gateways.link(session, spans, source="hes", now=self.world.now)

    def _item(self, step: dict[str, Any], number: int) -> None:
        """A period of a usage point is asked for, or billed."""
        row = BillingItemRow(
            item_id=f"i-{number}", interface="mass", run_id="r", line=number, request_id=f"RQ-{number}",
            reason=step.get("reason", "CYCLE"), commodity="ELECTRICITY", usage_point=f"U{step['point']}",
            agreement="G1", account="A1", cycle="C1",
            period_start=instant(step["from"]), period_end=instant(step["to"]),
            replaces="", asked_as="", fingerprint="", state=step.get("state", "BILLED"), step="", determinant_id="d",
            supersedes_id="", unit="kWh",
        )  # fmt: skip
        with self.world.transaction() as session:
            billing_items.add(session, [row.model_dump()], now=self.world.now)

    def _correct(self, step: dict[str, Any], _number: int) -> None:
        """A person corrects crossed exchanges."""
        person = Person("Ann", step["reason"], self.world.now)
        points = [f"U{one}" for one in step["cross"]]
        found = correcting.cross(points, policy=self.world.policy, transaction=self.world.transaction, person=person)
        self.said += [f"bills to be looked at: {', '.join(found.proposals)}"] if found.proposals else []

    def _systems(self, _step: dict[str, Any], _number: int) -> None:
        """Every system takes what it is told, until nobody has anything to say."""
        table = Delivery.__table__  # type: ignore[attr-defined]
        for _ in range(12):
            sending = Sending(Routes(), _encode, self.world.now)
            both = {"policy": self.world.policy, "transaction": self.world.transaction}
            for batch in sequence.due(**both, now=self.world.now):
                sequence.advance_batch(batch, **both, sending=sending, ask=lambda *_a, **_k: {})
            with self.world.transaction() as session:
                values = {"state": "confirmed", "confirmed_at": self.world.now}
                session.execute(update(table).where(table.c.state == "pending").values(**values))
            self.world.now += timedelta(minutes=1)

    def _event(self, step: dict[str, Any], number: int) -> None:
        """A head-end tells that a meter registered itself."""
        meter, occurred = self._mrid(step["meter"]), instant(step["occurred"])
        event = EndDeviceEvent(step["from"], "3.6.5.58", EventKind.REGISTERED, occurred, mrid=f"e{number}", meter=meter)
        with self.world.transaction() as session:
            end_device_events.keep(session, [event], message_id=f"m{number}", now=self.world.now)

    def _look(self, _step: dict[str, Any], _number: int) -> None:
        """A pass looks which meters were heard, and which should not have been."""
        both = {"policy": self.world.policy, "transaction": self.world.transaction, "now": self.world.now}
        verification.hear(**both)
        strays.find(**both)

    def _mrid(self, serial: str) -> str:
        with self.world.transaction() as session:
            return str(rows_of(session, select(METER.c.meter).where(METER.c.serial == serial))[0]["meter"])

    def _end(self) -> dict[str, Any]:
        world, points = self.world, range(1, 4)
        with world.transaction() as session:
            rows = rows_of(session, select(METER.c.meter, METER.c.serial).where(METER.c.replaced_at.is_(None)))
            serials = {row["meter"]: row["serial"] for row in rows}
            behind = gateways.slaves(session, serials)
            open_work = sorted(f"{row['code']} {row['usage_point']}".strip() for row in work.listed(session))
        return {
            "hung": {f"U{n}": [_span(*one) for one in world.hung(n)] for n in points},
            "completions": {f"U{n}": sorted(_result(row) for row in world.results(n)) for n in points},
            "orders": {f"U{n}": sorted(_order(row) for row in world.orders(n)) for n in points},
            "readings": {f"U{n}": sorted(_readings(world.readings(n), serials)) for n in points},
            "behind_gateways": sorted(
                f"{row['slave']} by {serials[name]} {_span('', row['since'], row['until']).strip()}"
                for name, spans in behind.items() for row in spans
            ),
            "work": open_work,
            "said": self.said,
        }  # fmt: skip


def _completion(told: Mapping[str, Any]) -> Completion:
    """Return a completion: `n` says which usage point and meters unless they are told otherwise."""
    number, when = told["n"], instant(told["at"])
    old, new = told.get("removed", f"O{number}"), told.get("installed", f"N{number}")
    plain = {name: told[name] for name in ("outcome", "address", "usage_point_name", "remarks") if name in told}
    return Completion(
        order="",
        usage_point=f"U{number}",
        effective_at=instant(told.get("effective", told["at"])),
        removed=MeterSeen(*old.split(" ")[::-1]) if old else None,
        removed_at=when if old else None,
        final_readings=_values(told.get("final", {"T": "100"}) if old else {}),
        installed=MeterSeen(*new.split(" ")[::-1]) if new else None,
        installed_at=when if new else None,
        first_readings=_values(told.get("first", {"T": "0"}) if new else {}),
        multiplier_seen=Decimal(told["multiplier"]) if "multiplier" in told else None,
        **{"outcome": "DONE", **plain},
    )


def _values(told: Mapping[str, str]) -> tuple[RegisterValue, ...]:
    return tuple(RegisterValue(name, Decimal(value)) for name, value in told.items())


def _encode(_role: str, message: Message[Any]) -> Parcel:
    return Parcel(message.header.noun, "text/plain", "0" * 64, 1, b"x", key=message.header.message_id)


def _span(what: str, since: datetime, until: datetime | None) -> str:
    return f"{what} {since:%Y-%m-%dT%H:%M}..{until:%Y-%m-%dT%H:%M}" if until else f"{what} {since:%Y-%m-%dT%H:%M}.."


def _result(row: Mapping[str, Any]) -> str:
    codes = ", ".join(code[:4] for code in row["codes"])
    told = f"{row['outcome']} {row['removed_serial'] or '-'} to {row['installed_serial'] or '-'} {row['state']}"
    return f"{told} {codes}".strip()


def _order(row: Mapping[str, Any]) -> str:
    return f"{row['wave'] or 'ad hoc'} {row['state']} {row['code'][:4]} {row['shortfall']}".replace("  ", " ")


def _readings(held: Mapping[str, Any], serials: Mapping[str, str]) -> list[str]:
    return [f"{serials[meter]} {at:%Y-%m-%dT%H:%M} {value}" for meter, own in held.items() for _, at, value in own]
