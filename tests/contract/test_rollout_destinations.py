"""What work systems and head-ends promise, over web services and queues alike."""

import importlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from queues_by_hand import Seen, consuming, settings, until

from adapters.registry import load
from canonical.commissioning import Commissioning
from canonical.completions import completions_from
from canonical.errors import MisconfiguredError, RejectedError
from canonical.ids import meter_mrid
from canonical.messages import Header, Message, Several
from canonical.ports import Destination, TakesSeveral
from iec61968.bindings import unwrap
from iec61968.editions import EDITIONS
from iec61968.message_codec import message_from_xml
from iec61968.validation import findings
from iec61968.wire import WireMessage
from messaging.settings import Messaging

ADAPTERS = Path(__file__).resolve().parents[2] / "adapters"
WEB, QUEUE = ("hes_cim", "wams_cim"), ("hes_amqp", "wams_amqp")
CASES = [case for name in (*WEB, *QUEUE) for case in sorted((ADAPTERS / name / "golden").iterdir())]
AT = datetime(2026, 11, 20, 15, 5, tzinfo=UTC)


@pytest.fixture
def messaging(tmp_path: Path) -> Messaging:
    return settings(tmp_path)


def port_of(adapter: str, messaging: Messaging, **different: Any) -> Any:
    """Return the port of an adapter, over web services or in the queues of a test."""
    web = {"url": "https://cim.example/cim", "user": "amihub", "password": "river-of-nine"}
    queue = {"queue": messaging.topology.sets[1].partner, "messaging": messaging}
    return load(adapter, {**(web if adapter in WEB else queue), "zone": "America/Toronto", **different})


def sample(case: Path) -> tuple[str, Any, bytes]:
    """Return the adapter of a case, what it means and its bytes."""
    adapter, raw = case.parts[-3], (case / "wire.xml").read_bytes()
    return adapter, importlib.import_module(f"adapters.{adapter}.translate").golden_read(raw, case.name), raw


def header_of(meant: Any, **different: Any) -> Header:
    own = Header("m-1", "AMIHUB", meant.verb, meant.noun, "c-1", created_at=meant.timestamp)
    return replace(own, **different)


def wire_of(raw: bytes) -> WireMessage:
    return message_from_xml(unwrap(raw).message if b"EventMessage" in raw else etree.fromstring(raw))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parts[-3]}:{case.name}")
def test_the_same_message_gives_the_same_valid_parcel_known_by_its_own_id(
    case: Path, messaging: Messaging, tmp_path: Path
) -> None:
    adapter, meant, _ = sample(case)
    port: Destination = port_of(adapter, messaging)
    message = Message(header_of(meant), meant.means)

    one, other = (port.encode(message, spool=tmp_path) for _ in range(2))

    assert one == other
    assert one.key == "m-1"
    assert findings(etree.fromstring(one.body or b""), EDITIONS["2011"]) == ()


@pytest.mark.parametrize("adapter", ["wams_cim", "wams_amqp"])
def test_what_a_work_system_tells_of_its_crews_are_completions(adapter: str, messaging: Messaging) -> None:
    port = port_of(adapter, messaging)
    cases = [case for case in CASES if case.parts[-3] == adapter and case.name.startswith("exchange_")]

    told = [completions_from(port.understand(wire_of(sample(case)[2]), source="wams")) for case in cases]

    outcomes = [one.outcome for some in told for one in some]
    assert outcomes == ["DONE", "UNABLE", "REVERSED"][: len(cases)]


@pytest.mark.parametrize("adapter", [*WEB, *QUEUE])
def test_what_is_no_master_data_is_not_understood(adapter: str, messaging: Messaging) -> None:
    _, _, raw = sample(ADAPTERS / "hes_cim" / "golden" / "reads_of_the_first_days")

    with pytest.raises(RejectedError):
        port_of(adapter, messaging).understand(wire_of(raw), source="x")


@pytest.mark.parametrize("adapter", ["hes_cim", "hes_amqp"])
@pytest.mark.parametrize(
    ("settings", "said"),
    [({}, "ChangeMeterConfig"), ({"commission_as": "linkage"}, "CreateMasterDataLinkageConfig"),
     ({"form": "event"}, "ChangedMeterConfig")],
)  # fmt: skip
def test_a_head_end_is_told_of_a_commissioning_as_its_settings_say(
    adapter: str, settings: Mapping[str, Any], said: str, messaging: Messaging, tmp_path: Path
) -> None:
    told = Commissioning("COMMISSION", meter_mrid("Acme", "1"), "Acme", "1", "up-1", AT)
    message = Message(Header("m-1", "hub", "change", "MeterConfig", created_at=AT), told)

    parcel = port_of(adapter, messaging, **settings).encode(message, spool=tmp_path)

    assert parcel.name.replace(" ", "").lower() == said.lower()


@pytest.mark.parametrize("adapter", QUEUE)
def test_a_letter_bears_every_id_instant_and_edition_that_its_message_has(
    adapter: str, messaging: Messaging, tmp_path: Path
) -> None:
    _, meant, _ = sample(ADAPTERS / adapter / "golden" / sorted(_names(adapter))[0])
    header = header_of(meant, causation_id="cause-1", effective_at=AT, priority="high")
    port, seen = port_of(adapter, messaging, confirms="reply"), Seen()

    outcomes = port.carry([port.encode(Message(header, meant.means), spool=tmp_path)], spool=tmp_path, timeout_s=10)
    with consuming(messaging, seen, messaging.topology.sets[1].key):
        until(lambda: len(seen.done) == 1)

    letter = seen.done[0].letter
    assert [one.state for one in outcomes] == ["sent"]
    assert letter.message_id == letter.correlation_id != ""
    assert (letter.causation_id, letter.effective_at, letter.source) == ("cause-1", AT, "AMIHUB")
    assert (letter.schema_version, letter.created_at, letter.priority) == ("2011", meant.timestamp, "high")
    assert letter.reply_to == f"amihub.in.{messaging.topology.sets[0].partner}.normal"


def _names(adapter: str) -> list[str]:
    return [case.name for case in (ADAPTERS / adapter / "golden").iterdir()]


@pytest.mark.parametrize("adapter", QUEUE)
@pytest.mark.parametrize(
    ("settings", "named"),
    [({"hots": 1}, "hots"), ({"queue": ""}, "queue"), ({"packed": 3}, "packed"),
     ({"confirms": "hope"}, "confirms"), ({"edition": "2050"}, "edition"), ({"form": "poem"}, "form"),
     ({"sender": 7}, "sender"), ({"zone": "Mars/Olympus"}, "zone"), ({"queue": "nobody"}, "nobody")],
)  # fmt: skip
def test_a_setting_of_a_queue_that_cannot_be_used_is_named(
    adapter: str, settings: Mapping[str, Any], named: str, messaging: Messaging
) -> None:
    with pytest.raises(MisconfiguredError, match=named):
        port_of(adapter, messaging, **settings)


@pytest.mark.parametrize("adapter", WEB)
def test_a_system_that_takes_sets_over_typed_services_gets_a_generic_one(
    adapter: str, messaging: Messaging, tmp_path: Path
) -> None:
    _, meant, _ = sample(ADAPTERS / "wams_cim" / "golden" / "exchange_completed_with_what_the_crew_saw")
    port = port_of(adapter, messaging, exchange_as="operation_set")

    parcel = port.encode(Message(header_of(meant), meant.means), spool=tmp_path)

    root = etree.fromstring(parcel.body or b"")
    assert etree.QName(root).localname == "RequestMessage"
    assert len(root.findall(".//{*}Operation")) == 2


@pytest.mark.parametrize("adapter", [*WEB, *QUEUE])
def test_who_takes_several_messages_in_one_gets_them_as_operations(
    adapter: str, messaging: Messaging, tmp_path: Path
) -> None:
    port = port_of(adapter, messaging, operations_per_message=2)
    takes: TakesSeveral = port
    each = tuple(
        Message(
            Header(f"s-{n}", "AMIHUB", "change", "MeterConfig"),
            Commissioning("COMMISSION", meter_mrid("Acme", str(n)), "Acme", str(n), "", AT),
        )
        for n in (1, 2)
    )
    header = Header("set", "AMIHUB", "change", "MeterConfig", "set", created_at=AT)

    parcel = port.encode(Message(header, Several(each)), spool=tmp_path)

    found = wire_of(parcel.body).payload.operation_set
    assert takes.operations_per_message == 2
    assert found is not None
    assert [(one.operation_id, one.verb, one.noun) for one in found.operations] == [
        (1, "change", "MeterConfig"), (2, "change", "MeterConfig"),
    ]  # fmt: skip
    assert not found.all_or_nothing
