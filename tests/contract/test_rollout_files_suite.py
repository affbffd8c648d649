"""What the ports of a rollout's files promise: shipment_file, contractor_file and route_file, asked alike."""

import gzip
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from adapters.registry import load, no_words_for
from canonical.billing import FileAcknowledgement
from canonical.errors import MisconfiguredError, RejectedError
from canonical.master_data import MasterData
from canonical.messages import Header, Item, Message
from canonical.rollout import FieldOrder, RouteExtract, RouteStop
from servers.openssh import private_sshd
from sftp.formats import field_orders, route
from sftp.manifest import acknowledgement_to_json

ADAPTERS = Path(__file__).resolve().parents[2] / "adapters"
SETTINGS: dict[str, Any] = {"host": "sftp.crew.example", "user": "amihub", "host_keys": ["ssh-ed25519 AAAA"]}
TOLD: dict[str, Any] = {"receiver": "CREWCO", "env": "TEST", "zone": "America/Toronto"}
AT = datetime(2026, 11, 3, 13, tzinfo=UTC)
FILES = {
    "shipment_file": ("SH_ACME_AMIHUB_TEST_20261102_000004_r0.dat", "two_lots_of_which_one_failed"),
    "contractor_file": ("CR_CREWCO_AMIHUB_TEST_20261102_000004_r0.dat", "done_unable_and_reversed"),
    "route_file": ("MR_WALK_AMIHUB_TEST_20261102_000004_r0.dat", "reads_and_a_skipped_meter"),
}
ORDER = FieldOrder(
    "O1", "W1", "create", "U1", "", "ELECTRICITY", date(2026, 11, 3), AT, AT, "m1", "BOREALIS", "OLD1", "SM-3"
)
EXTRACT = RouteExtract("R-7", date(2026, 11, 3), AT, 12, (RouteStop("U1", "", "m1", "BOREALIS", "OLD1", "R-7", 1, ()),))
SENT = {"contractor_file": (ORDER, field_orders, [ORDER]), "route_file": (EXTRACT, route, list(EXTRACT.stops))}

ORDERED = {"contractor_file": {"orders"}}


def port_of(adapter: str, **settings: Any) -> Any:
    return load(adapter, {**SETTINGS, **settings})


def message(payload: Any, message_id: str = "0123456789ab-m1") -> Message[Any]:
    return Message(Header(message_id, "AMIHUB", "create", "MeterServiceRequests"), payload)


def wire_of(adapter: str) -> bytes:
    return (ADAPTERS / adapter / "golden" / FILES[adapter][1] / "wire.dat").read_bytes()


@pytest.mark.parametrize("adapter", FILES)
def test_examining_counts_the_items_that_reading_yields(adapter: str) -> None:
    port, name, stream = port_of(adapter), FILES[adapter][0], BytesIO(wire_of(adapter))
    identity = port.identify(name)

    facts = port.examine(stream, identity=identity, where=name)
    stream.seek(0)
    found = list(port.items(stream, identity=identity, where=name))

    assert (facts.items, facts.bad_items) == (len(found), 0)
    assert all(isinstance(one, Item) for one in found)
    with pytest.raises(RejectedError, match="NAME_HEADER_DIFFER"):
        port.examine(BytesIO(wire_of(adapter)), identity=port.identify(name.replace("04_r", "05_r")), where=name)


@pytest.mark.parametrize("adapter", FILES)
def test_an_adapter_says_itself_what_of_a_rollout_it_has_no_words_for(adapter: str, tmp_path: Path) -> None:
    returned = MasterData("change", "MeterConfig", AT, ())

    with pytest.raises(RejectedError, match="UNWRITABLE_VALUE"):
        port_of(adapter, **TOLD).encode(message(returned), spool=tmp_path)
    assert no_words_for(adapter) == {"exchanges", "stock", "orders"} - ORDERED.get(adapter, set())


@pytest.mark.parametrize("adapter", SENT)
@pytest.mark.parametrize("settings", [{}, {"format": "delimited", "wrap": "gz"}])
def test_what_is_told_is_a_file_of_the_same_bytes_each_time(
    adapter: str, settings: Mapping[str, Any], tmp_path: Path
) -> None:
    payload, kind, meant = SENT[adapter]
    places = [tmp_path / "a", tmp_path / "b"]
    parcels = [port_of(adapter, **TOLD, **settings).encode(message(payload), spool=place) for place in places]

    contents = [(place / parcel.path).read_bytes() for place, parcel in zip(places, parcels, strict=True)]
    plain = gzip.decompress(contents[0]) if settings else contents[0]
    control = json.loads((places[0] / parcels[0].path).with_name(f"{parcels[0].name.split('.')[0]}.ctl").read_text())

    assert parcels[0] == parcels[1]
    assert contents[0] == contents[1]
    assert parcels[0].confirm_name == parcels[0].name == control["name"]
    assert [one.payload for one in kind.items(BytesIO(plain))] == meant


def test_orders_of_one_message_go_as_one_file(tmp_path: Path) -> None:
    other = FieldOrder("O2", "W1", "cancel", "U2", "", "GAS", date(2026, 11, 2), AT, AT, "")

    parcel = port_of("contractor_file", **TOLD).encode(message((ORDER, other)), spool=tmp_path)

    assert parcel.name == "FO_AMIHUB_CREWCO_TEST_20261102_0123456789ab.dat"


@pytest.mark.parametrize("adapter", FILES)
def test_files_of_theirs_are_acknowledged_and_anything_else_is_refused(adapter: str, tmp_path: Path) -> None:
    name = FILES[adapter][0]
    parcel = port_of(adapter).encode(message(FileAcknowledgement(name, "", "ACCEPTED", "", "", (), AT)), spool=tmp_path)

    assert parcel.name == name.replace(".dat", ".ack")
    with pytest.raises(RejectedError, match="UNWRITABLE_VALUE"):
        port_of(adapter, **TOLD).encode(message("a text"), spool=tmp_path)


@pytest.mark.parametrize("adapter", SENT)
def test_what_they_say_of_our_file_is_one_item_and_a_partner_without_a_code_is_told_nothing(
    adapter: str, tmp_path: Path
) -> None:
    port = port_of(adapter, **TOLD)
    parcel = port.encode(message(SENT[adapter][0]), spool=tmp_path)
    answer = acknowledgement_to_json(FileAcknowledgement(parcel.name, "", "ACCEPTED", "", "", (), AT))
    identity = port.identify(parcel.name.replace(".dat", ".ack"))

    (item,) = port.items(BytesIO(answer), identity=identity, where="ack")

    assert (identity.kind, identity.sender, item.payload.file_name) == ("acknowledgement", "CREWCO", parcel.name)
    assert port.examine(BytesIO(answer), identity=identity, where="ack").items == 1
    with pytest.raises(MisconfiguredError, match="receiver"):
        port_of(adapter).encode(message(SENT[adapter][0]), spool=tmp_path)


@pytest.mark.parametrize("adapter", FILES)
@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"format": "wide"}, "format"), ({"wrap": "rar"}, "wrap"), ({"zone": "Mars"}, "zone"),
        ({"receiver": "W_A"}, "receiver"), ({"hots": "x"}, "hots"), ({"host": ""}, "host"),
        ({"serial_digits": {"ACME": "8"}}, "serial_digits"),
    ],
)  # fmt: skip
def test_a_setting_that_cannot_be_used_is_named(adapter: str, settings: Mapping[str, Any], named: str) -> None:
    with pytest.raises(MisconfiguredError, match=named):
        port_of(adapter, **settings)


def test_what_a_crash_left_before_it_was_looked_at_is_withheld_by_the_next_look(tmp_path: Path) -> None:
    key = bytes(range(40, 56)).hex()
    (tmp_path / "clear.dat").write_bytes(b"MTR|" + key.encode() + b"|")
    (tmp_path / "good.dat").write_bytes(wire_of("shipment_file"))
    (tmp_path / ".cut.dat.part").write_bytes(b"under way")
    port = port_of("shipment_file")

    port.fetch([], tmp_path)

    assert key.encode() not in (tmp_path / "clear.dat").read_bytes()
    assert (tmp_path / "good.dat").read_bytes() == wire_of("shipment_file")
    assert (tmp_path / ".cut.dat.part").read_bytes() == b"under way"


@pytest.mark.servers
def test_a_shipment_with_a_key_in_clear_leaves_no_byte_of_it_here(tmp_path: Path) -> None:
    key, name = bytes(range(40, 56)).hex(), FILES["shipment_file"][0]
    clear = wire_of("shipment_file").replace(b"vault:lot-17/00017001", key.encode())
    with private_sshd() as server:
        (server.files / "outbound").mkdir()
        (server.files / "outbound" / f"{name}.gz").write_bytes(gzip.compress(clear, mtime=0))
        (server.files / "outbound" / name.replace("000004", "000005")).write_bytes(wire_of("shipment_file"))
        cut = gzip.compress(clear, mtime=0)[:-9]
        (server.files / "outbound" / f"{name.replace('000004', '000006')}.gz").write_bytes(cut)
        port = port_of(
            "shipment_file", host="127.0.0.1", port=server.port, user=server.user,
            private_key=str(server.private_key), host_keys=list(server.host_keys), outbox=f"{server.home}/outbound",
        )  # fmt: skip

        refused, good, damaged = list(port.fetch(port.offered(), tmp_path / "in"))

    left = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and path != good.path)
    assert refused.refusal is not None
    assert refused.refusal.code.name == "KEY_IN_CLEAR"
    assert key not in refused.refusal.reason
    assert (good.refusal, good.path.read_bytes()) == (None, wire_of("shipment_file"))
    assert damaged.refusal is not None
    assert key.encode() not in left
    assert gzip.compress(clear, mtime=0)[20:60] not in left
