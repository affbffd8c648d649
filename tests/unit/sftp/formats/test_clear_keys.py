"""A key in clear is seen wherever it stands, however it is spelled; wrapped keys and references are none."""

from base64 import b64encode
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sftp.formats import shipment
from sftp.formats.clear_keys import line_with_key_in_clear
from sftp.layout_lines import CHUNK

KEY = bytes(range(16, 48))
HEAD = "HDR|shipment|1|F1|ACME|AMIHUB|TEST|2026-11-02T00:00:00Z|2026-11-02|UTC|4|S-1|ACME|2026-11-02T00:00:00Z|\n"


def meter(reference: str = "", wrapped: str = "", by: str = "", firmware: str = "1.2") -> str:
    return f"MTR|ACME|0007|ELECTRICITY|M|{firmware}|C|1|L1|PASS||M7|PLC|{reference}|{wrapped}|{by}\n"


def looked_at(text: str | bytes) -> int:
    return line_with_key_in_clear(BytesIO(text if isinstance(text, bytes) else text.encode()), shipment.layout())


def wrapped(length: int) -> str:
    return b64encode(bytes(range(length))).decode()


@pytest.mark.parametrize(
    "line",
    [
        meter(reference=KEY[:16].hex()), meter(wrapped=KEY[:16].hex(), by="kek-1"), meter(firmware=KEY[:24].hex()),
        meter(wrapped=KEY.hex().upper(), by="kek-1"), meter(firmware=f"key={KEY[:16].hex()}"),
        meter(firmware=f"0x{KEY[:16].hex()}"), meter(firmware=KEY[:16].hex(" ")), meter(firmware=KEY.hex(":")),
        meter(reference=b64encode(KEY[:16]).decode()), meter(firmware=b64encode(KEY).decode()),
        meter(wrapped=wrapped(40)), meter(wrapped=wrapped(16), by="kek-1"), meter(wrapped="not base64!", by="kek-1"),
        meter(reference="AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"), f"XYZ|{KEY[:16].hex()}\n", KEY[:16].hex(),
        meter() [:-1] + f"|{KEY[:16].hex()}\n",
    ],
)  # fmt: skip
def test_a_key_in_clear_is_seen_with_its_line(line: str) -> None:
    assert looked_at(HEAD + meter() + line) == 3


@pytest.mark.parametrize(
    "line",
    [
        meter(), meter(reference="vault:lot-17/0001"), meter(wrapped=wrapped(24), by="kek-1"),
        meter(reference="urn:uuid:6f5ad1a8-0c4c-5d0e-9f0e-2f3a54f0c9d1"), meter(wrapped=wrapped(40), by="kek-1"),
        meter(reference="hsm:slot1/keys#7", firmware="2026.11.1-abcdef0"), meter(firmware="1" * 31),
    ],
)  # fmt: skip
def test_wrapped_keys_and_references_are_none(line: str) -> None:
    assert looked_at(HEAD + line) == 0


@settings(max_examples=60, deadline=None)
@given(st.binary(min_size=16, max_size=56).map(lambda one: b64encode(b"\xff" + one + bytes(7)).decode()))
def test_no_wrapped_key_is_taken_for_one_in_clear(blob: str) -> None:
    assert looked_at(HEAD + meter(wrapped=blob, by="kek-1")) == 0


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([16, 24, 32]).flatmap(lambda n: st.binary(min_size=n, max_size=n)), st.booleans())
def test_every_key_in_hexadecimal_is_seen(key: bytes, upper: bool) -> None:
    text = key.hex().upper() if upper else key.hex()

    assert looked_at(HEAD + meter(reference=text)) == 2


def test_a_key_is_seen_in_two_byte_letters_and_behind_lines_without_end() -> None:
    line = (HEAD + meter(reference=KEY[:16].hex())).encode("utf-16-le")
    endless = b"x" * (CHUNK - 20) + b"|" + KEY[:16].hex().encode() + b"|" + b"x" * CHUNK

    assert looked_at(line) > 0
    assert looked_at(endless) > 0


def test_a_long_run_of_digits_across_the_edge_of_a_block_is_no_key() -> None:
    assert looked_at(b"x|" + b"a" * (CHUNK + 500) + b"|") == 0
