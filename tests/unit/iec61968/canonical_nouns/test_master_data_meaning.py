"""What messages of master data mean that others write: by the simulators' hand, with all that partners do to them."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from cim_meaning import AT, KWH, LATER, POINT, TEXT, meant, meant_xml, refused

from canonical.codes import identity as codes
from canonical.codes import message
from canonical.customers import CustomerAgreement
from canonical.ids import meter_mrid
from canonical.master_data import Customer, KnownAs, Link, Meter, MeterExchange, ServiceLocation
from canonical.metering import UsagePoint
from canonical.names import Name
from canonical.serials import SerialPolicy
from iec61968.canonical_nouns.conventions import MasterDataReading, NameTypes


def test_a_customer_is_known_by_the_id_of_its_cis_and_keeps_its_special_need() -> None:
    data = meant(
        "CustomerConfig",
        {"id": "C-7", "kind": "residential", "name": "Ada", "phone": "555", "special_need": "life support", "at": TEXT},
    )

    assert data.things == (Customer("C-7", "residential", "Ada", "555", "life support"),)
    assert (data.verb, data.noun, data.effective_at) == ("create", "CustomerConfig", AT)


def test_an_object_of_another_time_says_so_itself_and_the_message_holds_from_the_earliest() -> None:
    data = meant("CustomerConfig", {"id": "C-8", "at": LATER}, {"id": "C-7", "at": TEXT})

    later, first = data.things
    assert data.effective_at == AT
    assert isinstance(later, Customer)
    assert isinstance(first, Customer)
    assert (later.valid_from, first.valid_from) == (datetime(2026, 4, 1, 4, tzinfo=UTC), None)


def test_an_object_that_cannot_be_understood_is_refused_by_itself_and_named() -> None:
    good = {"id": POINT, "service": "electricity", "at": TEXT}
    data = meant(
        "UsagePointConfig", good, {"id": "u-2", "service": "internet", "at": TEXT},
        {"id": "u-3", "zone": "Mars/Olympus", "at": TEXT}, {"at": TEXT}, {"id": "u-5", "at": "yesterday"},
    )  # fmt: skip

    assert [thing.usage_point for thing in data.things if isinstance(thing, UsagePoint)] == [POINT]
    assert [(one.object_id, one.object_type, one.disposition, one.code) for one in data.refused] == [
        ("u-2", "UsagePoint", "REJECTED", str(message.BAD_XML_VALUE)),
        ("u-3", "UsagePoint", "REJECTED", str(message.BAD_XML_VALUE)),
        ("", "UsagePoint", "REJECTED", str(codes.UNNAMED_OBJECT)),
        ("u-5", "UsagePoint", "REJECTED", str(message.BAD_XML_VALUE)),
    ]


def test_a_change_in_part_states_what_it_states_and_nothing_else() -> None:
    data = meant("UsagePointConfig", {"id": POINT, "route": "R-9", "at": TEXT}, verb="changed")

    assert data.stated == (frozenset({"usage_point", "route", "valid_from"}),)


def test_an_agreement_holds_from_its_start_when_created_from_its_event_when_changed_and_until_it_when_closed() -> None:
    created = meant("CustomerAgreementConfig", {"id": "SA", "start": LATER, "at": TEXT})
    changed = meant("CustomerAgreementConfig", {"id": "SA", "start": TEXT, "at": LATER}, verb="changed")
    closed = meant("CustomerAgreementConfig", {"id": "SA", "start": TEXT, "at": LATER}, verb="closed")

    found = [thing for data in (created, changed, closed) for thing in data.things]
    spans = [(one.valid_from, one.valid_to) for one in found if isinstance(one, CustomerAgreement)]
    april = datetime(2026, 4, 1, 4, tzinfo=UTC)
    assert spans == [(april, None), (april, None), (AT, april)]
    assert [data.effective_at for data in (created, changed, closed)] == [april] * 3


def test_a_usage_point_known_by_name_alone_is_carried_by_its_name_for_the_flow_to_find() -> None:
    agreement, link = meant("CustomerAgreementConfig", {"id": "SA", "usage_point_name": "NMI-1", "at": TEXT}).things

    assert isinstance(agreement, CustomerAgreement)
    assert agreement.usage_point == ""
    assert link == Link("", agreement="SA", usage_point_name="NMI-1")


def test_a_premise_is_linked_with_the_usage_points_that_it_names() -> None:
    premise, link = meant(
        "ServiceLocationConfig", {"id": "P-1", "street": "Elm", "usage_points": [POINT], "at": TEXT}
    ).things

    assert isinstance(premise, ServiceLocation)
    assert premise.address.street == "Elm"
    assert link == Link(POINT, location="P-1")


def test_a_meter_is_minted_from_manufacturer_and_serial_and_the_senders_own_mrid_is_told() -> None:
    register = {"id": "T1", "reading_type": KWH, "left": 6, "right": 1, "tier": "ON"}
    data = meant(
        "MeterConfig",
        {
            "id": "own-7",
            "manufacturer": "Acme",
            "serial": "0017",
            "multiplier": "40",
            "registers": [register],
            "at": TEXT,
        },
    )

    (meter,) = data.things
    assert isinstance(meter, Meter)
    assert (meter.meter, meter.multiplier) == (meter_mrid("Acme", "0017"), Decimal(40))
    assert meter.commodity == "ELECTRICITY"
    assert [(one.register, one.unit, one.dials, one.tou_bucket) for one in meter.registers] == [("T1", "kWh", 6, "ON")]
    assert data.known_as == (KnownAs(meter.meter, "Meter", Name("cis", "own-7")),)


def test_a_serial_without_manufacturer_is_kept_as_it_is() -> None:
    (meter,) = meant("MeterConfig", {"serial": "0017", "at": TEXT}).things
    (link,) = meant(
        "MasterDataLinkageConfig", {"meters": [{"serial": "0017"}], "usage_points": [POINT], "at": TEXT}
    ).things

    assert isinstance(meter, Meter)
    assert (meter.meter, meter.serial) == ("", "0017")
    assert link == Link(POINT, serial="0017")


@pytest.mark.parametrize("serial", ["1.23E+11", "42"])
def test_a_serial_that_a_spreadsheet_mangled_is_refused(serial: str) -> None:
    own = MasterDataReading(serials=SerialPolicy({"Acme": 8}))

    (verdict,) = meant("MeterConfig", {"manufacturer": "Acme", "serial": serial, "at": TEXT}, own=own).refused

    assert (verdict.object_id, verdict.code) == (serial, str(codes.ID_MANGLED))


def test_links_pair_in_their_order_and_numbers_that_do_not_pair_are_refused() -> None:
    other = "0c2b6a34-33b5-5c4e-9c57-6f1f4b3b1d10"
    two = [{"manufacturer": "Acme", "serial": "1"}, {"manufacturer": "Acme", "serial": "2"}]

    pairs = meant("MasterDataLinkageConfig", {"meters": two, "usage_points": [POINT, other], "at": TEXT}).things
    shared = meant("MasterDataLinkageConfig", {"agreements": ["A", "B"], "usage_points": [POINT], "at": TEXT}).things

    assert pairs == (Link(POINT, meter=meter_mrid("Acme", "1")), Link(other, meter=meter_mrid("Acme", "2")))
    assert shared == (Link(POINT, agreement="A"), Link(POINT, agreement="B"))
    refused(codes.LINK_UNCLEAR, "MasterDataLinkageConfig", {"meters": two, "usage_points": [POINT] * 3, "at": TEXT})
    refused(codes.LINK_UNCLEAR, "MasterDataLinkageConfig", {"usage_points": [POINT], "at": TEXT})


def test_a_meter_exchange_brings_both_meters_their_readings_and_its_order() -> None:
    work = {
        "order": "WO-7", "usage_point": POINT, "removed_at": TEXT, "installed_at": LATER,
        "removed": {"manufacturer": "Acme", "serial": "1", "readings": [{"reading_type": KWH, "value": "987.5"}]},
        "installed": {"manufacturer": "Acme", "serial": "2", "readings": [{"reading_type": KWH, "value": "0.2"}]},
    }  # fmt: skip

    (found,) = meant("MeterServiceRequests", work).things

    assert isinstance(found, MeterExchange)
    assert (found.usage_point, found.order, found.removed_at) == (POINT, "WO-7", AT)
    assert found.removed is not None
    assert found.installed is not None
    assert (found.removed.serial, found.installed.serial) == ("1", "2")
    assert [one.value for one in (*found.final_readings, *found.first_readings)] == [Decimal("987.5"), Decimal("0.2")]
    assert found.final_readings[0].meter == meter_mrid("Acme", "1")


@pytest.mark.parametrize(("kind", "gone"), [("removed", True), ("installed", False)])
def test_work_at_one_meter_is_a_removal_or_an_installation(kind: str, gone: bool) -> None:
    (found,) = meant(
        "MeterServiceRequests",
        {"usage_point": POINT, f"{kind}_at": TEXT, kind: {"manufacturer": "Acme", "serial": "1"}},
    ).things

    assert isinstance(found, MeterExchange)
    assert (found.removed is not None, found.installed is None) == (gone, gone)


def test_a_multiplier_at_the_usage_point_is_refused_unless_the_site_ignores_it() -> None:
    inside = (
        f"<UsagePoint><mRID>{POINT}</mRID><ServiceMultipliers><kind>ctRatio</kind><value>40</value></ServiceMultipliers>"
        "</UsagePoint>"
    )
    xml = f'<UsagePointConfig xmlns="http://iec.ch/TC57/2011/UsagePointConfig#">{inside}</UsagePointConfig>'

    (verdict,) = meant_xml("UsagePointConfig", xml).refused
    ignored = meant_xml("UsagePointConfig", xml, own=MasterDataReading(usage_point_multipliers="ignore"))

    assert verdict.code == str(codes.MULTIPLIER_UNCLEAR)
    assert len(ignored.things) == 1


@pytest.mark.parametrize(
    ("ratios", "product"),
    [
        ({"ctRatio": "40", "ptRatio": "10"}, Decimal(400)), ({"transformerRatio": "400"}, Decimal(400)),
        ({"ctRatio": "40", "ptRatio": "10", "transformerRatio": "400", "kH": "7.2"}, Decimal(400)),
        ({"ctRatio": "40", "kR": "0.5"}, Decimal(20)), ({"ctRatio": "40", "transformerRatio": "400"}, None),
        ({"ctRatio": "0"}, None),
    ],
)  # fmt: skip
def test_the_multiplier_is_the_product_of_the_ratios_and_contradictions_are_refused(
    ratios: dict[str, str], product: Decimal | None
) -> None:
    parts = "".join(
        f"<MeterMultipliers><kind>{kind}</kind><value>{value}</value></MeterMultipliers>"
        for kind, value in ratios.items()
    )
    inside = f"<Meter><mRID>m-1</mRID>{parts}</Meter>"
    data = meant_xml("MeterConfig", f'<MeterConfig xmlns="http://iec.ch/TC57/2011/MeterConfig#">{inside}</MeterConfig>')

    assert [one.multiplier for one in data.things if isinstance(one, Meter)] == ([] if product is None else [product])
    assert [one.code for one in data.refused] == ([str(codes.MULTIPLIER_UNCLEAR)] if product is None else [])


def test_a_partner_may_use_other_types_of_names() -> None:
    own = MasterDataReading(names=NameTypes(usage_point="NMI", customer="customerId"))
    xml = (
        '<UsagePointConfig xmlns="http://iec.ch/TC57/2011/UsagePointConfig#"><UsagePoint>'
        "<Names><name>old</name><NameType><name>badge</name></NameType></Names>"
        "<Names><name>4103</name><NameType><name>nmi</name></NameType></Names></UsagePoint></UsagePointConfig>"
    )

    (point,) = meant_xml("UsagePointConfig", xml, own=own).things

    assert isinstance(point, UsagePoint)
    assert (point.usage_point, point.name) == ("", "4103")


def test_what_is_no_master_data_is_refused() -> None:
    refused(message.NOT_SUPPORTED_HERE, "MeterReadings", {"serial": "1", "readings": [], "usage_point": POINT})
    refused(message.SCHEMA_INVALID, "CustomerConfig")
