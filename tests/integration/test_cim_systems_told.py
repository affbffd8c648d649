"""Master data told to a CIS and an MDMS that keep books: separate programs, over TLS, in their own words."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import pytest
from cim_systems import CimSystem, cim_system

from adapters.registry import load
from canonical.codes import message as codes
from canonical.customers import CustomerAgreement
from canonical.documents import Document
from canonical.ids import meter_mrid, mint
from canonical.master_data import Link, MasterData, MasterThing, Meter, MeterExchange, Verb
from canonical.messages import Header, Message, Outcome
from canonical.metering import MeterReadings, ReadingQuestion, Register, RegisterReading, UsagePoint
from canonical.periods import Period
from canonical.quality import Quality
from simulators.certificates import make_certificates
from simulators.demo_site import free_ports

AT = datetime(2026, 3, 1, 5, tzinfo=UTC)
KWH = "0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.72.0"
POINT = mint("usage-point", "told", 1)
OLD, NEW = meter_mrid("Acme", "0017"), meter_mrid("Acme", "0018")


@pytest.fixture(scope="module")
def systems(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, CimSystem]]:
    folder = tmp_path_factory.mktemp("told")
    make_certificates(folder / "keys", ("CIS-A", "MDMS-A"))
    ports = free_ports(2)
    kinds: tuple[tuple[Literal["cim_cis", "cim_mdms"], str], ...] = (("cim_cis", "CIS-A"), ("cim_mdms", "MDMS-A"))
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(cim_system(kind, name, folder, port=port))
            for (kind, name), port in zip(kinds, ports, strict=True)
        }


def mdms(system: CimSystem) -> dict[str, Any]:
    settings = system.settings()
    return {"services_url": settings.pop("url"), **settings}


def told(port: Any, spool: Path, payload: Any, *, verb: str = "created", number: int = 0) -> Outcome:
    """Encode a message and carry it; its ids follow from what it says."""
    identity = mint("told", repr(payload), verb, number)
    message = Message(Header(identity, "AMIHUB", verb, "", identity, created_at=AT), payload)
    (outcome,) = port.carry([port.encode(message, spool=spool)], spool=spool, timeout_s=20)
    return outcome  # type: ignore[no-any-return]


def data(noun: str, *things: MasterThing, verb: Verb = "create", at: datetime = AT) -> MasterData:
    return MasterData(verb, noun, at, things)


def meter(serial: str) -> Meter:
    register = Register("T0", KWH, "kWh", "DELIVERED", 6, 1)
    return Meter(meter_mrid("Acme", serial), "Acme", serial, "ELECTRICITY", Decimal(40), (register,))


def snapshot(meter_id: str, value: str) -> RegisterReading:
    return RegisterReading(POINT, meter_id, KWH, AT, Decimal(value), Quality.VALIDATED, "", "wams")


UP = UsagePoint(POINT, "NMI-1", "America/Toronto", "ELECTRICITY", "AMI", AT)
AGREEMENT = CustomerAgreement(
    "SA-1", "AC-1", POINT, "COMMERCIAL", "TOU-1", "07", "SUMMER", net_metering=True, valid_from=AT, valid_to=None
)


@pytest.mark.slow
def test_an_mdms_takes_meters_usage_points_agreements_and_links_in_their_order_only(
    systems: dict[str, CimSystem], tmp_path: Path
) -> None:
    system = systems["MDMS-A"]
    port = load("mdms_cim", mdms(system))
    link = data("MasterDataLinkageConfig", Link(POINT, meter=OLD))

    early = told(port, tmp_path, link)
    order = [
        told(port, tmp_path, data("MeterConfig", meter("0017"), meter("0018"))),
        told(port, tmp_path, data("UsagePointConfig", UP)),
        told(port, tmp_path, data("CustomerAgreementConfig", AGREEMENT)),
        told(port, tmp_path, link, number=1),
    ]
    again = told(port, tmp_path, link, number=2)
    elsewhere = told(port, tmp_path, data("MasterDataLinkageConfig", Link(POINT, meter=NEW)))
    gone = told(port, tmp_path, data("MasterDataLinkageConfig", Link(POINT, meter=OLD), verb="close"))
    twice = told(port, tmp_path, data("MasterDataLinkageConfig", Link(POINT, meter=OLD), verb="close"), number=1)

    assert (early.state, early.code) == ("rejected", str(codes.PARTNER_REFUSED))
    assert f"UsagePoint {POINT} 2.12" in early.reason
    assert f"Meter {OLD} 2.4" in early.reason
    assert [one.state for one in order] == ["confirmed"] * 4
    assert again.state == "confirmed"
    assert "SIM7007" in again.reason
    assert (elsewhere.state, "2.13" in elsewhere.reason) == ("rejected", True)
    assert [gone.state, twice.state] == ["confirmed", "confirmed"]
    assert system.control("books/link") == [
        {"kind": "Meter", "id": "Acme 0017", "usage_point": POINT, "start": "2026-03-01T05:00:00Z",
         "end": "2026-03-01T05:00:00Z"}
    ]  # fmt: skip


@pytest.mark.slow
def test_a_partial_answer_names_the_objects_that_were_refused(systems: dict[str, CimSystem], tmp_path: Path) -> None:
    port = load("mdms_cim", mdms(systems["MDMS-A"]))
    stranger = CustomerAgreement(
        "SA-9", "", mint("usage-point", "nowhere"), "RESIDENTIAL", "", "", "", net_metering=False, valid_from=AT,
        valid_to=None,
    )  # fmt: skip
    told(port, tmp_path, data("UsagePointConfig", UP), number=7)

    outcome = told(port, tmp_path, data("CustomerAgreementConfig", AGREEMENT, stranger), number=8)

    assert (outcome.state, outcome.code) == ("rejected", str(codes.PARTNER_TOOK_PART))
    assert "CustomerAgreement SA-9 2.26" in outcome.reason


@pytest.mark.slow
@pytest.mark.parametrize("binding", ["typed", "generic", "bare"])
def test_a_cis_takes_exchanges_readings_and_documents_in_its_binding(
    systems: dict[str, CimSystem], tmp_path: Path, binding: str
) -> None:
    system = systems["CIS-A"]
    url = {} if binding == "typed" else {"url": f"{system.url}/message"}
    port = load("cis_cim", system.settings(binding=binding, **url))
    exchange = MeterExchange(
        POINT, meter("0017"), meter("0018"), AT, AT, (snapshot(OLD, "987.5"),), (snapshot(NEW, "0.2"),), "WO-7", "Jo"
    )
    readings = (MeterReadings(POINT, NEW, (snapshot(NEW, f"{len(binding)}.25"),)),)
    control = (
        '<EndDeviceControls xmlns="http://iec.ch/TC57/2011/EndDeviceControls#"><EndDeviceControl><mRID>c-1</mRID>'
        '<EndDeviceControlType ref="3.31.0.23"/></EndDeviceControl></EndDeviceControls>'
    )
    number = len(binding)

    outcomes = [
        told(port, tmp_path, data("MeterServiceRequests", exchange), number=number),
        told(port, tmp_path, readings, number=number),
        told(port, tmp_path, Document("EndDeviceControls", control.encode()), verb="create", number=number),
    ]

    assert [one.state for one in outcomes] == ["confirmed"] * 3
    (found,) = system.control("books/exchange")
    assert (found["usage_point"], found["removed"], found["installed"]) == (POINT, "Acme 0017", "Acme 0018")
    values = {(row["meter"], row["value"], row["reason"]) for row in system.control("books/reading")}
    assert {("Acme 0017", "987.5", "removal"), ("Acme 0018", "0.2", "installation")} <= values
    assert any(row["class"] == "EndDeviceControl" for row in system.control("books/object"))


@pytest.mark.slow
@pytest.mark.parametrize(("code", "state"), [("5.1", "unavailable"), ("2.22", "rejected")])
def test_a_failed_answer_is_tried_again_only_where_it_may_pass(
    systems: dict[str, CimSystem], tmp_path: Path, code: str, state: str
) -> None:
    system = systems["CIS-A"]
    port = load("cis_cim", system.settings())
    errors = [{"code": code, "reason": "said by script", "id": "SA-1", "type": "CustomerAgreement"}]
    system.control("answers", {"CustomerAgreementConfig": [{"result": "FAILED", "errors": errors}]})

    outcome = told(port, tmp_path, data("CustomerAgreementConfig", AGREEMENT), number=int(code[-1]))

    assert outcome.state == state
    assert outcome.reason == f"CustomerAgreement SA-1 {code} said by script"


@pytest.mark.slow
def test_an_mdms_answers_from_the_readings_that_it_holds(systems: dict[str, CimSystem]) -> None:
    system = systems["MDMS-A"]
    port = load("mdms_cim", mdms(system))
    row = {"usage_point": POINT, "manufacturer": "Acme", "serial": "0017", "reading_type": KWH,
           "at": "2026-03-01T05:00:00Z", "value": "12.50"}  # fmt: skip
    system.control("readings", [row])

    (found,) = port.readings([ReadingQuestion(POINT, Period(AT, AT))], timeout_s=20)

    assert (found.usage_point, found.meter) == (POINT, OLD)
    assert [reading.value for reading in found.registers] == [Decimal("12.50")]


@pytest.mark.slow
def test_an_mdms_says_which_usage_points_and_meters_it_holds(systems: dict[str, CimSystem], tmp_path: Path) -> None:
    port = load("mdms_cim", mdms(systems["MDMS-A"]))
    told(port, tmp_path, data("UsagePointConfig", UP), number=11)
    told(port, tmp_path, data("MeterConfig", meter("0017")), number=11)

    (points,) = port.held("UsagePointConfig", [POINT, mint("usage-point", "nowhere")], as_of=AT, timeout_s=20)
    (meters,) = port.held("MeterConfig", [OLD], as_of=AT, timeout_s=20)

    assert points.things == (UP,)
    assert [(one.meter, one.serial, one.multiplier) for one in meters.things] == [(OLD, "0017", Decimal(40))]
    assert list(port.held("MeterConfig", [mint("meter", "nobody")], as_of=AT, timeout_s=20)) == []


@pytest.mark.slow
def test_a_system_that_is_away_is_an_outcome_and_ping_says_that_it_is_there(
    systems: dict[str, CimSystem], tmp_path: Path
) -> None:
    system = systems["CIS-A"]
    (nobody,) = free_ports(1)

    away = told(
        load("cis_cim", system.settings(url=f"https://127.0.0.1:{nobody}/cim")),
        tmp_path,
        data("MeterConfig", meter("1")),
    )
    refused = told(load("cis_cim", system.settings(password="wrong")), tmp_path, data("MeterConfig", meter("1")))

    assert (away.state, refused.state) == ("unavailable", "unavailable")
    assert str(codes.WRONG_CREDENTIALS) == refused.code
    assert all(line.endswith("HTTP 200") for line in load("cis_cim", system.settings()).ping())
