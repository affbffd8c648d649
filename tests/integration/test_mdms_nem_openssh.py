"""A NEM provider's files over a real OpenSSH server: offered, fetched, read, acknowledged, put away."""

import io
import json
import zipfile
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from adapters.registry import load
from canonical.billing import FileAcknowledgement
from canonical.messages import Header, Item, Message
from servers.openssh import private_sshd

pytestmark = pytest.mark.servers

NAME = "NEM12#20261101A#MDMS#AMIHUB.zip"
TEXT = (
    "100,NEM12,202611020015,MDMS,AMIHUB\n200,6000000011,E1,E1,E1,N1,SN1,kWh,30,\n"
    f"300,20261101,{','.join(['0.125'] * 48)},A,,,,\n900\n"
)


def test_a_zipped_file_is_taken_in_acknowledged_and_put_away(tmp_path: Path) -> None:
    with private_sshd() as server:
        for folder in ("outbound", "inbound"):
            (server.files / folder).mkdir()
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("member without an extension", TEXT)
        (server.files / "outbound" / NAME).write_bytes(packed.getvalue())
        folders = {name: f"{server.home}/{name}" for name in ("outbound", "inbound")}
        settings = {
            "host": "127.0.0.1",
            "port": server.port,
            "user": server.user,
            "private_key": str(server.private_key),
            "host_keys": list(server.host_keys),
            "zone": "Etc/GMT+5",
            "outbox": folders["outbound"],
            "inbox": folders["inbound"],
        }
        port = load("mdms_nem", settings)

        offered = port.offered()
        (fetched,) = port.fetch(offered, tmp_path / "spool")
        identity = port.identify(fetched.offered.name)
        with fetched.path.open("rb") as stream:
            facts = port.examine(stream, identity=identity, where=fetched.offered.name)
            stream.seek(0)
            (item,) = port.items(stream, identity=identity, where=fetched.offered.name)
        answer = FileAcknowledgement(NAME, fetched.sha256, "ACCEPTED", "", "", (), datetime(2026, 11, 2, tzinfo=UTC))
        message = Message(Header("m1", "AMIHUB", "reply", "FileAcknowledgement"), answer)
        parcels = [port.encode(message, spool=tmp_path)]
        outcomes = [port.carry(parcels, spool=tmp_path, timeout_s=30)[0].state for _ in range(2)]
        port.retire(offered, accepted=True)

        assert (identity.kind, facts.items, facts.totals) == ("readings", 1, {"E1.kWh": Decimal(6)})
        assert isinstance(item, Item)
        assert item.payload.blocks[0].total == Decimal(6)
        assert outcomes == ["confirmed", "confirmed"]
        ack = json.loads((server.files / "inbound" / "NEM12#20261101A#MDMS#AMIHUB.ack").read_text())
        assert (ack["file"], ack["verdict"]) == (NAME, "ACCEPTED")
        assert [path.name for path in (server.files / "outbound").iterdir()] == ["archive"]
        assert [path.name for path in (server.files / "outbound" / "archive").iterdir()] == [NAME]
        assert port.ping() == (f"{folders['outbound']}: 0 files on offer",)


def test_a_provider_that_is_away_is_an_outcome_and_no_loss(tmp_path: Path) -> None:
    with private_sshd() as server:
        gone, keys = server.port, list(server.host_keys)
    port = load(
        "mdms_nem",
        {"host": "127.0.0.1", "port": gone, "user": "hub", "password": "x", "host_keys": keys, "zone": "Etc/GMT+5"},
    )
    answer = FileAcknowledgement(NAME, "00", "REJECTED", "7041 NEM_END", "cut", (), datetime(2026, 11, 2, tzinfo=UTC))
    message = Message(Header("m1", "AMIHUB", "reply", "FileAcknowledgement"), answer)

    outcomes = port.carry([port.encode(message, spool=tmp_path)] * 2, spool=tmp_path, timeout_s=5)

    assert [outcome.state for outcome in outcomes] == ["unavailable", "unavailable"]
