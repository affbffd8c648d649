"""Files that are one CIM message of readings: refused whole, or item by item, named, acknowledged."""

import gzip
import re
from io import BytesIO
from pathlib import Path

import pytest
from letters_by_hand import event
from serve_by_hand import reading

from adapters.mdms_cim_files.adapter import CimFiles, build
from adapters.mdms_cim_files.settings import NAMES
from adapters.mdms_cim_files.translate import identity_from_name
from adapters.registry import load
from canonical.codes.configuration import BAD_ADAPTER_SETTINGS
from canonical.errors import MisconfiguredError, RejectedError
from canonical.messages import FileIdentity, Item, Rejection
from servers.openssh import private_sshd

SETTINGS: dict[str, object] = {"host": "sftp.example", "user": "amihub", "host_keys": ["ssh-ed25519 AAAA"]}
WHO = FileIdentity("readings", "mdms")


@pytest.fixture
def port() -> CimFiles:
    return build(SETTINGS)


def test_each_meter_reading_is_an_item_and_one_that_cannot_be_read_is_rejected_alone(port: CimFiles) -> None:
    raw = event(1, reading("1.5") + reading("2.5").replace("0.0.0.1.1.1.12", "0.0.0.one.1.1.12") + reading("3.5"))

    facts = port.examine(BytesIO(raw), identity=WHO, where="f.xml")
    found = list(port.items(BytesIO(raw), identity=WHO, where="f.xml"))

    assert (facts.items, facts.bad_items, facts.records) == (3, 1, {"MeterReading": 3})
    assert [type(one) for one in found] == [Item, Rejection, Item]
    assert [one.line for one in found] == [1, 2, 3]
    assert [str(one.payload.registers[0].value) for one in found if isinstance(one, Item)] == ["1.5", "3.5"]


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (event(1)[:-30], "NOT_XML"),
        (event(1).replace(b"TC57/2011/MeterReadings#", b"TC57/2099/MeterReadings#"), ""),
        (event(1).replace(reading().encode(), b""), ""),
        (b"100,NEM12,202611020015,MDMS,AMIHUB\n", "NOT_XML"),
        (b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>', "DTD_REFUSED"),
        (event(1).replace(b"<value>1.5</value>", b"<value>1.5</value><secret/>"), "SCHEMA_INVALID"),
    ],
    ids=["cut", "another namespace", "empty", "no xml", "entity", "schema"],
)
def test_a_file_that_cannot_be_trusted_is_refused_whole_by_code(port: CimFiles, raw: bytes, code: str) -> None:
    with pytest.raises(RejectedError) as caught:
        port.examine(BytesIO(raw), identity=WHO, where="f.xml")

    assert code in caught.value.code.name
    assert caught.value.code.number[0] in "17"


def test_names_say_what_the_providers_pattern_lets_them_say() -> None:
    names = re.compile(r"MR_(?P<env>TEST|PROD)_(?P<receiver>\w+?)_(?P<sequence>[^_]+)\.xml")

    said = identity_from_name("MR_TEST_AMIHUB_000042.xml.gz", names=names, sender="mdms")
    plain = identity_from_name("Whatever 1.xml", names=re.compile(r".+\.xml"), sender="mdms")

    assert (said.kind, said.env, said.receiver, said.sequence) == ("readings", "TEST", "AMIHUB", 42)
    assert plain.sequence is None
    for wrong in ("MR_TEST_AMIHUB_x.xml", "other.csv", "MR_TEST_AMIHUB_1.xml.exe"):
        with pytest.raises(RejectedError):
            identity_from_name(wrong, names=names, sender="mdms")
    with pytest.raises(RejectedError):
        identity_from_name("../up.xml", names=re.compile(NAMES), sender="mdms")


@pytest.mark.parametrize(
    "wrong", [{"edition": "1999"}, {"policy": "kind"}, {"names": "("}], ids=lambda one: next(iter(one))
)
def test_a_wrong_setting_of_cim_files_is_named(wrong: dict[str, object]) -> None:
    with pytest.raises(MisconfiguredError) as caught:
        build({**SETTINGS, **wrong})

    assert caught.value.code == BAD_ADAPTER_SETTINGS
    assert next(iter(wrong)) in caught.value.reason


@pytest.mark.servers
def test_a_gzipped_message_is_fetched_and_read_over_sftp(tmp_path: Path) -> None:
    with private_sshd() as server:
        for folder in ("outbound", "inbound"):
            (server.files / folder).mkdir()
        (server.files / "outbound" / "readings-1.xml.gz").write_bytes(gzip.compress(event(1, reading() * 3)))
        port = load(
            "mdms_cim_files",
            {
                "host": "127.0.0.1",
                "port": server.port,
                "user": server.user,
                "private_key": str(server.private_key),
                "host_keys": list(server.host_keys),
                "outbox": f"{server.home}/outbound",
                "inbox": f"{server.home}/inbound",
            },
        )

        (fetched,) = port.fetch(port.offered(), tmp_path / "spool")
        identity = port.identify(fetched.offered.name)
        with fetched.path.open("rb") as stream:
            facts = port.examine(stream, identity=identity, where=fetched.offered.name)

        assert (identity.kind, facts.items, facts.bad_items) == ("readings", 3, 0)
