"""What every CustomerSystem port promises, asked of the flat-file CIS: pure parcels, and files over a real server."""

import gzip
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from adapters.registry import load
from canonical.billing import BillingPart, FileAcknowledgement
from canonical.errors import MisconfiguredError, RejectedError
from canonical.messages import Header, Message, Parcel
from canonical.ports import CustomerSystem
from servers.openssh import private_sshd
from sftp.formats import billing_drop

GOLDEN = Path(__file__).resolve().parents[2] / "adapters" / "cis_flatfile" / "golden"
SETTINGS: dict[str, Any] = {"host": "sftp.cis.example", "user": "amihub", "host_keys": ["ssh-ed25519 AAAA"]}
REQUEST = "BR_CISMASS_AMIHUB_TEST_ON_07_20261103_000004_r0.dat"


def port_of(**settings: Any) -> CustomerSystem:
    port: CustomerSystem = load("cis_flatfile", {**SETTINGS, **settings})
    return port


def part() -> BillingPart:
    return billing_drop.part_from_bytes((GOLDEN / "drop_with_exchange_net_and_no_read" / "wire.dat").read_bytes())


def message(payload: Any, message_id: str = "m1") -> Message[Any]:
    return Message(Header(message_id, "AMIHUB", "created", "BillingPart"), payload)


ACK = FileAcknowledgement(REQUEST, "ab" * 32, "ACCEPTED", "", "", (), datetime(2026, 11, 3, 6, tzinfo=UTC))


@pytest.mark.parametrize("settings", [{}, {"format": "fixed"}, {"wrap": "gz"}, {"layout": "reading_order_upload"}])
def test_the_same_part_gives_the_same_parcel_and_bytes(tmp_path: Path, settings: Mapping[str, Any]) -> None:
    parcels: list[Parcel] = []
    contents: list[bytes] = []
    for place in (tmp_path / "a", tmp_path / "b"):
        place.mkdir()
        parcels.append(port_of(**settings).encode(message(part()), spool=place))
        contents.append((place / parcels[-1].path).read_bytes())

    assert parcels[0] == parcels[1]
    assert contents[0] == contents[1]
    assert (parcels[0].size, parcels[0].sha256) == (len(contents[0]), sha256(contents[0]).hexdigest())
    assert parcels[0].confirm_name == parcels[0].name


def test_a_part_is_named_by_its_header_and_its_control_file_states_what_it_holds(tmp_path: Path) -> None:
    parcel = port_of(wrap="gz").encode(message(part()), spool=tmp_path)

    control = json.loads((tmp_path / parcel.path).with_name(parcel.name[:-7] + ".ctl").read_text())
    assert parcel.name == "BD_AMIHUB_CISMASS_TEST_ON_07_20261103_000012_p02F_r0.dat.gz"
    assert (control["name"], control["bytes"], control["sha256"]) == (parcel.name, parcel.size, parcel.sha256)
    assert control["records"] == {
        "HDR": 1, "SVC": 3, "MTR": 3, "REG": 4, "DET": 6, "DEM": 1, "EXC": 1, "CLS": 6, "TRL": 1,
    }  # fmt: skip
    assert (control["totals"]["DET.KWH_TOTAL.kWh"], control["totals"]["REG"]) == ("2504.125", "3414.625")
    assert (control["sequence"], control["previous_sequence"], control["layout"]) == (12, 11, "billing_drop/1")
    assert billing_drop.part_from_bytes(gzip.decompress((tmp_path / parcel.path).read_bytes())) == part()


def test_an_acknowledgement_bears_the_stem_of_the_file_that_it_answers(tmp_path: Path) -> None:
    parcel = port_of().encode(message(ACK), spool=tmp_path)

    assert parcel.name == REQUEST.replace(".dat", ".ack")
    assert port_of().identify(parcel.name).kind == "acknowledgement"


def test_a_value_that_the_layout_cannot_say_refuses_the_part(tmp_path: Path) -> None:
    first, *rest = part().determinants
    broken = replace(part(), determinants=(replace(first, request_id="R" * 41), *rest))

    with pytest.raises(RejectedError, match="VALUE_TOO_WIDE"):
        port_of(format="fixed").encode(message(broken), spool=tmp_path)


@pytest.mark.parametrize("case", ["request", "request_with_a_bad_line", "reference", "billed", "acknowledgement"])
def test_examining_counts_the_items_that_reading_yields(case: str) -> None:
    names = {
        "reference": "RF_CISMASS_AMIHUB_TEST_MASTER_20261103_000002_r0.dat",
        "billed": "BX_CISMASS_AMIHUB_TEST_BILLED_20261104_000001_r0.dat",
        "acknowledgement": "BD_AMIHUB_CISMASS_TEST_ON_07_20261103_000012_p02F_r0.ack",
    }
    (wire,) = (GOLDEN / case).glob("wire.*")
    port = port_of()
    identity = port.identify(names.get(case, REQUEST))

    with wire.open("rb") as stream:
        facts = port.examine(stream, identity=identity, where=case)
        stream.seek(0)
        found = list(port.items(stream, identity=identity, where=case))

    lines = [each.line for each in found]
    assert lines == sorted(lines)
    # Every row of a calendar counts as an item; the calendar itself comes as one.
    assert facts.items == len(found) + (6 if case == "reference" else 0)
    assert facts.bad_items == sum(1 for each in found if not hasattr(each, "payload"))


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"format": "wide"}, "format"), ({"wrap": "rar"}, "wrap"), ({"layout": "none"}, "none"),
        ({"hots": "x"}, "hots"), ({"host": "u:secret@sftp.cis.example"}, "host is a name"),
        ({"names": {"request": "{nothing}"}}, "nothing"), ({"host": ""}, "host"),
        ({"serial_digits": {"ACME": "8"}}, "serial_digits"), ({"archive_by_date": "yes"}, "archive_by_date"),
        ({"pgp": {"home": "ring", "recipient": "ab"}}, "own_key"), ({"pgp": {"hom": "ring"}}, "pgp"),
    ],
)  # fmt: skip
def test_a_setting_that_cannot_be_used_is_named(settings: Mapping[str, Any], named: str) -> None:
    with pytest.raises(MisconfiguredError, match=named):
        port_of(**settings)


def test_an_adapter_that_does_not_exist_is_named() -> None:
    for name in ("cis_nobody", "../etc", "os"):
        with pytest.raises(MisconfiguredError, match="UNKNOWN_ADAPTER"):
            load(name, {})


def test_a_server_that_is_away_is_an_outcome_for_every_parcel(tmp_path: Path) -> None:
    port = port_of(host="127.0.0.1", port=9, host_keys=["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA=="])
    parcels = [port.encode(message(ACK), spool=tmp_path), port.encode(message(part()), spool=tmp_path)]

    outcomes = port.carry(parcels, spool=tmp_path, timeout_s=5)

    assert [outcome.state for outcome in outcomes] == ["unavailable", "unavailable"]


@pytest.mark.servers
def test_an_archive_by_date_has_a_folder_for_each_business_date(tmp_path: Path) -> None:
    names = (REQUEST, REQUEST.replace("20261103", "20261104"), "of_no_pattern.dat")
    with private_sshd() as server:
        (server.files / "outbound").mkdir()
        for name in names:
            (server.files / "outbound" / name).write_bytes(b"x")
        port = port_of(
            host="127.0.0.1", port=server.port, user=server.user, private_key=str(server.private_key),
            host_keys=list(server.host_keys), outbox=f"{server.home}/outbound", archive_by_date=True,
        )  # fmt: skip
        *dated, other = port.offered()

        port.retire(dated, accepted=True)
        port.retire([other], accepted=False)

        moved = {str(path.relative_to(server.files)) for path in server.files.rglob("*.dat")}
        assert moved == {
            f"outbound/archive/20261103/{names[0]}", f"outbound/archive/20261104/{names[1]}",
            f"outbound/reject/{names[2]}",
        }  # fmt: skip


@pytest.mark.servers
def test_files_go_over_a_real_server_whole_and_twice_is_once(tmp_path: Path) -> None:
    with private_sshd() as server:
        for folder in ("outbound", "inbound"):
            (server.files / folder).mkdir()
        wire = (GOLDEN / "request" / "wire.dat").read_bytes()
        (server.files / "outbound" / f"{REQUEST}.gz").write_bytes(gzip.compress(wire, mtime=0))
        port = port_of(
            host="127.0.0.1", port=server.port, user=server.user, private_key=str(server.private_key),
            host_keys=list(server.host_keys), outbox=f"{server.home}/outbound", inbox=f"{server.home}/inbound",
        )  # fmt: skip

        (fetched,) = port.fetch(port.offered(), tmp_path / "in")
        parcels = [port.encode(message(part(), "m1"), spool=tmp_path), port.encode(message(ACK, "m2"), spool=tmp_path)]
        outcomes = [port.carry(parcels, spool=tmp_path, timeout_s=30) for _ in range(2)]
        port.retire(port.offered(), accepted=True)

        assert fetched.path.read_bytes() == wire
        assert [[each.state for each in outcome] for outcome in outcomes] == [["sent", "confirmed"]] * 2
        stem = parcels[0].name.removesuffix(".dat")
        left = {path.name for path in (server.files / "inbound").iterdir()}
        assert left == {f"{stem}.dat", f"{stem}.ctl", parcels[1].name}
        assert [path.name for path in (server.files / "outbound" / "archive").iterdir()] == [f"{REQUEST}.gz"]
