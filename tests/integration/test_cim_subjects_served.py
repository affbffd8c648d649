"""Readings asked for by meter, serial or name: the usage point is found at its masters, or said to be unknown."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from served_cim import NOW, errors, hub_of, post, result
from served_questions import question

from canonical.ids import meter_mrid
from canonical.metering import Installation, UsagePoint
from flows import reference
from services.hub import Hub

SINCE = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with hub_of(tmp_path) as hub:
        points = [UsagePoint(f"up-{n}", f"NMI{n}", "UTC", "ELECTRICITY", "AMI", SINCE) for n in range(4)]
        hung = [(0, "ACME", "007"), (1, "BETA", "007"), (2, "ACME", "42")]
        meters = [
            Installation(
                f"up-{n}", meter_mrid(maker, serial), maker, serial, "ELECTRICITY", SINCE, None, Decimal(1), ()
            )
            for n, maker, serial in hung
        ]
        with hub.transaction() as session:
            reference.record(session, [*points, *meters], now=NOW)
        yield hub


def name(value: str, kind: str = "", maker: str = "") -> str:
    own = f"<NameTypeAuthority><name>{maker}</name></NameTypeAuthority>" if maker else ""
    typed = f"<NameType><name>{kind}</name>{own}</NameType>" if kind else ""
    return f"<Names><name>{value}</name>{typed}</Names>"


def ask(hub: Hub, device: str = "", point: str = "") -> bytes:
    body = question("@").decode().replace("<UsagePoint><mRID>@</mRID></UsagePoint>", point)
    where = body.index(">", body.index("<GetMeterReadings xmlns=", body.index("<Request>"))) + 1
    return post(hub, (body[:where] + device + body[where:]).encode(), "/cim/GetMeterReadings").content


@pytest.mark.parametrize(
    ("device", "point", "meant"),
    [
        (f"<EndDevice><mRID>{meter_mrid('ACME', '007')}</mRID></EndDevice>", "", "up-0"),
        (f"<EndDevice>{name('007', 'serial', 'BETA')}</EndDevice>", "", "up-1"),
        (f"<EndDevice>{name('42', 'serialNumber')}</EndDevice>", "", "up-2"),
        ("", f"<UsagePoint>{name('NMI3')}</UsagePoint>", "up-3"),
    ],
    ids=["meter", "manufacturer and serial", "serial alone", "name of the trade"],
)
def test_the_usage_point_is_found_by_whatever_names_it(hub: Hub, device: str, point: str, meant: str) -> None:
    assert result(ask(hub, device, point)) == "OK"
    assert [one.usage_point for one in hub.port("mdms").asked] == [meant]


def test_a_serial_of_two_manufacturers_is_ambiguous(hub: Hub) -> None:
    answer = ask(hub, f"<EndDevice>{name('007', 'serial')}</EndDevice>")

    assert "2005 AMBIGUOUS_SUBJECT" in errors(answer)[0]["reason"]
    assert hub.port("mdms").asked == []


def test_what_nobody_knows_is_named_in_the_answer(hub: Hub) -> None:
    answer = ask(hub, f"<EndDevice>{name('unknown-9', 'serial')}</EndDevice>")

    assert [(one["code"], one["ID"]) for one in errors(answer)] == [("2.12", "unknown-9")]


def test_who_names_nothing_is_refused(hub: Hub) -> None:
    assert b"1108 SCHEMA_INVALID" in ask(hub)
