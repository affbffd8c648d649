"""What every port of masters as files promises, asked of masters_flatfile, gis_flatfile and all that read MX files."""

import gzip
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from adapters.registry import load
from canonical.billing import FileAcknowledgement, ItemVerdict
from canonical.errors import MisconfiguredError, RejectedError
from canonical.holdings import HeldChanges, Holding, Withdrawn
from canonical.messages import Header, Item, Message, Parcel
from servers.openssh import private_sshd
from sftp.formats import masters
from sftp.manifest import acknowledgement_to_json

ADAPTERS = Path(__file__).resolve().parents[2] / "adapters"
SETTINGS: dict[str, Any] = {"host": "sftp.wams.example", "user": "amihub", "host_keys": ["ssh-ed25519 AAAA"]}
TOLD: dict[str, Any] = {"receiver": "WAMS", "env": "TEST", "zone": "America/Toronto"}
FULL = "MX_CISMASS_AMIHUB_TEST_FULL_20261103_000001_r0.dat"
AT = datetime(2026, 11, 3, 3, tzinfo=UTC)
HELD = [
    Holding("account", "A-1", AT, None, {"customer": "C-1", "cycle": "07"}),
    Holding("customer", "C-1", AT, None, {"name": "Ada Sample"}),
    Withdrawn("agreement", "G-9", AT),
]
READERS = {"masters_flatfile": {}, "cis_flatfile": {}, "mdms_nem": {"zone": "Etc/GMT+5"}}
"""Adapters that read MX files, with the settings that they need beside those of the folders."""


def port_of(adapter: str = "masters_flatfile", **settings: Any) -> Any:
    return load(adapter, {**SETTINGS, **settings})


def message(payload: Any, message_id: str = "m1") -> Message[Any]:
    return Message(Header(message_id, "AMIHUB", "changed", "Masters"), payload)


def told(mode: Any = "CHANGES", held: Any = HELD) -> HeldChanges:
    return HeldChanges(mode, AT, held, 12)


ACK = FileAcknowledgement(FULL, "ab" * 32, "ACCEPTED", "", "", (), AT)


def golden(adapter: str, case: str) -> bytes:
    return (ADAPTERS / adapter / "golden" / case / "wire.dat").read_bytes()


@pytest.mark.parametrize("settings", [{}, {"format": "fixed"}, {"wrap": "gz"}])
def test_the_same_holdings_give_the_same_parcel_and_bytes(tmp_path: Path, settings: Mapping[str, Any]) -> None:
    parcels: list[Parcel] = []
    contents: list[bytes] = []
    for place in (tmp_path / "a", tmp_path / "b"):
        place.mkdir()
        parcels.append(port_of(**TOLD, **settings).encode(message(told(held=iter(HELD))), spool=place))
        contents.append((place / parcels[-1].path).read_bytes())

    assert parcels[0] == parcels[1]
    assert contents[0] == contents[1]
    assert (parcels[0].size, parcels[0].sha256) == (len(contents[0]), sha256(contents[0]).hexdigest())
    assert parcels[0].confirm_name == parcels[0].name


def test_a_file_is_named_by_mode_and_number_and_its_control_file_states_what_it_holds(tmp_path: Path) -> None:
    parcel = port_of(**TOLD, wrap="gz").encode(message(told()), spool=tmp_path)

    control = json.loads((tmp_path / parcel.path).with_name(parcel.name[:-7] + ".ctl").read_text())
    # Three in the morning UTC is the evening before in Toronto.
    assert parcel.name == "MX_AMIHUB_WAMS_TEST_CHANGES_20261102_000012_r0.dat.gz"
    assert (control["name"], control["bytes"], control["sha256"]) == (parcel.name, parcel.size, parcel.sha256)
    assert {tag: n for tag, n in control["records"].items() if n} == {
        "HDR": 1, "ACC": 1, "CUS": 1, "DEL": 1, "TRL": 1,
    }  # fmt: skip
    assert (control["sequence"], control["previous_sequence"], control["layout"]) == (12, 11, "masters/1")
    wire = gzip.decompress((tmp_path / parcel.path).read_bytes())
    assert [one.payload for one in masters.items(BytesIO(wire)) if isinstance(one, Item)] == HELD
    assert wire.decode().splitlines()[0].endswith("|12|CHANGES|2026-11-02T22:00:00-05:00")


@pytest.mark.parametrize("adapter", [*READERS, "gis_flatfile"])
def test_an_acknowledgement_bears_the_stem_of_the_file_that_it_answers(adapter: str, tmp_path: Path) -> None:
    parcel = port_of(adapter, **READERS.get(adapter, {})).encode(message(ACK), spool=tmp_path)

    assert parcel.name == FULL.replace(".dat", ".ack")
    assert json.loads(parcel.body or b"")["file"] == FULL
    assert parcel.confirm_name == ""


def test_what_the_system_says_of_our_file_is_one_item(tmp_path: Path) -> None:
    verdicts = (ItemVerdict("ACC A-1", "REJECTED", "3101", "no such customer", 2),)
    said = FileAcknowledgement("MX_AMIHUB_WAMS_TEST_CHANGES_20261102_000012_r0.dat", "ab" * 32, "ACCEPTED_WITH_ERRORS",
                               "", "", verdicts, AT)  # fmt: skip
    port, stream = port_of(), BytesIO(acknowledgement_to_json(said))
    identity = port.identify("MX_AMIHUB_WAMS_TEST_CHANGES_20261102_000012_r0.ack")

    facts = port.examine(stream, identity=identity, where="ack")
    stream.seek(0)
    (item,) = port.items(stream, identity=identity, where="ack")

    assert (identity.kind, identity.sender, facts.items) == ("acknowledgement", "WAMS", 1)
    assert item.payload == said


@pytest.mark.parametrize("adapter", READERS)
@pytest.mark.parametrize("case", ["full_of_a_cis_and_meters_of_two_kinds", "lines_that_are_rejected_alone"])
def test_examining_counts_the_items_that_reading_yields(adapter: str, case: str) -> None:
    port, stream = port_of(adapter, **READERS[adapter]), BytesIO(golden("masters_flatfile", case))
    whole = case.startswith("full")
    identity = port.identify(FULL if whole else FULL.replace("FULL", "CHANGES").replace("000001", "000003"))

    facts = port.examine(stream, identity=identity, where=case)
    stream.seek(0)
    found = list(port.items(stream, identity=identity, where=case))

    assert (identity.kind, identity.run_type) == ("masters", facts.header["mode"])
    assert facts.items == len(found)
    assert facts.bad_items == sum(1 for each in found if not hasattr(each, "payload"))
    assert [each.line for each in found] == sorted(each.line for each in found)


@pytest.mark.parametrize(
    "case", ["full_with_a_usage_point_that_moved_to_another_feeder", "changes_with_a_line_without_transformer"]
)
def test_a_gis_is_read_likewise(case: str) -> None:
    port, stream = port_of("gis_flatfile"), BytesIO(golden("gis_flatfile", case))
    mode = case.split("_")[0].upper()
    identity = port.identify(f"TP_GIS_AMIHUB_TEST_{mode}_20261103_000001_r0.dat.gz")

    facts = port.examine(stream, identity=identity, where=case)
    stream.seek(0)
    found = list(port.items(stream, identity=identity, where=case))

    assert (identity.kind, identity.sender, identity.run_type) == ("masters", "GIS", mode)
    assert facts.items == len(found)
    assert facts.bad_items == sum(1 for each in found if not hasattr(each, "payload"))


@pytest.mark.parametrize("adapter", [*READERS, "gis_flatfile"])
@pytest.mark.parametrize(("old", "new"), [("FULL", "CHANGES"), ("000001", "000002"), ("_CISMASS_", "_OTHER_")])
def test_a_name_that_says_another_thing_than_the_header_refuses_the_file(adapter: str, old: str, new: str) -> None:
    case = "full_of_a_cis_and_meters_of_two_kinds"
    name, wire = FULL, golden("masters_flatfile", case) if adapter != "gis_flatfile" else b""
    if adapter == "gis_flatfile":
        name = FULL.replace("MX_CISMASS", "TP_GIS")
        wire, old = (
            golden(adapter, "full_with_a_usage_point_that_moved_to_another_feeder"),
            old.replace("CISMASS", "GIS"),
        )
    port = port_of(adapter, **READERS.get(adapter, {}))

    with pytest.raises(RejectedError, match="NAME_HEADER_DIFFER"):
        port.examine(BytesIO(wire), identity=port.identify(name.replace(old, new)), where=name)


def test_what_cannot_be_said_is_refused_and_a_system_without_a_code_is_told_nothing(tmp_path: Path) -> None:
    with pytest.raises(RejectedError, match="depend on"):
        port_of(**TOLD).encode(message(told("FULL", HELD[:2])), spool=tmp_path)
    with pytest.raises(MisconfiguredError, match="receiver"):
        port_of().encode(message(told()), spool=tmp_path)
    for adapter in ("masters_flatfile", "gis_flatfile"):
        with pytest.raises(RejectedError, match="UNWRITABLE_VALUE"):
            port_of(adapter).encode(message("a text"), spool=tmp_path)
    with pytest.raises(RejectedError, match="UNWRITABLE_VALUE"):
        port_of("gis_flatfile").encode(message(told()), spool=tmp_path)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"format": "wide"}, "format"), ({"wrap": "rar"}, "wrap"), ({"zone": "Mars"}, "zone"),
        ({"receiver": "W_A"}, "receiver"), ({"env": "a b"}, "env"), ({"hots": "x"}, "hots"), ({"host": ""}, "host"),
        ({"serial_digits": {"ACME": "8"}}, "serial_digits"),
    ],
)  # fmt: skip
def test_a_setting_that_cannot_be_used_is_named(settings: Mapping[str, Any], named: str) -> None:
    with pytest.raises(MisconfiguredError, match=named):
        port_of(**settings)


@pytest.mark.parametrize("adapter", ["masters_flatfile", "gis_flatfile"])
def test_a_server_that_is_away_is_an_outcome_for_every_parcel(adapter: str, tmp_path: Path) -> None:
    port = port_of(adapter, host="127.0.0.1", port=9, host_keys=["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA=="])

    outcomes = port.carry([port.encode(message(ACK), spool=tmp_path)], spool=tmp_path, timeout_s=5)

    assert [outcome.state for outcome in outcomes] == ["unavailable"]


@pytest.mark.servers
@pytest.mark.parametrize(
    ("adapter", "name"), [("masters_flatfile", FULL), ("gis_flatfile", FULL.replace("MX_", "TP_"))]
)
def test_files_go_over_a_real_server_whole_and_twice_is_once(adapter: str, name: str, tmp_path: Path) -> None:
    with private_sshd() as server:
        for folder in ("outbound", "inbound"):
            (server.files / folder).mkdir()
        (server.files / "outbound" / f"{name}.gz").write_bytes(gzip.compress(b"whatever", mtime=0))
        port = port_of(
            adapter, host="127.0.0.1", port=server.port, user=server.user, private_key=str(server.private_key),
            host_keys=list(server.host_keys), outbox=f"{server.home}/outbound", inbox=f"{server.home}/inbound",
            **(TOLD if adapter == "masters_flatfile" else {}),
        )  # fmt: skip

        (fetched,) = port.fetch(port.offered(), tmp_path / "in")
        parcels = [port.encode(message(ACK, "m2"), spool=tmp_path)]
        if adapter == "masters_flatfile":
            parcels.insert(0, port.encode(message(told()), spool=tmp_path))
        outcomes = [port.carry(parcels, spool=tmp_path, timeout_s=30) for _ in range(2)]
        port.retire(port.offered(), accepted=True)

        assert fetched.path.read_bytes() == b"whatever"
        assert [[each.state for each in outcome][-1] for outcome in outcomes] == ["confirmed"] * 2
        left = {path.name for path in (server.files / "inbound").iterdir()}
        expected = {parcel.name for parcel in parcels}
        assert left - expected == ({parcels[0].name.replace(".dat", ".ctl")} if len(parcels) > 1 else set())
        assert [path.name for path in (server.files / "outbound" / "archive").iterdir()] == [f"{name}.gz"]
