"""A partner whose messages are files: what names and contents say, what is laid down for it, what is refused."""

import gzip
import json
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from message_files_by_hand import tamper

from adapters.partner_files.adapter import FilePartner, build
from adapters.partner_files.translate import file_from_message
from adapters.registry import load
from canonical.billing import FileAcknowledgement
from canonical.codes.configuration import BAD_ADAPTER_SETTINGS
from canonical.codes.file import UNKNOWN_NAME
from canonical.codes.message import EXPORT_IMPOSSIBLE
from canonical.codes.transport import KIND_NOT_HANDLED
from canonical.documents import Document, FileAnswer
from canonical.errors import MisconfiguredError, RejectedError
from canonical.messages import FileIdentity, Header, Message
from iec61968.canonical_nouns.bare_message import message_from_bare
from iec61968.editions import EDITIONS

SETTINGS: dict[str, object] = {"host": "sftp.example", "user": "amihub", "host_keys": ["ssh-ed25519 AAAA"]}
WHO = FileIdentity("message", "")
NOW = datetime(2026, 3, 2, 6, tzinfo=UTC)
CONTROLS = (
    b'<EndDeviceControls xmlns="http://iec.ch/TC57/2011/EndDeviceControls#"><EndDeviceControl>'
    b"<mRID>2203895b-6c6a-505a-983b-ba830ca95c61</mRID>"
    b'<EndDeviceControlType ref="3.31.0.23"/></EndDeviceControl></EndDeviceControls>'
)


@pytest.fixture
def port() -> FilePartner:
    return build(SETTINGS)


def told(message_id: str = "m-1") -> Message[Document]:
    header = Header(message_id, "wams", "create", "EndDeviceControls", created_at=NOW, causation_id="c-1")
    return Message(header, Document("EndDeviceControls", CONTROLS))


@pytest.mark.parametrize("name", ["a.xml", "a.xml.gz", "a.xml.zip", "a.xml.gz.pgp"])
def test_a_name_says_that_the_file_is_one_message_however_it_is_packed(port: FilePartner, name: str) -> None:
    assert port.identify(name) == WHO


@pytest.mark.parametrize("name", ["a.csv", "a.xml.exe", "a b.xml", ".xml"])
def test_a_name_that_follows_no_pattern_is_refused(port: FilePartner, name: str) -> None:
    with pytest.raises(RejectedError) as caught:
        port.identify(name)

    assert caught.value.code == UNKNOWN_NAME


def test_a_whole_message_is_one_item_whatever_it_says(port: FilePartner) -> None:
    facts = port.examine(BytesIO(tamper(1)), identity=WHO, where="a.xml")

    assert (facts.items, facts.bad_items, facts.records) == (1, 0, {"Message": 1})


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (tamper(1)[:-9], "NOT_XML"),
        (b"", "NOT_XML"),
        (b"<a>", "NOT_XML"),
        (b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>', "DTD_REFUSED"),
        ("<a/>".encode("utf-16"), "UNSUPPORTED_ENCODING"),
    ],
    ids=["cut", "empty", "begun", "entity", "encoding"],
)
def test_what_is_not_whole_xml_may_still_grow_and_is_said_so_by_code(port: FilePartner, raw: bytes, code: str) -> None:
    with pytest.raises(RejectedError) as caught:
        port.examine(BytesIO(raw), identity=WHO, where="a.xml")

    assert caught.value.code.name == code


def test_a_message_is_never_taken_apart(port: FilePartner) -> None:
    with pytest.raises(RejectedError) as caught:
        port.items(BytesIO(tamper(1)), identity=WHO, where="a.xml")

    assert caught.value.code == KIND_NOT_HANDLED


def test_a_document_lies_in_the_spool_with_its_control_file_and_the_same_message_gives_the_same_bytes(
    tmp_path: Path,
) -> None:
    port = load("partner_files", {**SETTINGS, "packed": True, "form": "as_sent"})

    parcel, again = (port.encode(told(), spool=tmp_path) for _ in range(2))

    data = (tmp_path / parcel.path).read_bytes()
    control = json.loads((tmp_path / parcel.path.replace(".xml.gz", ".ctl")).read_text())
    assert parcel == again
    assert parcel.name == f"create_EndDeviceControls_{parcel.confirm_name}.xml.gz"
    assert (control["name"], control["bytes"], control["sha256"]) == (parcel.name, len(data), parcel.sha256)
    assert message_from_bare(gzip.decompress(data), source="AMIHUB").payload.body == CONTROLS


def test_two_partners_who_are_told_the_same_have_files_of_their_own(tmp_path: Path) -> None:
    parcels = [build({**SETTINGS, "inbox": box}).encode(told(), spool=tmp_path) for box in ("one", "two")]

    assert parcels[0].name == parcels[1].name
    assert parcels[0].path != parcels[1].path


def test_answers_bear_the_stem_of_the_file_that_they_answer(port: FilePartner, tmp_path: Path) -> None:
    header = Header("m-1", "AMIHUB", "reply", "FileAcknowledgement")
    refused = FileAcknowledgement("b.xml.zip", "0" * 64, "REJECTED", "7001 X", "two members", (), NOW)

    answer = port.encode(Message(header, FileAnswer("a.xml.gz", b"<x/>")), spool=tmp_path)
    acknowledgement = port.encode(Message(header, refused), spool=tmp_path)

    assert (answer.name, answer.body, answer.path) == ("a.response.xml", b"<x/>", "")
    assert (acknowledgement.name, json.loads(acknowledgement.body or b"")["verdict"]) == ("b.ack", "REJECTED")


@given(st.text(min_size=1, max_size=40), st.sampled_from(["create", "change", "cancel"]), st.booleans())
def test_what_is_written_into_a_file_is_read_back_as_it_was(message_id: str, verb: str, high: bool) -> None:
    header = Header(
        message_id,
        "wams",
        verb,
        "EndDeviceControls",
        created_at=NOW,
        expires_at=NOW,
        priority="high" if high else "normal",
    )
    message = Message(header, Document("EndDeviceControls", CONTROLS))

    identity, name, body = file_from_message(message, edition=EDITIONS["2011"], sender="AMIHUB", form="as_sent")
    read = message_from_bare(body, source="AMIHUB")

    assert name == f"{verb}_EndDeviceControls_{identity}.xml"
    assert (read.header.message_id, read.header.correlation_id) == (identity, identity)
    assert (read.header.verb, read.header.priority, read.header.expires_at) == (verb, header.priority, NOW)
    assert read.payload == message.payload


def test_what_has_no_noun_cannot_be_said(port: FilePartner, tmp_path: Path) -> None:
    with pytest.raises(RejectedError) as caught:
        port.encode(Message(Header("m-1", "wams", "create", "Nothing"), 7), spool=tmp_path)

    assert caught.value.code == EXPORT_IMPOSSIBLE


@pytest.mark.parametrize(
    "wrong",
    [{"edition": "2099"}, {"form": "loud"}, {"confirms": "never"}, {"packed": "yes"}, {"names": "("}],
    ids=lambda wrong: next(iter(wrong)),
)
def test_a_setting_without_meaning_is_named(wrong: dict[str, object]) -> None:
    with pytest.raises(MisconfiguredError) as caught:
        build({**SETTINGS, **wrong})

    assert caught.value.code == BAD_ADAPTER_SETTINGS
    assert next(iter(wrong)) in caught.value.reason
