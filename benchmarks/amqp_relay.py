"""The relay from a PostgreSQL store to RabbitMQ, beside pika publishing the same bytes by hand with a window.

20,000 deliveries of a bare event of about 1 kB are enqueued; then leased, carried and recorded in batches of 2,000 by
`flows.relaying.carry_on`, as `amihub serve` does, through the adapter `partner_amqp`; beside it the same letters, with
the same properties, go to the same queue by a publisher that does nothing else, its connection open and its properties
made before the clock starts. Once with a classic and once with a quorum queue.
"""

import gc
import hashlib
import json
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import pika

from adapters.partner_amqp.adapter import build
from adapters.partner_amqp.translate import letter_from_wire
from benchmarks.amqp_publish import publish_raw
from canonical.messages import Header, Parcel
from flows.delivery import DeliveryPolicy, Way
from flows.relaying import carry_on
from iec61968.editions import EDITIONS
from messaging.port import open_queues
from messaging.settings import Messaging
from messaging.topology import QueueSet, QueueType, Topology
from servers.postgres import private_postgres
from servers.rabbitmq import private_rabbitmq
from store.deliveries import Outgoing, enqueue_many
from store.session import Transaction, open_engine, transactions

DELIVERIES, BATCH, ROUNDS = 20_000, 2_000, 3
KINDS: tuple[QueueType, ...] = ("classic", "quorum")
NOW = datetime(2026, 3, 2, 6, tzinfo=UTC)
POLICY = DeliveryPolicy(batch=BATCH, in_flight=10 * BATCH, timeout_s=60.0, lease_s=61.0 * BATCH)
ENVELOPE = "http://iec.ch/TC57/2011/schema/message"


def run() -> dict[str, dict[str, float]]:
    """Return the median of same-round ratios by kind of queue, and the relay's deliveries per second."""
    from store.tables import METADATA

    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder, private_postgres() as url:
        engine = open_engine(url)
        METADATA.create_all(engine)
        for kind in KINDS:
            pairs = _rounds(kind, transactions(engine), Path(folder))
            found[f"ratio_to_raw_publish_{kind}"] = round(median(ours / raw for ours, raw in pairs), 3)
            found[f"deliveries_per_s_{kind}"] = round(median(ours for ours, _ in pairs))
        engine.dispose()
    return {"relay": found}


def _rounds(kind: QueueType, transaction: Transaction, folder: Path) -> list[tuple[float, float]]:
    """Return what each round found, the first left out; with a broker whose queues are all of one kind."""
    own = QueueSet(f"bench-{kind}", "out", {})
    with private_rabbitmq() as server:
        messaging = Messaging(Topology((own,), queue_type=kind), server.url, folder / "unused.db")
        queues = open_queues(messaging)
        queues.declare()
        port = build({"queue": own.partner, "messaging": messaging})
        way = Way(own.partner, port, POLICY, transaction, folder)
        gc.freeze()  # as `amihub serve` does
        pairs = [_round(f"{kind}-{n}", way, server.url, own) for n in range(ROUNDS + 1)][1:]
        queues.close()
        return pairs


def _round(name: str, way: Way, url: str, own: QueueSet) -> tuple[float, float]:
    """Return deliveries per second of the relay, and letters per second of pika by hand."""
    _enqueue(name, way)
    with ThreadPoolExecutor(1) as carrier:
        began = time.perf_counter()
        report = carry_on(way, carrier=carrier, now=lambda: NOW, machine_now=lambda: datetime.now(UTC))
        ours = DELIVERIES / (time.perf_counter() - began)
    if report.confirmed != DELIVERIES:
        raise AssertionError(f"not every delivery was confirmed: {report}")
    _emptied(url, own)
    letters = [letter_from_wire(_event(n), edition=EDITIONS["2011"]) for n in range(DELIVERIES)]
    raw = DELIVERIES / publish_raw(url, letters, own.exchange)
    _emptied(url, own)
    return ours, raw


def _enqueue(name: str, way: Way) -> None:
    """Enqueue a round's deliveries, as many together as go in one batch."""
    for first in range(0, DELIVERIES, BATCH):
        many = [
            Outgoing(
                Header(f"{name}-{n}", "mdms", "created", "MeterReadings", created_at=NOW),
                _parcel(name, n, _event(n)),
                way.destination,
            )
            for n in range(first, first + BATCH)
        ]
        with way.transaction() as session:
            enqueue_many(session, many, now=NOW)


def _parcel(name: str, number: int, body: bytes) -> Parcel:
    digest = hashlib.sha256(body).hexdigest()
    return Parcel("created", "application/xml", digest, len(body), body, key=f"{name}-{number}")


def _emptied(url: str, own: QueueSet) -> None:
    """Empty the queue, so that no round works against what an earlier one left."""
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        connection.channel().queue_purge(own.queue("normal"))


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
