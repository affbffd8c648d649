"""Two CIS and two MDMS at one hub: each MDMS's books hold its own town, whatever comes in whatever order."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from two_towns import Towns, eventually, two_towns, uid

from simulators.cim_nouns import noun_text
from simulators.cim_wire import event

AT = "2026-03-01T05:00:00Z"
EXCHANGED = "2026-03-09T15:00:00Z"
KWH = "0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.72.0"
TOWNS = {"north": "N1", "south": "S1"}
NUMBERS = (1, 2, 3)


@pytest.fixture(scope="module")
def towns(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Towns]:
    with two_towns(tmp_path_factory.mktemp("two_towns")) as running:
        for town in TOWNS:
            populate(running, town)
        yield running


def point(town: str, number: int, **more: Any) -> dict[str, Any]:
    return {"id": uid(town, number), "name": f"{town}-{number}", "district": TOWNS[town], "zone": "America/Toronto",
            "service": "electricity", "at": AT, **more}  # fmt: skip


def meter(town: str, number: int) -> dict[str, Any]:
    register = {"id": "T", "reading_type": KWH, "left": 5, "right": 1}
    return {"serial": f"{number:04}", "manufacturer": town.upper(), "registers": [register], "multiplier": 1, "at": AT}


def link(town: str, number: int, place: int = 0, at: str = AT) -> dict[str, Any]:
    one = {"serial": f"{number:04}", "manufacturer": town.upper()}
    return {"meters": [one], "usage_points": [uid(town, place or number)], "at": at}


def populate(towns: Towns, town: str) -> None:
    """Have a town's CIS tell everything of its own: the first link comes before its meter."""
    cis = f"cis_{town}"
    for n in NUMBERS:
        towns.good(cis, "create", "CustomerConfig", {"id": f"{town}-C{n}", "kind": "residential", "name": "Ada"})
        towns.good(
            cis, "create", "CustomerAccountConfig", {"id": f"{town}-A{n}", "customer": f"{town}-C{n}", "cycle": "07"}
        )
    towns.good(cis, "create", "UsagePointConfig", *(point(town, n) for n in NUMBERS))
    for n in NUMBERS:
        towns.good(
            cis, "create", "CustomerAgreementConfig",
            {"id": f"{town}-G{n}", "account": f"{town}-A{n}", "usage_point": uid(town, n), "tariff": "R1",
             "start": AT, "at": AT, "customer_class": "RESIDENTIAL"},
        )  # fmt: skip
    towns.good(cis, "create", "MasterDataLinkageConfig", link(town, 1))
    for n in NUMBERS:
        towns.good(cis, "create", "MeterConfig", meter(town, n))
    for n in NUMBERS[1:]:
        towns.good(cis, "create", "MasterDataLinkageConfig", link(town, n))


def names(town: str, letter: str) -> set[str]:
    return {f"{town}-{letter}{n}" for n in NUMBERS}


def held(towns: Towns, town: str) -> dict[str, set[str]]:
    """Return what the MDMS of a town holds of what both towns' CIS told at first, and of the other town."""
    both = owned("north"), owned("south")
    return {kind: towns.objects(f"mdms_{town}", kind) & (both[0][kind] | both[1][kind]) for kind in both[0]}


def owned(town: str) -> dict[str, set[str]]:
    return {
        "Customer": names(town, "C"),
        "CustomerAccount": names(town, "A"),
        "CustomerAgreement": names(town, "G"),
        "UsagePoint": {uid(town, n) for n in NUMBERS},
        "Meter": {f"{town.upper()} {n:04}" for n in NUMBERS},
    }


def links_of(town: str) -> set[tuple[str, str, str, str | None]]:
    return {(f"{town.upper()} {n:04}", uid(town, n), AT, None) for n in NUMBERS}


def linked(towns: Towns, town: str) -> set[tuple[str, str, str, str | None]]:
    """Return the links in the books of a town's MDMS that its CIS told at first, and those of the other town."""
    return towns.links(f"mdms_{town}") & (links_of("north") | links_of("south"))


@pytest.mark.slow
@pytest.mark.servers
def test_each_mdms_holds_its_own_town_and_a_link_before_its_meter_waits_and_is_applied_once(towns: Towns) -> None:
    for town in TOWNS:
        eventually(partial(held, towns, town), owned(town))
        eventually(partial(linked, towns, town), links_of(town))
        assert [row["result"] for row in towns.book(f"mdms_{town}", "heard") if row["result"] != "OK"] == []


@pytest.mark.slow
@pytest.mark.servers
def test_a_message_about_both_towns_is_split_and_each_mdms_hears_of_its_own(towns: Towns) -> None:
    towns.good("cis_north", "change", "UsagePointConfig", point("north", 2, route="RX"), point("south", 2, route="RX"))

    def told(town: str) -> list[int]:
        changes = [one["body"] for one in towns.book(f"mdms_{town}", "heard") if "RX" in one["body"]]
        other = "south" if town == "north" else "north"
        return [one.count(uid(town, 2)) - one.count(uid(other, 2)) for one in changes]

    for town in TOWNS:
        eventually(partial(told, town), [1])


@pytest.mark.slow
@pytest.mark.servers
def test_a_meter_exchange_goes_to_the_town_s_cis_and_mdms_behind_the_meter_that_it_hangs(towns: Towns) -> None:
    new = meter("north", 9)
    readings = [{"reading_type": KWH, "value": "731.5"}]
    exchange = {
        "usage_point": uid("north", 3), "order": "W-1", "removed_at": EXCHANGED, "installed_at": EXCHANGED,
        "removed": {"serial": "0003", "manufacturer": "NORTH", "readings": readings},
        "installed": {"serial": "0009", "manufacturer": "NORTH"},
    }  # fmt: skip

    first = towns.tell("wams", "create", "MeterServiceRequests", exchange)
    before = towns.book("cis_north", "exchange"), towns.book("mdms_north", "exchange")
    towns.good("wams", "create", "MeterConfig", new)

    def done(system: str) -> list[tuple[str, str, str]]:
        return [(one["usage_point"], one["removed"], one["installed"]) for one in towns.book(system, "exchange")]

    assert (first["result"], before) == ("OK", ([], []))
    for system in ("cis_north", "mdms_north"):
        eventually(partial(done, system), [(uid("north", 3), "NORTH 0003", "NORTH 0009")])
        nouns = [one["noun"] for one in towns.book(system, "heard") if one["noun"].startswith("Meter")]
        assert nouns[-2:] == ["MeterConfig", "MeterServiceRequests"]
    assert done("cis_south") == done("mdms_south") == []
    read = [one for one in towns.book("cis_north", "reading") if one["meter"] == "NORTH 0003"]
    assert [one["value"] for one in read] == ["731.5"]


@pytest.mark.slow
@pytest.mark.servers
def test_readings_are_asked_of_each_town_s_mdms_and_one_that_is_away_leaves_only_its_own_unanswered(
    towns: Towns,
) -> None:
    at = {"reading_type": KWH, "at": "2026-03-20T00:00:00Z", "serial": "0001"}
    for town, value in (("north", "11.5"), ("south", "22.5")):
        row = {**at, "usage_point": uid(town, 1), "manufacturer": town.upper(), "value": value}
        towns.seed(f"mdms_{town}", row)
    north, south = uid("north", 1), uid("south", 1)

    assert towns.readings_of("cis_north", north) == ("OK", {north: ["11.5"]}, {"None": "0.0"})
    assert towns.readings_of("cis_south", south)[:2] == ("OK", {south: ["22.5"]})
    assert towns.readings_of("cis_south", north, south)[:2] == ("OK", {north: ["11.5"], south: ["22.5"]})

    towns.stop("mdms_south")
    result, values, errors = towns.readings_of("cis_south", north, south)
    towns.start("mdms_south")

    assert (result, values, set(errors)) == ("PARTIAL", {north: ["11.5"]}, {south})


@pytest.mark.slow
@pytest.mark.servers
def test_what_is_for_an_mdms_that_is_down_waits_while_the_other_town_goes_on(towns: Towns) -> None:
    towns.stop("mdms_south")

    for town in TOWNS:
        towns.good(f"cis_{town}", "create", "UsagePointConfig", point(town, 7))
        towns.good(f"cis_{town}", "create", "MeterConfig", meter(town, 7))
        towns.good(f"cis_{town}", "create", "MasterDataLinkageConfig", link(town, 7))
    wanted = {town: (f"{town.upper()} 0007", uid(town, 7), AT, None) for town in TOWNS}
    eventually(lambda: wanted["north"] in towns.links("mdms_north"), True)
    towns.start("mdms_south")

    eventually(lambda: wanted["south"] in towns.links("mdms_south"), True)
    heard = [one["result"] for one in towns.book("mdms_south", "heard")]
    assert set(heard) == {"OK"}


@pytest.mark.slow
@pytest.mark.servers
def test_a_repeat_gets_the_first_answer_byte_for_byte_and_goes_nowhere(towns: Towns) -> None:
    identity = uid("repeat")
    payload = noun_text("CustomerConfig", [{"id": "north-C8", "kind": "residential"}])
    body = event("create", "CustomerConfig", payload, message_id=identity, correlation_id=identity, source="CIS")

    answers = {towns.call("cis_north", "ExecuteCustomerConfig", body) for _ in range(3)}
    eventually(lambda: "north-C8" in towns.objects("mdms_north", "Customer"), True)

    (answer,) = answers
    assert b">OK<" in answer
    told = [one for one in towns.book("mdms_north", "heard") if "north-C8" in one["body"]]
    assert len(told) == 1


@pytest.mark.slow
@pytest.mark.servers
def test_a_message_that_no_flow_understands_is_passed_on_to_the_town_of_each_object(towns: Towns) -> None:
    control = (
        '<EndDeviceControl><reason>{town}</reason><EndDeviceControlType ref="3.31.0.23"/>{point}</EndDeviceControl>'
    )
    places = {town: f"<UsagePoints><mRID>{uid(town, 2)}</mRID></UsagePoints>" for town in TOWNS}
    inside = "".join(control.format(town=f"stop-{town}", point=places[town]) for town in TOWNS)
    xml = f'<EndDeviceControls xmlns="http://iec.ch/TC57/2011/EndDeviceControls#">{inside}</EndDeviceControls>'

    towns.good("cis_south", "create", "EndDeviceControls", xml=xml)
    refused = towns.tell("cis_south", "change", "EndDeviceControls", xml=xml)

    def heard(town: str) -> list[list[str]]:
        bodies = [one["body"] for one in towns.book(f"mdms_{town}", "heard") if one["noun"] == "EndDeviceControls"]
        return [[name for name in TOWNS if f"stop-{name}" in body] for body in bodies]

    for town in TOWNS:
        eventually(partial(heard, town), [[town]])
    assert refused["status"] == 500


@pytest.mark.slow
@pytest.mark.servers
def test_a_stranger_s_usage_point_is_work_and_goes_to_nobody(towns: Towns) -> None:
    stranger = uid("stranger")

    towns.good("cis_north", "create", "UsagePointConfig", {**point("north", 50), "id": stranger, "district": "X9"})

    assert ("1180 TERRITORY_UNKNOWN", stranger) in towns.work()
    towns.good("cis_north", "create", "CustomerConfig", {"id": "north-last", "kind": "residential"})
    eventually(lambda: "north-last" in towns.objects("mdms_north", "Customer"), True)
    assert stranger not in towns.objects("mdms_north", "UsagePoint") | towns.objects("mdms_south", "UsagePoint")


@pytest.mark.slow
@pytest.mark.servers
def test_what_an_mdms_refuses_or_another_begins_is_told_object_by_object(towns: Towns) -> None:
    mixed = towns.tell("cis_south", "close", "UsagePointConfig", {**point("south", 3), "at": "2020-01-01T00:00:00Z"})
    foreign = towns.tell("wams", "create", "MasterDataLinkageConfig", link("north", 1))
    double = towns.tell("cis_north", "create", "MasterDataLinkageConfig", link("north", 2, place=1))

    assert (mixed["result"], [one["object"] for one in mixed["errors"]]) == ("FAILED", [uid("south", 3)])
    assert "3015 NOT_THE_ORIGIN" in foreign["errors"][0]["reason"]
    assert "3010 ALREADY_LINKED" in double["errors"][0]["reason"]
