"""Nouns of master data as a simulator writes them, from small JSON objects; every element in its place, by hand."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from xml.sax.saxutils import escape

from simulators.cim_wire import HOST

Given = Mapping[str, Any]


def tag(name: str, content: object) -> str:
    """Return an element with a text, nothing where there is none."""
    if content in (None, ""):
        return ""
    text = str(content).lower() if isinstance(content, bool) else str(content)
    return f"<{name}>{escape(text)}</{name}>"


def around(name: str, *parts: str) -> str:
    """Return an element around others, nothing where they are empty."""
    inside = "".join(parts)
    return f"<{name}>{inside}</{name}>" if inside else ""


def named(value: object, kind: str = "", authority: str = "") -> str:
    """Return a Name, nothing without a value."""
    if value in (None, ""):
        return ""
    giver = around("NameTypeAuthority", tag("name", authority))
    return around("Names", tag("name", value), around("NameType", tag("name", kind), giver))


def reference(name: str, mrid: object, kind: str = "") -> str:
    """Return a reference by mRID, or with a kind of name by that."""
    return around(name, named(mrid, kind) if kind else tag("mRID", mrid))


def moment(one: Given, name: str = "ConfigurationEvents") -> str:
    """Return the ConfigurationEvent of an object: `at`, or `created` and `effective` where they differ."""
    created, effective = one.get("created", one.get("at")), one.get("effective", one.get("at"))
    return around(
        name, tag("createdDateTime", created), tag("effectiveDateTime", effective), tag("reason", one.get("reason"))
    )


def customer(one: Given) -> str:
    """Return a Customer."""
    phone = around("Organisation", around("phone1", tag("localNumber", one.get("phone"))))
    return around(
        "Customer",
        tag("kind", one.get("kind")), tag("specialNeed", one.get("special_need")), moment(one),
        named(one["id"], "customerId"), named(one.get("name"), "customerName"), phone,
    )  # fmt: skip


def account(one: Given) -> str:
    """Return a CustomerAccount."""
    return around(
        "CustomerAccount",
        tag("billingCycle", one.get("cycle")), moment(one), named(one["id"], "accountId"),
        reference("Customer", one.get("customer"), "customerId"),
    )  # fmt: skip


def agreement(one: Given) -> str:
    """Return a CustomerAgreement."""
    point = reference("UsagePoints", one.get("usage_point")) or reference(
        "UsagePoints", one.get("usage_point_name"), "usagePoint"
    )
    return around(
        "CustomerAgreement",
        tag("billingCycle", one.get("cycle")),
        around("validityInterval", tag("end", one.get("end")), tag("start", one.get("start"))), moment(one),
        named(one["id"], "agreementId"), named(one.get("customer_class"), "customerClass"),
        named(one.get("tou_calendar"), "touCalendar"), named(_flag(one.get("net_metering")), "netMetering"),
        reference("CustomerAccount", one.get("account"), "accountId"),
        reference("PricingStructures", one.get("tariff"), "tariff"), point,
    )  # fmt: skip


def location(one: Given) -> str:
    """Return a ServiceLocation."""
    street = around("streetDetail", tag("name", one.get("street")), tag("number", one.get("number")))
    town = around(
        "townDetail", tag("code", one.get("postal_code")), tag("country", one.get("country")),
        tag("name", one.get("town")), tag("stateOrProvince", one.get("region")),
    )  # fmt: skip
    return around(
        "ServiceLocation",
        tag("accessMethod", one.get("access")), tag("needsInspection", one.get("needs_inspection")), moment(one),
        around("mainAddress", street, town), named(one["id"], "locationId"),
        *(reference("UsagePoints", point) for point in one.get("usage_points", ())),
    )  # fmt: skip


def usage_point(one: Given) -> str:
    """Return a UsagePoint."""
    return around(
        "UsagePoint",
        tag("mRID", one.get("id")), tag("amiBillingReady", one.get("ami")), tag("outageRegion", one.get("district")),
        tag("readRoute", one.get("route")), moment(one), named(one.get("name"), "usagePoint"),
        named(one.get("zone"), "timeZone"), around("ServiceCategory", tag("kind", one.get("service"))),
        reference("ServiceLocation", one.get("location"), "locationId"),
    )  # fmt: skip


def meter(one: Given) -> str:
    """Return a Meter; its registers stand in the function of the same number."""
    serial = str(one["serial"])
    refers = f'<SimpleEndDeviceFunction ref="f-{escape(serial)}"/>' if one.get("registers") else ""
    maker = around("Manufacturer", around("Names", tag("name", one.get("manufacturer"))))
    model = around("EndDeviceInfo", around("AssetModel", tag("modelNumber", one.get("model")), maker))
    ratio = around("MeterMultipliers", tag("kind", "transformerRatio"), tag("value", one.get("multiplier")))
    return around(
        "Meter",
        tag("mRID", one.get("id")), tag("serialNumber", serial), moment(one), refers, model,
        ratio if one.get("multiplier") else "", named(serial, "serial", str(one.get("manufacturer", ""))),
        around("status", tag("value", one.get("status"))),
    )  # fmt: skip


def function(one: Given) -> str:
    """Return the function that bears a meter's registers."""
    registers = "".join(
        around(
            "Registers",
            tag("leftDigitCount", each.get("left")), tag("rightDigitCount", each.get("right")),
            tag("touTierName", each.get("tier")), f'<Channels><ReadingType ref="{each["reading_type"]}"/></Channels>',
            named(each["id"], "register"),
        )
        for each in one.get("registers", ())
    )  # fmt: skip
    kind = tag("kind", one.get("kind", "electricMetering"))
    return around("SimpleEndDeviceFunction", tag("mRID", f"f-{one['serial']}"), kind, registers) if registers else ""


def meter_reference(name: str, one: Given) -> str:
    """Return a reference to a meter, by serial and manufacturer."""
    return around(name, named(one["serial"], "serial", str(one.get("manufacturer", ""))))


def linkage(one: Given) -> str:
    """Return what stands in a MasterDataLinkageConfig."""
    return "".join((
        moment(one, "ConfigurationEvent"),
        *(reference("CustomerAgreement", each, "agreementId") for each in one.get("agreements", ())),
        *(meter_reference("Meter", each) for each in one.get("meters", ())),
        *(reference("ServiceLocation", each, "locationId") for each in one.get("locations", ())),
        *(reference("UsagePoint", each) for each in one.get("usage_points", ())),
    ))  # fmt: skip


def work(one: Given) -> str:
    """Return a MeterServiceWork: a meter exchange, with what its crew saw; or one that was not made (`state`)."""
    if one.get("state") in ("unable", "reversed"):
        return work_undone(one)
    records = "".join(
        around("ActivityRecords", tag("createdDateTime", one.get(f"{kind}_at")), tag("type", kind))
        for kind in ("removed", "installed")
        if one.get(kind)
    ) + test_record(one)
    new = work_meter(
        "Meter", one.get("installed") or one["removed"], one, "installed" if one.get("installed") else "removed"
    )
    old = work_meter("OldMeter", one["removed"], one, "removed") if one.get("removed") and one.get("installed") else ""
    kind = "exchange" if old else "installed" if one.get("installed") else "removed"
    remark = around("status", tag("remark", one.get("remarks")), tag("value", "completed"))
    status = remark if one.get("remarks") else ""
    return around("MeterServiceWork", tag("kind", "meter"), tag("type", kind), records, new, old, status)


def work_undone(one: Given) -> str:
    """Return a MeterServiceWork that could not be done (`reason` says why), or was taken back, `at` an instant."""
    kind = "visited" if one["state"] == "unable" else "reversed"
    record = around("ActivityRecords", tag("createdDateTime", one["at"]), tag("type", kind))
    place = around("MeterReadings", reference("UsagePoint", one["usage_point"]))
    own = named(one.get("order"), "workOrder") + seen_names(one)
    meter = around("Meter", hung(one.get("installed"), place), own)
    before = around("OldMeter", hung(one.get("removed"), "")) if one.get("removed") else ""
    status = around(
        "status", tag("reason", one.get("reason")), tag("remark", one.get("remarks")), tag("value", one["state"])
    )
    parts = (tag("kind", "meter"), tag("type", "exchange"), record, test_record(one), meter, before, status)
    return around("MeterServiceWork", *parts)


def hung(meter: Given | None, place: str) -> str:
    """Return what stands in a meter of a work: its serial, where it is, its Name; the place alone without a meter."""
    if meter is None:
        return place
    return tag("serialNumber", meter["serial"]) + place + named(meter["serial"], "serial", meter["manufacturer"])


def seen_names(one: Given) -> str:
    """Return the Names by which a crew tells what it saw."""
    kinds = (
        ("installer", "installer"), ("multiplier_seen", "multiplierSeen"), ("seal", "seal"), ("latitude", "latitude"),
        ("longitude", "longitude"), ("address", "workAddress"),
    )  # fmt: skip
    texts = "".join(named(one.get(key), kind) for key, kind in kinds)
    return texts + "".join(named(photo, "photo") for photo in one.get("photos", ()))


def test_record(one: Given) -> str:
    """Return the record of a communication test, nothing where none was made."""
    if one.get("comms_ok") is None:
        return ""
    result = around("status", tag("value", "passed" if one["comms_ok"] else "failed"))
    return around(
        "ActivityRecords",
        tag("createdDateTime", one.get("at", one.get("installed_at"))),
        tag("type", "communicationTest"),
        result,
    )


def device_event(one: Given) -> str:
    """Return one EndDeviceEvent of a meter."""
    return around(
        "EndDeviceEvent", tag("mRID", one["id"]), tag("createdDateTime", one["at"]),
        meter_reference("Assets", one), f'<EndDeviceEventType ref="{one["code"]}"/>',
    )  # fmt: skip


def work_meter(name: str, one: Given, whole: Given, kind: str) -> str:
    """Return a meter of a work with its last or first readings."""
    reason = "removal" if kind == "removed" else "installation"
    values = "".join(reading({**each, "at": whole[f"{kind}_at"], "reason": reason}) for each in one.get("readings", ()))
    block = around("MeterReadings", values, reference("UsagePoint", whole["usage_point"]))
    names = named(one["serial"], "serial", str(one.get("manufacturer", ""))) + named(whole.get("order"), "workOrder")
    names += seen_names(whole) if name == "Meter" else ""
    return around(name, tag("serialNumber", one["serial"]), block, names)


def reading(one: Given) -> str:
    """Return one Reading."""
    quality = f'<ReadingQualities><ReadingQualityType ref="{one.get("quality")}"/></ReadingQualities>'
    return (
        f"<Readings>{tag('reason', one.get('reason'))}{tag('timeStamp', one['at'])}{tag('value', one['value'])}"
        f'{quality if one.get("quality") else ""}<ReadingType ref="{one["reading_type"]}"/></Readings>'
    )


def meter_reading(one: Given) -> str:
    """Return one MeterReading of register values."""
    return around(
        "MeterReading", meter_reference("Meter", one), *(reading(each) for each in one["readings"]),
        reference("UsagePoint", one.get("usage_point")),
    )  # fmt: skip


_OBJECTS: dict[str, Callable[[Given], str]] = {
    "CustomerConfig": customer, "CustomerAccountConfig": account, "CustomerAgreementConfig": agreement,
    "ServiceLocationConfig": location, "UsagePointConfig": usage_point, "MasterDataLinkageConfig": linkage,
    "MeterServiceRequests": work, "MeterReadings": meter_reading,
    "EndDeviceEvents": device_event,
}  # fmt: skip


def noun_text(noun: str, objects: Iterable[Given]) -> str:
    """Return a noun's element of small JSON objects.

    Raises:
        KeyError: a noun that is not written here, or an object without its id.
    """
    found = list(objects)
    if noun == "MeterConfig":
        inside = "".join(meter(one) for one in found) + "".join(function(one) for one in found)
    else:
        inside = "".join(_OBJECTS[noun](one) for one in found)
    return f'<{noun} xmlns="{HOST}/{noun}#">{inside}</{noun}>'


def _flag(value: object) -> str:
    return "" if value is None else str(bool(value)).lower()
