"""Bare messages as files on a real OpenSSH server: taken as on every other carrier, answered, refused, routed."""

import gzip
import io
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from message_files_by_hand import FilePlace, control, file_place, message, response, tamper, usage_point
from serve_by_hand import uuid
from served_cim import Mdms
from served_questions import question

from canonical.codes.configuration import STORE_AWAY
from canonical.errors import UnavailableError
from flows.end_device_events import WantedEvents, list_events
from services.inbound import take_again
from services.message_files import run_message_files, take_messages
from store.session import Session

pytestmark = pytest.mark.servers


@pytest.fixture
def place(tmp_path: Path) -> Iterator[FilePlace]:
    with file_place(tmp_path) as found:
        yield found


def zipped(data: bytes, *names: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in names:
            archive.writestr(name, data)
    return packed.getvalue()


def test_messages_of_any_noun_are_taken_answered_and_retired_however_they_are_packed(place: FilePlace) -> None:
    place.offer("a.xml", tamper(1))
    place.offer("b.xml.gz", gzip.compress(usage_point(2)))
    place.offer("c.xml.zip", zipped(tamper(3), "c.xml"))

    report = place.look()

    assert [(one.name, one.verdict, one.code) for one in report.taken] == [
        ("a.xml", "ACCEPTED", ""),
        ("b.xml.gz", "ACCEPTED", ""),
        ("c.xml.zip", "ACCEPTED", ""),
    ]
    kept = list_events(WantedEvents(), transaction=place.hub.transaction)
    assert [(row["kind"], row["source"], row["told"]) for row in kept] == [("TAMPER", "wams", 2)]
    assert place.names("inbound") == ["a.response.xml", "b.response.xml", "c.response.xml"]
    assert place.said("b.response.xml") == ("ResponseMessage", "OK", uuid(2))
    assert place.names("outbound") == []
    assert "a.xml" in place.names("outbound/archive")
    assert place.rows("SELECT source, message_id, state FROM message ORDER BY entry") == [
        ("wams", uuid(1), "done"),
        ("wams", uuid(2), "done"),
        ("wams", uuid(3), "done"),
    ]
    assert [path for path in place.hub.spool.rglob("*.xml*") if path.is_file()] == []


def test_what_cannot_be_taken_is_refused_by_the_codes_of_every_carrier_and_answered(place: FilePlace) -> None:
    place.offer("cut.xml", tamper(1)[:-30])
    place.offer("large.xml", tamper(2) + b" " * 30_000)
    place.offer("nobody.xml", message(3, "ComModuleConfig", f"<ComModule><mRID>{uuid(9)}</mRID></ComModule>"))
    place.offer("two.xml.zip", zipped(tamper(4), "a.xml", "b.xml"))

    report = place.look()

    codes = {one.name: one.code.partition(" ")[2] for one in report.taken}
    assert codes == {
        "cut.xml": "NOT_XML",
        "large.xml": "MESSAGE_TOO_LARGE",
        "nobody.xml": "NOT_SUPPORTED_HERE",
        "two.xml.zip": "WRAPPER_MEMBERS",
    }
    assert {one.verdict for one in report.taken} == {"REJECTED"}
    assert place.said("cut.response.xml")[:2] == ("FaultMessage", "FAILED")
    # What never became a message is answered by the acknowledgement of files.
    assert place.names("inbound") == ["cut.response.xml", "large.response.xml", "nobody.response.xml", "two.ack"]
    assert {"cut.xml", "two.xml.zip"} <= set(place.names("outbound/reject"))
    assert {state for (state,) in place.rows("SELECT state FROM message")} == {"parked"}
    assert {key for (key,) in place.rows("SELECT key FROM work_item")} == {"wams"}


def test_a_repeat_causes_nothing_and_gets_the_first_answer(place: FilePlace) -> None:
    place.offer("a.xml", tamper(1))
    place.look()
    place.offer("a.xml", tamper(1))
    place.offer("again.xml", tamper(1))
    place.offer("packed.xml.gz", gzip.compress(tamper(1)))
    place.offer("other.xml", tamper(1).replace(b"11:58", b"11:59"))

    report = place.look()

    assert {one.name: one.verdict for one in report.taken} == {
        "a.xml": "DUPLICATE",
        "again.xml": "DUPLICATE",
        "packed.xml.gz": "ACCEPTED",
        "other.xml": "REJECTED",
    }
    inbound = place.server.files / "inbound"
    first = (inbound / "a.response.xml").read_bytes()
    assert {(inbound / f"{name}.response.xml").read_bytes() for name in ("again", "packed")} == {first}
    assert [row["told"] for row in list_events(WantedEvents(), transaction=place.hub.transaction)] == [1]
    (reused,) = [one for one in report.taken if one.name == "other.xml"]
    assert reused.code.endswith("MSG_ID_REUSED")


def test_a_file_without_control_file_is_taken_when_it_is_whole_and_not_before(place: FilePlace) -> None:
    path = place.server.files / "outbound" / "grows.xml"
    path.write_bytes(tamper(1)[:200])
    looks = [place.look() for _ in range(3)]
    path.write_bytes(tamper(1))
    looks += [place.look() for _ in range(3)]

    assert [one.verdict for look in looks[:3] for one in look.taken] == []
    assert [one.verdict for look in looks[3:] for one in look.taken] == ["ACCEPTED"]
    assert place.said("grows.response.xml")[1] == "OK"


@pytest.mark.slow
def test_wherever_the_store_goes_away_a_message_has_one_effect_and_one_answer(place: FilePlace) -> None:
    whole, opened, cut = place.hub.transaction, 0, 0

    @contextmanager
    def leaky() -> Iterator[Session]:
        nonlocal opened
        opened += 1
        if opened == cut:
            raise UnavailableError("cut", code=STORE_AWAY)
        with whole() as session:
            yield session

    place.hub.__dict__["transaction"] = leaky
    done = 0
    while opened >= cut:
        opened, cut = 0, cut + 1
        place.offer(f"m{cut}.xml", tamper(cut))
        with suppress(UnavailableError):
            take_messages(place.hub, "wams")
        steps, opened = opened, -1_000_000
        place.look()
        done, opened = cut, steps

    assert done > 12
    assert place.rows("SELECT count(*) FROM delivery") == [(str(done),)]
    assert place.rows("SELECT DISTINCT state FROM message") == [("done",)]
    assert {place.said(f"m{number}.response.xml")[1] for number in range(1, done + 1)} == {"OK"}
    assert [row["told"] for row in list_events(WantedEvents(), transaction=whole)] == [done]
    assert place.names("outbound") == []


def test_a_question_for_readings_is_answered_by_them_and_its_repeat_asks_nobody_again(place: FilePlace) -> None:
    mdms = Mdms()
    place.hub._ports["mdms"] = mdms
    place.offer("ask.xml", question("up-1", number=1))
    place.look()
    place.offer("ask2.xml", question("up-1", number=1))
    place.look()

    inbound = place.server.files / "inbound"
    first = (inbound / "ask.response.xml").read_bytes()
    assert place.said("ask.response.xml")[1] == "OK"
    assert b"<value>7.250</value>" in first
    assert (inbound / "ask2.response.xml").read_bytes() == first
    assert len(mdms.asked) == 1


def test_a_routed_document_goes_out_as_a_file_and_the_partners_answer_confirms_it(tmp_path: Path) -> None:
    with file_place(tmp_path, confirms="reply") as place:
        place.offer("switch.xml", control(1))
        place.look()

        (laid,) = [name for name in place.names("inbound2") if name.endswith(".xml")]
        identity = laid.removesuffix(".xml").rpartition("_")[2]
        sent = place.rows("SELECT state FROM delivery WHERE destination = 'wams2'")
        place.offer("answer.xml", response(901, identity), box="outbound2")
        place.look("wams2")

        assert laid == f"create_EndDeviceControls_{identity}.xml"
        assert place.names("inbound2") == [laid.replace(".xml", ".ctl"), laid]
        assert b"3.31.0.23" in (place.server.files / "inbound2" / laid).read_bytes()
        assert sent == [("sent",)]
        assert place.rows("SELECT state FROM delivery WHERE destination = 'wams2'") == [("confirmed",)]


def test_a_refused_message_is_handled_again_by_the_same_receiver(place: FilePlace) -> None:
    place.offer("cut.xml", tamper(1)[:-30])
    place.offer("two.xml.zip", zipped(tamper(4), "a.xml", "b.xml"))
    place.look()
    entries = {name: int(entry) for name, entry in place.rows("SELECT name, entry FROM intake_file")}

    taken = take_again(place.hub, entries["cut.xml"], by="ann")
    rehearsed = take_again(place.hub, entries["two.xml.zip"], by="ann", dry_run=True)
    file = take_again(place.hub, entries["two.xml.zip"], by="ann")

    assert (taken.result, taken.code.partition(" ")[2]) == ("FAILED", "NOT_XML")
    assert (rehearsed.result, file.result) == ("REJECTED", "REJECTED")


def test_serve_looks_into_the_folders_until_it_is_asked_to_stop(place: FilePlace) -> None:
    stop = threading.Event()
    thread = threading.Thread(target=run_message_files, args=(place.hub, stop))
    thread.start()
    try:
        place.offer("late.xml", tamper(1))
        deadline = time.monotonic() + 15
        while place.names("outbound") and time.monotonic() < deadline:
            time.sleep(0.05)
    finally:
        stop.set()
        thread.join(timeout=15)

    assert place.rows("SELECT state FROM message") == [("done",)]
    assert not thread.is_alive()
