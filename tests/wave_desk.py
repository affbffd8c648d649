"""A desk at which a small wave is planned, frozen, released and looked at, with orders said as JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Any

from wave_town import House, build

from canonical.messages import Message, Outcome, Parcel
from flows.meter_rollout.freezing import freeze
from flows.meter_rollout.planner import plan
from flows.meter_rollout.policy import Policy
from flows.meter_rollout.release import Released, release
from flows.meter_rollout.rules import Hardware, WaveRules
from flows.meter_rollout.wave_pass import WavesPassed, pass_waves
from flows.routing.deliver import Sending
from flows.routing.routes import Routes
from store import deliveries, rollout_orders, rollout_waves
from store.rows import Row, rows_of
from store.session import Session, Transaction

NOW = datetime(2026, 11, 30, 15, tzinfo=UTC)
POLICY = Policy(zone="America/Toronto", roles={"wams": "wams"}, batch=2)
RULES = WaveRules(
    "NORTH-1",
    date(2026, 12, 1),
    date(2026, 12, 11),
    2,
    zone="America/Toronto",
    hardware=(Hardware("NEW-1", configuration="C1"),),
    attempts=2,
    contractor="FieldCo",
)


def encode(role: str, message: Message[Any]) -> Parcel:
    """Say orders as JSON, whoever is told."""
    payload = message.payload
    said = asdict(payload) if not isinstance(payload, tuple) else [asdict(one) for one in payload]
    body = json.dumps(said, default=lambda one: one.isoformat()).encode()
    return Parcel(f"order for {role}", "application/json", sha256(body).hexdigest(), len(body), body)


def sending(now: datetime) -> Sending:
    return Sending(Routes(), encode, now)


def frozen(transaction: Transaction, houses: Sequence[House], rules: WaveRules = RULES) -> None:
    with transaction() as session:
        build(session, houses)
    plan(rules, transaction=transaction, now=NOW, by="Ada")
    freeze("NORTH-1", transaction=transaction, now=NOW, by="Ada")


def release_days(
    transaction: Transaction,
    *days: date,
    at: datetime = NOW,
    by: str = "Ada",
    policy: Policy = POLICY,
    exclude: dict[str, str] | None = None,
    dry_run: bool = False,
) -> Released:
    return release(
        "NORTH-1", days, policy=policy, sending=sending(at), transaction=transaction, by=by, exclude=exclude,
        dry_run=dry_run,
    )  # fmt: skip


def pass_once(transaction: Transaction, at: datetime = NOW) -> WavesPassed:
    return pass_waves(policy=POLICY, sending=sending(at), transaction=transaction)


def confirm(transaction: Transaction, rows: Sequence[Row]) -> None:
    with transaction() as session:
        for row in rows:
            found = deliveries.find(session, row["delivery_id"])
            deliveries.settle(found, Outcome("confirmed"), now=NOW)
            session.add(found)


def unable(transaction: Transaction, number: int, at: datetime) -> None:
    order = rollout_orders.order_id_of("NORTH-1", f"UP-{number:06}")
    with transaction() as session:
        rollout_orders.move(session, [order], "UNABLE", now=at, reason="no access")


def sent_out(transaction: Transaction) -> list[Row]:
    """Return what goes out, in order, with its bytes."""
    table, payload = deliveries.DELIVERY, deliveries.DELIVERY_PAYLOAD
    query = table.join(payload, payload.c.delivery_id == table.c.delivery_id).select()
    with transaction() as session:
        columns = [table.c[n] for n in ("sequence", "delivery_id", "destination", "lane", "verb", "expires_at")]
        chosen = query.with_only_columns(*columns, payload.c.body).order_by(table.c.sequence)
        return rows_of(session, chosen)


def order_of(transaction: Transaction, number: int) -> Row:
    with transaction() as session:
        return order_in(session, number)


def order_in(session: Session, number: int) -> Row:
    order = rollout_orders.order_id_of("NORTH-1", f"UP-{number:06}")
    return rollout_orders.of_ids(session, [order])[order]


def states(transaction: Transaction) -> dict[int, str]:
    with transaction() as session:
        points = [f"UP-{number:06}" for number in range(1, 20)]
        orders = rollout_orders.all_of_usage_points(session, points)
    return {int(point[3:]): rows[0]["state"] for point, rows in orders.items()}


def wave(transaction: Transaction) -> Row:
    with transaction() as session:
        return rollout_waves.find(session, "NORTH-1")


def content(row: Row) -> Row:
    return {name: value for name, value in row.items() if name not in ("row", "version", "known_at", "replaced_at")}
