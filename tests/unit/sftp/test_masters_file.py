"""Masters files: what is written is read back as the same holdings, and what is wrong is said by code and line."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from held_worlds import EPOCH, holdings
from hypothesis import given, settings
from hypothesis import strategies as st

from canonical.errors import RejectedError
from canonical.holdings import FIELDS, Holding, Withdrawn, registers_of
from canonical.ids import meter_mrid
from canonical.messages import Item, Rejection
from canonical.serials import SerialPolicy
from sftp.formats import masters, topology
from sftp.layout import Form

HEADER: Mapping[str, Any] = {
    "file_id": "F1", "sender": "CIS", "receiver": "AMIHUB", "env": "TEST", "created": EPOCH,
    "business_date": date(2026, 11, 3), "zone": "America/New_York", "sequence": 4, "mode": "CHANGES",
    "watermark": EPOCH,
}  # fmt: skip
FULL = {**HEADER, "mode": "FULL"}
WITHDRAWN = st.builds(
    Withdrawn, st.sampled_from([kind for kind in FIELDS if kind != "bill_cycle_day"]), st.text("AB01-", min_size=1),
    st.just(EPOCH),
)  # fmt: skip


def whole(data: bytes, **settings: Any) -> list[Any]:
    return [one.payload if isinstance(one, Item) else one for one in masters.items(BytesIO(data), **settings)]


def lines(*texts: str, mode: str = "CHANGES") -> bytes:
    """Return a file of the given lines, by hand: counts and hash as docs/formats/masters.md says."""
    tags = [text.split("|")[0] for text in texts]
    hashed = sha256("".join(f"{text.split('|')[1]}\n" for text in texts).encode()).hexdigest()
    order = ("CUS", "ACC", "LOC", "UPT", "MTR", "REG", "INS", "AGR", "TOP", "CYC", "DEL")
    counts = "|".join(str(tags.count(tag)) for tag in order)
    head = "HDR|masters|1|F1|CIS|AMIHUB|TEST|2026-11-03T05:00:00Z|2026-11-03|America/New_York|4"
    return "\n".join([f"{head}|{mode}|2026-11-03T04:00:00Z", *texts, f"TRL|{counts}|{hashed}", ""]).encode()


def only(data: bytes, **settings: Any) -> Any:
    (found,) = whole(data, **settings)
    return found


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(holdings(), st.lists(WITHDRAWN, max_size=3, unique_by=lambda one: (one.kind, one.object_id)))
def test_what_is_written_is_read_back_the_same(held: list[Holding], gone: list[Withdrawn]) -> None:
    gone = [replace(one, object_id=f"U1/{one.object_id}") if one.kind == "installation" else one for one in gone]

    data = b"".join(masters.write(HEADER, [*held, *gone]))

    assert whole(data) == [*held, *gone]
    facts = masters.examine(BytesIO(data))
    assert (facts.items, facts.bad_items, facts.header["mode"]) == (len(held) + len(gone), 0, "CHANGES")
    assert b"".join(masters.write(HEADER, whole(data))) == data


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(holdings())
def test_fixed_width_says_the_same(held: list[Holding]) -> None:
    stripped = [replace(one, facts={name: text.strip() or "x" for name, text in one.facts.items()}) for one in held]
    named = [one for one in stripped if one.kind != "meter" or one.object_id == meter_mrid(
        one.facts["manufacturer"], one.facts["serial"])]  # fmt: skip

    assert whole(b"".join(masters.write(FULL, named, form="fixed"))) == named


@settings(max_examples=20, deadline=None)
@given(holdings(kinds=("topology",)), st.sampled_from(["delimited", "fixed"]))
def test_a_topology_file_is_read_back_the_same(held: list[Holding], form: Form) -> None:
    held = [replace(one, facts={name: text.strip() or "x" for name, text in one.facts.items()}) for one in held]

    data = b"".join(topology.write(FULL, held, form=form))

    assert [one.payload for one in topology.items(BytesIO(data)) if isinstance(one, Item)] == held
    assert topology.examine(BytesIO(data)).items == len(held)


def test_a_line_means_what_the_document_says() -> None:
    meter = meter_mrid("ACME", "a-1")
    data = lines(
        "UPT|U1|NMI1|America/New_York|ELECTRICITY|AMI|||L1|2026-01-01T00:00:00-05:00|",
        "MTR|ACME|a-1|ELECTRICITY|80.000|K3|||2026-01-01T05:00:00Z|2026-02-01T05:00:00Z",
        "REG|ACME|A-1|T2|0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.72.0|kWh|DELIVERED|6|1|OFF||N",
        "REG|ACME|a-1|T1|0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.72.0|kWh|DELIVERED|6|1|ON|15|Y",
        "INS|U1|ACME|a-1|2026-01-01T05:00:00Z|",
        "AGR|G1||U1||R1|||N|2026-01-01T05:00:00Z|",
        "CYC|07|2026-11-03|2026-10-01T00:00:00-04:00|2026-11-01T00:00:00-04:00",
        "DEL|INS|U1/ACME/a-1|2026-03-01T05:00:00Z",
        f"DEL|MTR|{meter}|2026-03-01T05:00:00Z",
    )
    begin = datetime(2026, 1, 1, 5, tzinfo=UTC)

    point, metered, installed, agreement, day, *gone = whole(data)

    assert point.facts == {
        "name": "NMI1", "zone": "America/New_York", "commodity": "ELECTRICITY", "read_source": "AMI", "location": "L1",
    }  # fmt: skip
    assert (point.object_id, point.valid_from, point.valid_to) == ("U1", begin, None)
    assert (metered.object_id, metered.facts["multiplier"], "firmware" in metered.facts) == (meter, "80", False)
    registers = registers_of(metered.facts["registers"])
    assert [(r.register, r.tou_bucket, r.interval_minutes, r.is_demand) for r in registers] == [
        ("T1", "ON", 15, True), ("T2", "OFF", 0, False),
    ]  # fmt: skip
    assert (installed.object_id, installed.facts["serial"]) == (f"U1/{meter}", "A-1")
    assert agreement.facts == {"usage_point": "U1", "tariff": "R1", "net_metering": "false"}
    assert (day.object_id, day.facts["period_start"]) == ("07/2026-11-03", "2026-10-01T04:00:00Z")
    assert gone == [
        Withdrawn("installation", f"U1/{meter}", datetime(2026, 3, 1, 5, tzinfo=UTC)),
        Withdrawn("meter", meter, datetime(2026, 3, 1, 5, tzinfo=UTC)),
    ]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("CUS|C1|||||2026-01-02T00:00:00Z|2026-01-01T00:00:00Z", "7011"),
        ("UPT|U1||Mars/Base||||||2026-01-02T00:00:00Z|", "7011"),
        ("MTR|ACME|1.2E+07||||||2026-01-02T00:00:00Z|", "2008"),
        ("MTR|ACME|123||||||2026-01-02T00:00:00Z|", "2008"),
        ("MTR|ACME|a1||0||||2026-01-02T00:00:00Z|", "7011"),
        ("MTR|ACME|a1||1,5||||2026-01-02T00:00:00Z|", "7017"),
        ("MTR|ACME|||||||2026-01-02T00:00:00Z|", "7012"),
        ("INS|U1|ACME|123|2026-01-02T00:00:00Z|", "2008"),
        ("INS|U1|ACME|a1|2026-01-02T00:00:00Z|2026-01-01T00:00:00Z", "7011"),
        ("CYC|07|2026-11-03|2026-11-01T00:00:00Z|2026-11-01T00:00:00Z", "7011"),
        ("TOP|U1||F1|2026-01-02T00:00:00Z|", "7012"),
        ("DEL|INS|U1|2026-01-02T00:00:00Z", "7011"),
        ("DEL|MTR|ACME/123|2026-01-02T00:00:00Z", "2008"),
        ("DEL|CYC|07|2026-01-02T00:00:00Z", "7021"),
        ("AGR|G1|2026-01-02T00:00:00Z|", "7010"),
    ],
)
def test_what_is_wrong_in_a_line_rejects_it_alone(line: str, code: str) -> None:
    good = "ACC|A1|C1|07|2026-01-01T00:00:00Z|"
    data = lines(line, good)
    policy = SerialPolicy({"ACME": 8})

    bad, taken = masters.items(BytesIO(data), serials=policy)

    assert isinstance(bad, Rejection)
    assert (bad.code[:4], bad.line, bad.raw) == (code, 2, line)
    assert isinstance(taken, Item)
    facts = masters.examine(BytesIO(data), serials=policy)
    assert (facts.items, facts.bad_items) == (2, 1)


def test_a_register_of_another_meter_rejects_the_meter() -> None:
    below = "REG|ACME|a2|T1|0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.72.0|kWh|DELIVERED|6|1||0|N"

    found = only(lines("MTR|ACME|a1||||||2026-01-02T00:00:00Z|", below))

    assert "register of ACME a2 below meter ACME a1" in found.reason


def test_a_version_that_stands_twice_is_taken_once_and_two_contents_of_one_not_at_all() -> None:
    twice = "CUS|C1||Ann|||2026-01-01T00:00:00Z|"
    other = "ACC|A1|C1|07|2026-01-01T00:00:00Z|"
    data = lines(twice, other, twice, other.replace("07", "08"))

    found = list(masters.items(BytesIO(data)))

    assert [one.code[:4] if isinstance(one, Rejection) else "" for one in found] == ["", "7025", "7024", "7025"]
    assert (masters.examine(BytesIO(data)).items, masters.examine(BytesIO(data)).bad_items) == (4, 2)


@pytest.mark.parametrize(
    ("texts", "mode"),
    [
        (("ACC|A1|C1|07|2026-01-01T00:00:00Z|", "CUS|C1|||||2026-01-01T00:00:00Z|"), "FULL"),
        (("DEL|CUS|C1|2026-01-01T00:00:00Z",), "FULL"),
        (("REG|ACME|a1|T1|0.0|kWh|NET|6|1||0|N",), "CHANGES"),
    ],
)
def test_records_out_of_order_refuse_the_file(texts: tuple[str, ...], mode: str) -> None:
    with pytest.raises(RejectedError, match="RECORD_OUT_OF_PLACE"):
        masters.examine(BytesIO(lines(*texts, mode=mode)))
    with pytest.raises(RejectedError, match="RECORD_OUT_OF_PLACE"):
        whole(lines(*texts, mode=mode))


def test_a_line_of_no_record_type_is_rejected_alone_in_a_whole_file_too() -> None:
    data = lines("ACC|A1|C1|07|2026-01-01T00:00:00Z|", "INS|U1|ACME|a1|2026-01-01T00:00:00Z|", mode="FULL")
    strange = data.replace(b"\nTRL", b"\nwhat is this\nTRL")

    assert [one.code[:4] for one in whole(strange) if isinstance(one, Rejection)] == ["7009"]


def test_changes_may_come_in_any_order() -> None:
    found = whole(lines("ACC|A1|C1|07|2026-01-01T00:00:00Z|", "CUS|C1|||||2026-01-01T00:00:00Z|"))

    assert [one.kind for one in found] == ["account", "customer"]


def test_a_file_that_was_cut_or_changed_is_refused() -> None:
    data = lines("ACC|A1|C1|07|2026-01-01T00:00:00Z|", "ACC|A2|C1|07|2026-01-01T00:00:00Z|")

    with pytest.raises(RejectedError, match="TRAILER_MISSING"):
        masters.examine(BytesIO(data[: data.index(b"TRL")]))
    with pytest.raises(RejectedError, match="TRAILER_MISMATCH"):
        masters.examine(BytesIO(data.replace(b"|A2|", b"|A3|")))


@pytest.mark.parametrize(
    ("held", "why"),
    [
        (Holding("installation", "U1/M1", EPOCH, None, {"usage_point": "U1", "meter": "M1"}), "no value"),
        (Holding("meter", "M1", EPOCH, None, {"manufacturer": "ACME", "serial": "1"}), "another meter"),
        (Holding("customer", "C1", EPOCH, None, {"name": "a|b"}), "break the line"),
        (Holding("agreement", "G1", EPOCH, None, {"net_metering": "perhaps"}), "no value"),
        (Holding("meter", meter_mrid("A", "1"), EPOCH, None, {"manufacturer": "A", "serial": "1", "multiplier": "x"}),
         "no value"),
        (Withdrawn("customer", "C1", EPOCH), "file of changes"),
    ],
)  # fmt: skip
def test_what_cannot_be_said_is_refused(held: Holding | Withdrawn, why: str) -> None:
    with pytest.raises(RejectedError, match=why):
        list(masters.write(FULL, [held]))


def test_a_full_file_says_first_what_others_depend_on_and_topology_says_nothing_else() -> None:
    account, customer = (Holding("account", "A1", EPOCH, None, {}), Holding("customer", "C1", EPOCH, None, {}))

    with pytest.raises(RejectedError, match="depend on"):
        list(masters.write(FULL, [account, customer]))
    with pytest.raises(RejectedError, match="no record"):
        list(topology.write(FULL, [customer]))


@pytest.mark.parametrize("prefix", ["MX", "TP"])
def test_a_name_says_sender_mode_and_number(prefix: str) -> None:
    identify = masters.identify if prefix == "MX" else topology.identify
    identity = identify(f"{prefix}_GIS1_AMIHUB_TEST_FULL_20261103_000007_r0.dat.gz")
    answer = identify(f"{prefix}_AMIHUB_GIS1_TEST_CHANGES_20261103_000007_r0.ack")

    assert (identity.kind, identity.sender, identity.run_type, identity.sequence) == ("masters", "GIS1", "FULL", 7)
    assert identity.stream == f"GIS1/{'masters' if prefix == 'MX' else 'topology'}/FULL"
    assert (answer.kind, answer.sender) == ("acknowledgement", "GIS1")
    with pytest.raises(RejectedError, match="UNKNOWN_NAME"):
        identify(f"{prefix}_GIS1_AMIHUB_TEST_HALF_20261103_000007_r0.dat")


GOLDEN = Path(__file__).resolve().parents[3] / "adapters" / "masters_flatfile" / "golden"
SAMPLES = sorted(path.read_bytes() for path in GOLDEN.glob("*/wire.dat"))
BYTES = st.sampled_from(
    [b"", b"|", b"\n", b"\x00", b"\xff", b"Z", b"9" * 30, b"2026-13-45T99:00:00Z", b"REG|", b"DEL|"]
)


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(SAMPLES), st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 6), BYTES), max_size=4))
def test_whatever_is_done_to_a_file_is_refused_or_accounted_for(
    wire: bytes, wounds: list[tuple[float, int, bytes]]
) -> None:
    for place, length, put in wounds:
        at = int(place * len(wire))
        wire = wire[:at] + put + wire[at + length :]
    try:
        facts = masters.examine(BytesIO(wire))
    except RejectedError as error:
        assert error.code.number.startswith("70")  # noqa: PT017
        return
    found = list(masters.items(BytesIO(wire)))

    bad = [one for one in found if isinstance(one, Rejection) and one.verdict == "REJECTED"]
    assert (facts.items, facts.bad_items) == (len(found), len(bad))
    assert facts.items == sum(facts.records.values()) - facts.records["REG"] - 2 + unknown(found)


def unknown(found: list[Any]) -> int:
    """Return how many items are lines of no record type: no count of the trailer holds them."""
    return sum(isinstance(one, Rejection) and one.raw.split("|")[0] not in RECORDS for one in found)


RECORDS = {record.tag for record in masters.layout().records}
