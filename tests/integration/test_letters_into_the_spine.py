"""Letters from queues all the way into the store, and answers back: over the embedded queue."""

import gzip
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

import pytest
from letters_by_hand import event, letter, response, rows, write_site
from lxml import etree
from queues_by_hand import Seen, until
from serve_by_hand import ENVELOPE, uuid
from sqlmodel import SQLModel

import store.tables  # noqa: F401
from canonical.codes import messaging as codes
from canonical.documents import Document
from canonical.errors import RejectedError
from canonical.messages import Header, Message
from flows.delivery import relay_once
from messaging.letters import Arrival, Letter
from messaging.port import Queues, open_queues
from services.event_consumer import Taker, run_consumer, taker_of
from services.hub import Hub
from services.queue_watch import look
from services.site_file import load_site
from services.site_queues import messaging_of
from store import deliveries
from store.session import open_engine

pytestmark = pytest.mark.slow

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@dataclass
class Place:
    """A hub over real queues, and whoever takes their letters."""

    hub: Hub
    queues: Queues
    taker: Taker
    site: Path

    def states(self) -> list[tuple[str, ...]]:
        return rows(self.site, "SELECT source, message_id, state FROM message ORDER BY entry")

    def answers(self) -> list[Letter]:
        seen, stop = Seen(lambda _arrival: None), Event()

        def one(arrival: Arrival) -> None:
            seen.handle(arrival)
            stop.set()

        self.queues.consume(["out.mdms"], one, refuse=seen.refuse, stop=stop)
        return [arrival.letter for arrival in seen.done]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    site = write_site(tmp_path)
    hub = Hub(load_site(site))
    SQLModel.metadata.create_all(open_engine(hub.site.store_url))
    queues = open_queues(messaging_of(hub.site))
    queues.declare()
    yield Place(hub, queues, taker_of(hub, queues), site)
    queues.close()
    hub.close()


def _arrival(one: Letter, queues: str = "in.mdms", **counts: int) -> Arrival:
    return Arrival(one, queues, **counts)


def test_a_bare_event_is_taken_once_under_the_name_of_its_queue(place: Place) -> None:
    place.taker.take(_arrival(letter(1)))
    place.taker.take(_arrival(letter(1), returns=1))
    place.taker.take(_arrival(letter(1), "in.other"))
    assert place.states() == [("mdms", uuid(1), "done"), ("other", uuid(1), "done")]


def test_a_gzipped_event_is_taken_and_archived_as_it_came(place: Place) -> None:
    packed = gzip.compress(event(2))

    place.taker.take(_arrival(letter(2, packed)))

    assert place.states() == [("mdms", uuid(2), "done")]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"no xml", "NOT_XML"),
        (gzip.compress(b"0" * 50_000_000), "COMPRESSED_REFUSED"),
        (gzip.compress(event(3))[:-9], "COMPRESSED_REFUSED"),
        (event(3).replace(b"</Payload>", b""), "NOT_XML"),
        (event(3, verb="created", noun="Nonsense"), "SCHEMA_INVALID"),
    ],
    ids=["no xml", "bomb", "cut", "torn", "nonsense"],
)
def test_what_cannot_be_read_is_archived_and_parked_with_its_code_and_leaves_its_queue(
    place: Place, body: bytes, code: str
) -> None:
    place.taker.take(_arrival(letter(3, body)))

    assert [state for _, _, state in place.states()] == ["parked"]
    (found,) = rows(place.site, "SELECT code FROM message")
    assert found[0].endswith(code) or code == "SCHEMA_INVALID"
    assert rows(place.site, "SELECT count(*) FROM work_item") == [("1",)]


def test_who_wants_an_answer_gets_it_in_its_own_queue_with_its_correlation_id(place: Place) -> None:
    place.taker.take(_arrival(letter(4, reply_to="amihub.out.mdms.normal")))

    (answer,) = place.answers()
    root = etree.fromstring(answer.body)
    assert root.tag == f"{{{ENVELOPE}}}ResponseMessage"
    assert root.findtext(f".//{{{ENVELOPE}}}Result") == "FAILED"
    assert "2006 READINGS_UNRESOLVED" in str(root.findtext(f".//{{{ENVELOPE}}}reason"))
    assert root.findtext(f".//{{{ENVELOPE}}}CorrelationID") == answer.correlation_id == uuid(4)
    assert answer.causation_id == uuid(4)


def test_an_answer_to_a_malformed_message_is_a_bare_fault_with_its_code(place: Place) -> None:
    place.taker.take(_arrival(letter(5, b"<not-cim/>", reply_to="mdms")))

    (answer,) = place.answers()
    assert etree.fromstring(answer.body).tag == f"{{{ENVELOPE}}}FaultMessage"
    assert answer.correlation_id == uuid(5)


def test_an_answer_goes_to_no_queue_that_is_not_the_partners(place: Place) -> None:
    place.taker.take(_arrival(letter(6, reply_to="amihub.out.mdms.normal"), "in.other"))

    assert rows(place.site, "SELECT source, code FROM message") == [("other", "1133 REPLY_ADDRESS_REFUSED")]
    assert [one.letters for one in place.queues.depths() if one.queue.startswith("amihub.out.")] == [0, 0, 0, 0]


def test_what_the_consumer_gives_up_stands_among_what_the_hub_has_parked(place: Place) -> None:
    poison = RejectedError("came back 3 times", code=codes.DELIVERED_TOO_OFTEN, where="in.mdms")

    place.taker.refuse(_arrival(letter(7), returns=3), poison)

    assert rows(place.site, "SELECT source, state, code FROM message") == [
        ("mdms", "parked", str(codes.DELIVERED_TOO_OFTEN))
    ]


def test_a_partners_answer_confirms_the_delivery_that_it_names_or_parks_it(place: Place) -> None:
    port, spool = place.hub.port("mdms_queue"), place.hub.spool
    readings = etree.tostring(next(etree.fromstring(event(1)).iter("{*}MeterReadings")))
    names = []
    for number in (1, 2):
        header = Header(f"up-{number}", "mdms", "created", "MeterReadings", created_at=NOW)
        parcel = port.encode(Message(header, Document("MeterReadings", readings)), spool=spool)
        names.append(parcel.confirm_name)
        with place.hub.transaction() as session:
            deliveries.enqueue(session, header=header, parcel=parcel, destination="mdms_queue", now=NOW)

    report = relay_once({"mdms_queue": port}, transaction=place.hub.transaction, spool=spool, now=NOW, machine_now=NOW)
    sent = rows(place.site, "SELECT state FROM delivery")
    place.taker.take(_arrival(letter(901, response(names[0]))))
    place.taker.take(_arrival(letter(902, response(names[1], result="FAILED", code="2.4").replace(b"990", b"991"))))

    assert (report.carried, report.sent, sent) == (2, 2, [("sent",), ("sent",)])
    assert rows(place.site, "SELECT state, code FROM delivery ORDER BY sequence") == [
        ("confirmed", ""),
        ("parked", "1115 PARTNER_REFUSED"),
    ]


def test_the_consumer_takes_what_lies_in_its_queues_and_stops_when_asked(place: Place) -> None:
    from concurrent.futures import ThreadPoolExecutor

    place.queues.publish("in.mdms", [letter(number) for number in range(20, 60)], timeout_s=20)
    stop = Event()

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(run_consumer, place.hub, stop)
        until(lambda: len(place.states()) == 40 and {state for *_, state in place.states()} == {"done"})
        stop.set()
        running.result(timeout=30)

    assert sum(one.letters or 0 for one in place.queues.depths()) == 0


def test_an_answer_to_nothing_that_was_sent_is_parked_and_is_work(place: Place) -> None:
    place.taker.take(_arrival(letter(903, response(uuid(77)))))

    assert rows(place.site, "SELECT state, code FROM message") == [("parked", "1114 CORRELATION_MISMATCH")]
    assert rows(place.site, "SELECT count(*) FROM work_item") == [("1",)]


def test_messages_that_nobody_reads_are_one_work_item_until_the_queue_is_empty(place: Place) -> None:
    expired = Letter(b"x", "gone", created_at=NOW, expires_at=NOW)
    place.queues.publish("out.mdms", [expired], timeout_s=10)
    seen, stop = Seen(), Event()
    threading.Timer(0.5, stop.set).start()
    place.queues.consume(["out.mdms"], seen.handle, refuse=seen.refuse, stop=stop)

    looks = [look(place.hub, place.queues) for _ in range(2)]
    told = rows(place.site, "SELECT code, key, state, seen FROM work_item")
    place.queues.drain("out.mdms", limit=9)
    last = look(place.hub, place.queues)

    assert seen.begun == []
    assert looks == [(1, 0), (0, 0)]
    assert told == [("1233 LETTERS_PARKED", "amihub.out.mdms.park", "OPEN", "1")]
    assert last == (0, 1)
    assert rows(place.site, "SELECT state FROM work_item") == [("RESOLVED",)]
