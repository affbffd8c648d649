"""The relay from a PostgreSQL store to a quorum queue, beside pika publishing the same bytes by hand with a window.

1,000 deliveries of a bare event of about 1 kB are enqueued; then leased, carried and recorded in batches of 500 by
`flows.delivery.relay_once`, through the adapter `partner_amqp`.
"""

import hashlib
import json
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from adapters.partner_amqp.adapter import QueuePartner, build
from benchmarks.amqp_publish import publish_raw
from canonical.messages import Header, Parcel
from flows.delivery import DeliveryPolicy, relay_once
from messaging.letters import Letter
from messaging.port import open_queues
from messaging.settings import Messaging
from messaging.topology import QueueSet, Topology
from servers.postgres import private_postgres
from servers.rabbitmq import private_rabbitmq
from store import deliveries
from store.session import Transaction, open_engine, transactions

DELIVERIES, BATCH, ROUNDS = 1_000, 500, 2
NOW = datetime(2026, 3, 2, 6, tzinfo=UTC)
POLICY = DeliveryPolicy(batch=BATCH, in_flight=10 * BATCH, timeout_s=60.0, lease_s=61.0 * BATCH)
OWN = QueueSet("bench", "out", {})
ENVELOPE = "http://iec.ch/TC57/2011/schema/message"


def run() -> dict[str, dict[str, float]]:
    """Return the median of same-round ratios and the relay's deliveries per second."""
    from store.tables import METADATA

    with tempfile.TemporaryDirectory() as folder, private_rabbitmq() as server, private_postgres() as url:
        messaging = Messaging(Topology((OWN,)), server.url, Path(folder) / "unused.db")
        queues = open_queues(messaging)
        queues.declare()
        port = build({"queue": OWN.partner, "messaging": messaging})
        engine = open_engine(url)
        METADATA.create_all(engine)
        pairs = [_round(n, transactions(engine), port, server.url, Path(folder)) for n in range(ROUNDS + 1)][1:]
        engine.dispose()
        queues.close()
    return {
        "relay": {
            "ratio_to_raw_publish_quorum": round(median(ours / raw for ours, raw in pairs), 3),
            "deliveries_per_s": round(median(ours for ours, _ in pairs)),
        }
    }


def _round(number: int, transaction: Transaction, port: QueuePartner, url: str, spool: Path) -> tuple[float, float]:
    """Return deliveries per second of the relay, and letters per second of pika by hand."""
    bodies = [_event(number * DELIVERIES + n) for n in range(DELIVERIES)]
    with transaction() as session:
        for n, body in enumerate(bodies):
            name = f"m-{number}-{n}"
            parcel = Parcel("created", "application/xml", hashlib.sha256(body).hexdigest(), len(body), body, key=name)
            header = Header(name, "mdms", "created", "MeterReadings", created_at=NOW)
            deliveries.enqueue(session, header=header, parcel=parcel, destination="partner", now=NOW)
    began, confirmed = time.perf_counter(), 0
    while confirmed < DELIVERIES:
        report = relay_once(
            {"partner": port},
            transaction=transaction,
            spool=spool,
            now=NOW,
            machine_now=datetime.now(UTC),
            policies={"partner": POLICY},
        )
        if not report.confirmed:
            raise AssertionError(f"the relay stands still: {report}")
        confirmed += report.confirmed
    ours = DELIVERIES / (time.perf_counter() - began)
    letters = [Letter(body, f"m-{number}-{n}") for n, body in enumerate(bodies)]
    began = time.perf_counter()
    publish_raw(url, letters, OWN.exchange)
    return ours, DELIVERIES / (time.perf_counter() - began)


def _event(number: int) -> bytes:
    """Return a bare event of about 1 kB."""
    identity = f"11111111-2222-3333-4444-{number:012}"
    return (
        f'<EventMessage xmlns="{ENVELOPE}"><Header><Verb>created</Verb><Noun>MeterReadings</Noun>'
        f"<Timestamp>2026-03-02T06:00:00Z</Timestamp><Source>AMIHUB</Source><MessageID>{identity}</MessageID>"
        f"<CorrelationID>{identity}</CorrelationID></Header><Payload>{'x' * 600}</Payload></EventMessage>"
    ).encode()


if __name__ == "__main__":
    print(json.dumps(run()))
