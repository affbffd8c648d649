"""What every system over IEC 61968-9 promises as a destination and in its settings, whatever system it is."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from adapters.cis_cim import translate
from adapters.registry import load
from canonical.billing import BillingPart
from canonical.documents import Document
from canonical.errors import MisconfiguredError, RejectedError
from canonical.master_data import Customer, Link, MasterData
from canonical.messages import Header, Message
from canonical.ports import Destination
from iec61968.editions import EDITIONS
from iec61968.validation import findings

GOLDEN = Path(__file__).resolve().parents[2] / "adapters" / "cis_cim" / "golden"
CASES = sorted(path for path in GOLDEN.iterdir() if "refused" not in path.name)
BASES = {"cis_cim": "url", "hes_cim": "url", "mdms_cim": "services_url", "wams_cim": "url"}
AT = datetime(2026, 3, 1, 5, tzinfo=UTC)


def port_of(adapter: str, **settings: Any) -> Destination:
    own = {BASES[adapter]: "https://cim.example/cim", "user": "amihub", "password": "river-of-nine"}
    port: Destination = load(adapter, {**own, **settings})
    return port


def meant(case: Path) -> Message[Any]:
    return translate.golden_read((case / "wire.xml").read_bytes(), case.name).message


@pytest.fixture(params=sorted(BASES))
def adapter(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_same_message_gives_the_same_parcel_valid_in_every_edition_and_binding(
    adapter: str, case: Path, tmp_path: Path
) -> None:
    for edition in EDITIONS.values():
        for binding in ("typed", "generic"):
            port = port_of(adapter, edition=edition.name, binding=binding)

            one, other = (port.encode(meant(case), spool=tmp_path) for _ in range(2))

            assert one == other
            assert one.key == meant(case).header.message_id
            assert findings(etree.fromstring(one.body or b""), edition) == ()


def test_a_cis_is_told_by_events_and_the_others_by_requests_unless_the_site_says_otherwise(tmp_path: Path) -> None:
    message = meant(GOLDEN / "meters_linked")

    names = {
        (adapter, form): port_of(adapter, **({"form": form} if form else {})).encode(message, spool=tmp_path).name
        for adapter in BASES
        for form in ("", "request", "event")
    }

    create, created = "CreateMasterDataLinkageConfig", "CreatedMasterDataLinkageConfig"
    assert names == {
        ("cis_cim", ""): created, ("cis_cim", "request"): create, ("cis_cim", "event"): created,
        ("mdms_cim", ""): create, ("mdms_cim", "request"): create, ("mdms_cim", "event"): created,
        ("hes_cim", ""): create, ("hes_cim", "request"): create, ("hes_cim", "event"): created,
        ("wams_cim", ""): create, ("wams_cim", "request"): create, ("wams_cim", "event"): created,
    }  # fmt: skip


@pytest.mark.parametrize(
    "payload",
    [
        MasterData("create", "CustomerConfig", AT, (Link("u", meter="m"),)),
        MasterData("create", "CustomerConfig", AT, ()),
        MasterData("create", "CustomerConfig", AT, (Customer("C-1", "gentle giant"),)),
        MasterData("create", "MasterDataLinkageConfig", AT, (Link("u", meter="m"), Link("u", agreement="a"))),
        MasterData("create", "MasterDataLinkageConfig", AT, (Link("", meter="m"),)),
        MasterData("create", "EndDeviceControls", AT, ()), Document("EndDeviceControls", b"<Other/>"),
        Document("EndDeviceControls", b"not xml"), (), "text",
    ],
    ids=repr,
)  # fmt: skip
def test_what_cannot_be_said_is_refused_when_it_is_decided(adapter: str, payload: Any, tmp_path: Path) -> None:
    message = replace(meant(GOLDEN / "meters_linked"), payload=payload)

    with pytest.raises(RejectedError):
        port_of(adapter).encode(message, spool=tmp_path)


def test_a_cis_over_web_services_gets_no_billing_part(tmp_path: Path) -> None:
    part = BillingPart.__new__(BillingPart)

    with pytest.raises(RejectedError, match="BillingPart"):
        port_of("cis_cim").encode(Message(Header("m", "AMIHUB", "created", "BillingPart"), part), spool=tmp_path)


def test_a_system_that_is_away_is_an_outcome_for_every_parcel_without_a_secret_in_it(
    adapter: str, tmp_path: Path
) -> None:
    port = port_of(adapter, **{BASES[adapter]: "https://127.0.0.1:9/cim"})
    parcels = [port.encode(meant(case), spool=tmp_path) for case in CASES[:2]]

    outcomes = port.carry(parcels, spool=tmp_path, timeout_s=5)

    assert [outcome.state for outcome in outcomes] == ["unavailable", "unavailable"]
    assert "river-of-nine" not in repr(outcomes) + repr(port.__dict__)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"hots": "x"}, "hots"), ({"edition": "2050"}, "edition"), ({"binding": "carrier pigeon"}, "binding"),
        ({"tier": "honor"}, "tier"), ({"policy": "kind"}, "policy"), ({"form": "poem"}, "form"),
        ({"password": ""}, "password"), ({"linkage_time": "sometimes"}, "linkage_time"),
        ({"granularity": "week"}, "granularity"), ({"zone": "Mars/Olympus"}, "zone"),
        ({"urls": {"ExecuteMeterConfig": "http://plain.example"}}, "urls.ExecuteMeterConfig"),
        ({"tier": "token"}, "machine's time"), ({"tier": "token", "binding": "bare"}, "bare"),
        ({"tier": "signature", "machine_now": datetime.now}, "signing_key"), ({"already": []}, "already"),
        ({"operation": {"verb": "x"}}, "operation"), ({"sender": 7}, "sender"),
        ({"exchange_as": "poem"}, "exchange_as"), ({"commission_as": "song"}, "commission_as"),
        ({"work_states": {"UTC": "maybe"}}, "work_states"), ({"unable_reasons": {"dog": "BIT"}}, "unable_reasons"),
        ({"operations_per_message": 0}, "operations_per_message"),
        ({"operations_per_message": True}, "operations_per_message"),
        ({"wrapped_keys": "yes"}, "wrapped_keys"), ({"commissioned": ""}, "commissioned"),
    ],
)  # fmt: skip
def test_a_setting_that_cannot_be_used_is_named(adapter: str, settings: Mapping[str, Any], named: str) -> None:
    with pytest.raises(MisconfiguredError, match=named):
        port_of(adapter, **settings)


@pytest.mark.parametrize("url", ["https://amihub:river@cim.example/cim", "http://cim.example/cim", "", "cim.example"])
def test_an_address_is_https_and_never_carries_user_or_password(adapter: str, url: str) -> None:
    with pytest.raises(MisconfiguredError) as error:
        port_of(adapter, **{BASES[adapter]: url})

    assert "river" not in str(error.value)
