"""Packed payloads are unpacked within limits; what was made to do harm is refused by its code."""

import base64
import binascii
import gzip
from pathlib import Path

import pytest
from inspected_messages import ENVELOPE, FAMILY, IDS, READING, READINGS, event, inspected


@pytest.mark.parametrize("coding", ["base64", "uuencode"])
@pytest.mark.parametrize("form", ["<Format>XML</Format>", ""])
def test_a_compressed_payload_is_unpacked_and_its_objects_counted(coding: str, form: str, tmp_path: Path) -> None:
    inner = READINGS.replace(READING, READING * 3)
    packed = gzip.compress(inner.encode())
    if coding == "base64":
        text = base64.encodebytes(packed).decode()
    else:
        lines = [binascii.b2a_uu(packed[at : at + 45]).decode() for at in range(0, len(packed), 45)]
        text = f"begin 644 payload.gz\n{''.join(lines)}`\nend\n".replace("&", "&amp;").replace("<", "&lt;")

    said = inspected(tmp_path, event(f"<Compressed>{text}</Compressed>{form}"))

    assert (said["accepted"], said["objects"], said["channels"][0]["values"]) == (True, 3, 3), said["errors"]


def test_a_typed_message_may_have_its_payload_beside_an_empty_one_compressed(tmp_path: Path) -> None:
    packed = base64.b64encode(gzip.compress(READINGS.encode())).decode()
    typed = (
        f'<CreatedMeterReadings xmlns="{FAMILY}/MeterReadingsMessage" xmlns:b="{ENVELOPE}"><Header>'
        "<b:Verb>created</b:Verb><b:Noun>MeterReadings</b:Noun><b:Timestamp>2026-03-01T00:00:00Z</b:Timestamp>"
        + IDS.replace("<", "<b:").replace("<b:/", "</b:")
        + f'</Header><Payload><MeterReadings xmlns="{FAMILY}/MeterReadings#"/><Compressed>{packed}</Compressed>'
        "</Payload></CreatedMeterReadings>"
    )

    said = inspected(tmp_path, typed)

    assert (said["accepted"], said["objects"], said["tolerated"]) == (True, 1, [])


def test_what_is_packed_and_no_xml_has_no_objects_and_is_no_reason_to_refuse(tmp_path: Path) -> None:
    packed = base64.b64encode(gzip.compress(b"%PDF-1.7")).decode()

    said = inspected(tmp_path, event(f"<Compressed>{packed}</Compressed><Format>PDF</Format>"))

    assert (said["accepted"], said["objects"]) == (True, 0)


BOMB = base64.b64encode(gzip.compress(bytes(80 << 20))).decode()
BAD_PACKED = {
    "bomb": (BOMB, "1130 COMPRESSED_REFUSED"),
    "not base64": ("!!!!", "1130 COMPRESSED_REFUSED"),
    "cut": (base64.b64encode(gzip.compress(READINGS.encode())[:-6]).decode(), "1130 COMPRESSED_REFUSED"),
    "a document type within": (
        base64.b64encode(gzip.compress(b"<!DOCTYPE a []><a/>")).decode(),
        "1102 DTD_REFUSED",
    ),
    "not a message": (base64.b64encode(gzip.compress(b"<a")).decode(), "1101 NOT_XML"),
}


@pytest.mark.parametrize("case", BAD_PACKED)
def test_a_compressed_payload_made_to_do_harm_is_refused_by_code(case: str, tmp_path: Path) -> None:
    text, code = BAD_PACKED[case]

    said = inspected(tmp_path, event(f"<Compressed>{text}</Compressed>"))

    assert (said["accepted"], [error["code"] for error in said["errors"]]) == (False, [code])


def test_two_compressed_payloads_are_one_too_many(tmp_path: Path) -> None:
    packed = base64.b64encode(gzip.compress(READINGS.encode())).decode()

    said = inspected(tmp_path, event(f"<Compressed>{packed}</Compressed>" * 2))

    assert [error["code"] for error in said["errors"]] == ["1130 COMPRESSED_REFUSED"]
