"""Control files and acknowledgements: written and read back unchanged, refused with a code otherwise."""

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canonical.billing import FileAcknowledgement, ItemVerdict
from canonical.codes import transport as codes
from canonical.errors import RejectedError
from canonical.messages import Manifest
from sftp.manifest import (
    MANIFEST_LIMIT,
    acknowledgement_from_json,
    acknowledgement_to_json,
    manifest_from_json,
    manifest_to_json,
)

WORDS = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\x00"), max_size=20)
COUNTS = st.integers(0, 2**63 - 1)
TOTALS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15, places=3)
HASHES = st.text("0123456789abcdef", min_size=64, max_size=64)
INSTANTS = st.datetimes(
    min_value=datetime(2000, 1, 1),  # noqa: DTZ001  # hypothesis adds the zone
    max_value=datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=-5))]),
)

MANIFESTS = st.builds(
    Manifest,
    name=WORDS,
    bytes=COUNTS,
    sha256=HASHES,
    records=st.dictionaries(WORDS, COUNTS, max_size=4),
    totals=st.dictionaries(WORDS, TOTALS, max_size=4),
    sequence=COUNTS,
    previous_sequence=st.none() | COUNTS,
    layout=WORDS,
    produced_at=WORDS,
    zone=WORDS,
)
VERDICTS = st.builds(
    ItemVerdict,
    key=WORDS,
    verdict=st.sampled_from(["ACCEPTED", "REJECTED", "DUPLICATE"]),
    code=WORDS,
    reason=WORDS,
    line=COUNTS,
)
ACKNOWLEDGEMENTS = st.builds(
    FileAcknowledgement,
    file_name=WORDS,
    sha256=HASHES,
    verdict=st.sampled_from(["ACCEPTED", "ACCEPTED_WITH_ERRORS", "REJECTED", "DUPLICATE"]),
    code=WORDS,
    reason=WORDS,
    items=st.lists(VERDICTS, max_size=4).map(tuple),
    at=INSTANTS,
)


@given(MANIFESTS)
def test_a_control_file_reads_back_as_it_was_written(manifest: Manifest) -> None:
    raw = manifest_to_json(manifest)

    back = manifest_from_json(raw, where="A.ctl")

    assert back == manifest
    assert manifest_to_json(back) == raw


@given(ACKNOWLEDGEMENTS)
def test_an_acknowledgement_reads_back_as_it_was_written(acknowledgement: FileAcknowledgement) -> None:
    raw = acknowledgement_to_json(acknowledgement)

    back = acknowledgement_from_json(raw, where="A.ack")

    assert back == acknowledgement
    assert acknowledgement_to_json(back) == raw


@given(st.binary(max_size=60) | st.recursive(st.none() | st.booleans() | st.floats() | WORDS, st.lists).map(json.dumps))
def test_whatever_comes_it_is_read_or_refused_with_a_code(raw: bytes | str) -> None:
    data = raw.encode() if isinstance(raw, str) else raw

    with pytest.raises(RejectedError) as control:
        manifest_from_json(data, where="A.ctl")
    with pytest.raises(RejectedError) as answer:
        acknowledgement_from_json(data, where="A.ack")

    assert control.value.code == codes.MANIFEST_UNREADABLE
    assert answer.value.code == codes.ACKNOWLEDGEMENT_UNREADABLE


GOOD = {"name": "A.dat", "bytes": 1, "sha256": "00", "sequence": 1, "records": {"HDR": 1}, "totals": {"KWH": "1.5"}}


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": None},
        {"bytes": "1"},
        {"bytes": -1},
        {"bytes": True},
        {"sequence": 1.0},
        {"sequence": 2**63},
        {"records": {"HDR": "1"}},
        {"records": [1]},
        {"totals": {"KWH": "one"}},
        {"totals": {"KWH": "NaN"}},
        {"totals": {"KWH": "1e999"}},
        {"totals": {"KWH": True}},
        {"zone": 5},
        {"zone": "\ud800"},
        {"name": "A\u0000"},
    ],
    ids=str,
)
def test_a_field_that_is_not_what_it_must_be_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(RejectedError):
        manifest_from_json(json.dumps(GOOD | wrong).encode(), where="A.ctl")


def test_totals_are_exact_however_they_are_written() -> None:
    raw = json.dumps(GOOD).replace('"1.5"', "50025845.774000004")

    assert manifest_from_json(raw.encode(), where="A.ctl").totals == {"KWH": Decimal("50025845.774000004")}


def test_a_huge_control_file_is_refused_unread() -> None:
    with pytest.raises(RejectedError, match="limit"):
        manifest_from_json(b" " * (MANIFEST_LIMIT + 1), where="A.ctl")


@pytest.mark.parametrize("at", ["yesterday", "2026-03-02T06:00:00", ""])
def test_an_acknowledgement_states_its_instant_with_offset(at: str) -> None:
    raw = json.dumps({"file": "A.dat", "verdict": "ACCEPTED", "at": at}).encode()

    with pytest.raises(RejectedError):
        acknowledgement_from_json(raw, where="A.ack")


def test_an_acknowledgement_with_only_what_matters_is_read() -> None:
    raw = b'{"file":"A.dat","verdict":"REJECTED","at":"2026-03-02T06:00:00Z","items":null}'

    assert acknowledgement_from_json(raw, where="A.ack") == FileAcknowledgement(
        "A.dat", "", "REJECTED", "", "", (), datetime(2026, 3, 2, 6, tzinfo=UTC)
    )
