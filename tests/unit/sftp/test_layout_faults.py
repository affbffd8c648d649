"""What breaks a file by layout: each fault has its code, its line and its byte; structure refuses the whole file."""

import io
from datetime import UTC, date, datetime
from hashlib import sha256

import pytest

from canonical.errors import RejectedError
from canonical.messages import Item, Rejection
from sftp.formats import billing_request

HEAD = (
    "HDR|billing_request|1|F|CIS|AMIHUB|TEST|2026-11-01T00:00:00-04:00|2026-11-01|America/Toronto|1|ON|07"
)  # fmt: skip


def line(n: int) -> str:
    return f"REQ|R{n}|CYCLE|WATER|up{n}||||| 2026-10-01T00:00:00-04:00|2026-11-01T00:00:00-04:00||".replace("| ", "|")


def file(lines: list[str], *, head: str = HEAD, count: int | None = None) -> bytes:
    ids = [each.split("|")[1] for each in lines if each.startswith("REQ|")]
    digest = sha256("".join(f"{each}\n" for each in ids).encode()).hexdigest()
    return "\n".join([head, *lines, f"TRL|{len(ids) if count is None else count}|0|{digest}", ""]).encode()


def refusal(wire: bytes) -> RejectedError:
    with pytest.raises(RejectedError) as caught:
        list(billing_request.items(io.BytesIO(wire), where="F"))
    with pytest.raises(RejectedError):
        billing_request.examine(io.BytesIO(wire), where="F")
    return caught.value


BAD_LINES = {
    "FIELD_COUNT": line(2) + "|",
    "FIELD_MISSING": line(2).replace("WATER", ""),
    "UNKNOWN_VALUE": line(2).replace("WATER", "STEAM"),
    "QUOTED_FIELD": line(2).replace("|up2|", '|"up|2"|'),
    "CONTROL_CHARACTER": line(2).replace("up2", "u\tp2"),
    "CARRIAGE_RETURN": line(2) + "\r",
}


@pytest.mark.parametrize("name", BAD_LINES)
def test_a_bad_line_is_rejected_alone_with_its_own_code(name: str) -> None:
    wire = file([line(1), BAD_LINES[name], line(3)])

    found = list(billing_request.items(io.BytesIO(wire)))

    assert [each.key for each in found if isinstance(each, Item)] == ["R1", "R3"]
    (rejection,) = [each for each in found if isinstance(each, Rejection)]
    assert (rejection.line, rejection.key, rejection.code[5:]) == (3, "R2", name)
    facts = billing_request.examine(io.BytesIO(wire))
    assert (facts.items, facts.bad_items) == (3, 1)


def test_bytes_that_are_no_utf_8_reject_their_line_with_its_offset() -> None:
    wire = file([line(1), line(2).replace("up2", "upX"), line(3)]).replace(b"upX", b"up\xff")

    (rejection,) = [each for each in billing_request.items(io.BytesIO(wire)) if isinstance(each, Rejection)]

    assert rejection.code == "7013 BAD_ENCODING"
    assert wire[rejection.byte_offset :].startswith(b"REQ|R2|")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("1,5", "DECIMAL_COMMA"), ("1,234.5", "THOUSANDS_SEPARATOR"), ("12,345,678", "THOUSANDS_SEPARATOR"),
        ("1.5E+3", "EXPONENT"), ("", "FIELD_MISSING"), ("NaN", "BAD_FIELD"), ("1.2345678", "BAD_FIELD"), ("0", ""),
    ],
)  # fmt: skip
def test_each_wrong_way_to_write_a_number_has_its_code_and_zero_is_a_value(text: str, name: str) -> None:
    from sftp.formats import billed
    from sftp.layout_read import compiled
    from sftp.layout_record import Fault

    row = f"BIL|d|1|b|2026-10-01T00:00:00-04:00|2026-11-01T00:00:00-04:00|{text}|kWh|BILLED|2026-11-02T00:00:00Z"
    values = compiled(billed.layout()).records["BIL"].read(row)

    assert (values.code.name if isinstance(values, Fault) else "") == name


def test_a_day_that_does_not_exist_is_rejected_and_not_an_accident() -> None:
    wire = file([line(1).replace("2026-10-01", "2026-02-31")])

    (found,) = billing_request.items(io.BytesIO(wire))

    assert isinstance(found, Rejection)
    assert found.code == "7011 BAD_FIELD"


GOOD = [line(1), line(2)]


@pytest.mark.parametrize(
    ("name", "wire"),
    [
        ("HEADER_MISSING", b""),
        ("HEADER_MISSING", b"\n".join(file(GOOD).split(b"\n")[1:])),
        ("TRAILER_MISSING", b"\n".join(file(GOOD).split(b"\n")[:-2])),
        ("TRAILER_MISSING", b"\n".join(file(GOOD).split(b"\n")[:-2]) + b"\n"),
        ("TRAILER_MISMATCH", file(GOOD, count=3)),
        ("TRAILER_MISMATCH", file(GOOD).replace(b"|R2|", b"|R3|")),
        ("DATA_AFTER_TRAILER", file(GOOD) + b"\n"),
        ("DATA_AFTER_TRAILER", file(GOOD) + file(GOOD)),
        ("UNKNOWN_LAYOUT", file(GOOD, head=HEAD.replace("|1|F|", "|2|F|"))),
        ("UNKNOWN_LAYOUT", file(GOOD, head=HEAD.replace("billing_request", "billing_wish"))),
        ("RECORD_OUT_OF_PLACE", file([line(1), HEAD, line(2)])),
        ("BYTE_ORDER_MARK", b"\xef\xbb\xbf" + file(GOOD)),
        ("CARRIAGE_RETURN", file(GOOD).replace(b"\n", b"\r\n")),
        ("BAD_FIELD", file(GOOD, head=HEAD.replace("America/Toronto", "America/Nowhere"))),
        ("BAD_ENCODING", "\n".join([HEAD, *GOOD]).encode("cp500")),
    ],
)
def test_what_makes_a_whole_file_doubtful_refuses_it_whole(name: str, wire: bytes) -> None:
    error = refusal(wire)

    assert error.code.name == name
    assert error.where.startswith("F")


def test_a_line_without_end_is_refused_in_bounded_memory() -> None:
    error = refusal(HEAD.encode() + b"\n" + b"x" * 2_000_000)

    assert error.code.name in ("TRAILER_MISSING", "LINE_TOO_LONG")


def test_an_empty_cycle_is_a_valid_file() -> None:
    facts = billing_request.examine(io.BytesIO(file([])))

    assert (facts.items, facts.bad_items, facts.records["REQ"]) == (0, 0, 0)


def test_one_bad_line_in_many_blocks_of_lines_is_named_with_its_line_and_byte() -> None:
    lines = [line(n) for n in range(9_000)]
    lines[7_654] = lines[7_654].replace("WATER", "WÄSSER")
    wire = file(lines)

    found = list(billing_request.items(io.BytesIO(wire)))

    (rejection,) = [each for each in found if isinstance(each, Rejection)]
    assert len(found) == 9_000
    assert rejection.line == 7_656
    assert wire[rejection.byte_offset :].startswith("WÄSSER".encode())


def test_header_values_are_given_as_text_by_name() -> None:
    facts = billing_request.examine(io.BytesIO(file(GOOD)))

    assert date.fromisoformat(facts.header["business_date"]) == date(2026, 11, 1)
    assert datetime.fromisoformat(facts.header["created"]).astimezone(UTC) == datetime(2026, 11, 1, 4, tzinfo=UTC)
