import json
from pathlib import Path

import pytest

from simulators import city
from simulators.cis_files import hash_of, manifest_of, put, stem_of
from simulators.knobs import Knobs
from simulators.local_days import at_local
from simulators.masters_city import SORTS, Truth
from simulators.masters_demo import FEWEST
from simulators.masters_plan import city_of, write_plans
from simulators.masters_seeds import plan_day
from simulators.masters_system import MastersSystem, home_of, open_system, turn
from simulators.masters_wire import Head, Version, name_of, read, write
from simulators.script import BUSINESS_DAYS

pytestmark = pytest.mark.slow

DAY = BUSINESS_DAYS[0]
MORNING, NOON = at_local(DAY, 2, 1), at_local(DAY, 12)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    city.found(tmp_path / "city", seed=7, points=200, days=1)
    return tmp_path


def _told(system: MastersSystem, *versions: Version) -> str:
    head = Head("AMIHUB", "CHANGES", 1, MORNING, MORNING, DAY, zone="UTC")
    name, body = name_of(head, receiver=system.sort.sender), write(head, versions)
    control = manifest_of(name, body, sequence=1, layout="masters/1", produced_at="", zone="UTC")
    put(system.root / "inbound", name, body)
    put(system.root / "inbound", stem_of(name) + ".ctl", control)
    turn(system, MORNING)
    return name


def _answer(system: MastersSystem, name: str) -> dict[str, object]:
    answer: dict[str, object] = json.loads((system.root / "outbound" / (stem_of(name) + ".ack")).read_text())
    return answer


def _place(version: Version) -> tuple[str, str, str]:
    return version.tag, version.key, version.start


def _a_route(system: MastersSystem, route: str = "R9") -> Version:
    known = next(version for version in system.book.held() if version.tag == "UPT")
    return Version("UPT", known.key, "2026-11-17T05:00:00Z", "", {"route": route})


def test_every_system_drops_what_it_holds_at_its_time_and_nothing_it_does_not_keep(run: Path) -> None:
    write_plans(run, plan_day(Truth(city_of(run))))

    for name, sort in SORTS.items():
        system = open_system(run, name)
        turn(system, MORNING)
        (path,) = (system.root / "outbound").glob("*_FULL_*.dat")
        versions = [version for _, version in read(path).versions]
        assert {version.tag for version in versions} == set(sort.keeps)
        assert sorted(versions, key=_place) == sorted(system.book.held(), key=_place)
        assert all(set(version.facts) <= set(sort.keeps[version.tag]) for version in versions)


def test_each_system_says_instants_as_fine_as_its_clock_is(run: Path) -> None:
    seconds = {}
    for name in ("mdms", "wams", "hes"):
        hung = [version.start for version in open_system(run, name).book.held() if version.tag == "INS"]
        seconds[name] = {start[-3:-1] for start in hung}

    assert seconds["mdms"] == seconds["wams"] == {"00"}
    assert len(seconds["hes"]) > 10
    assert all(v.start[14:19] == "00:00" for v in open_system(run, "gis").book.held())


def test_a_told_version_is_taken_in_from_its_start_on_and_what_it_does_not_state_stays(run: Path) -> None:
    mdms = open_system(run, "mdms")
    version = _a_route(mdms)

    name = _told(mdms, version)

    before, after = mdms.book.held("UPT", version.key)
    assert (before.end, after.start, after.end) == (version.start, version.start, "")
    assert after.facts == {**before.facts, "route": "R9"}
    assert _answer(mdms, name)["verdict"] == "ACCEPTED"
    assert [(item["key"], item["verdict"]) for item in _answer(mdms, name)["items"]] == [
        (f"UPT {version.key}", "ACCEPTED")
    ]  # type: ignore[attr-defined]


@pytest.mark.parametrize(("knob", "verdict"), [("refuse", "REJECTED"), ("lose", "ACCEPTED")])
def test_what_is_refused_or_lost_changes_nothing(run: Path, knob: str, verdict: str) -> None:
    mdms = open_system(run, "mdms")
    version = _a_route(mdms)
    Knobs(home_of(run, "mdms") / "knobs.json").write({knob: [f"UPT {version.key}"]})
    before = list(mdms.book.held())

    name = _told(mdms, version)

    assert list(mdms.book.held()) == before
    assert [item["verdict"] for item in _answer(mdms, name)["items"]] == [verdict]  # type: ignore[attr-defined]


def test_a_slow_system_answers_when_it_is_no_longer_slow(run: Path) -> None:
    mdms = open_system(run, "mdms")
    version = _a_route(mdms)
    knobs = Knobs(home_of(run, "mdms") / "knobs.json")
    knobs.write({"slow": [f"UPT {version.key}"]})
    name = _told(mdms, version)
    assert not list((mdms.root / "outbound").glob("*.ack"))

    knobs.write({})
    turn(mdms, MORNING)

    assert _answer(mdms, name)["verdict"] == "ACCEPTED"
    assert len(list(mdms.book.held("UPT", version.key))) == 2


def test_what_a_system_does_not_keep_is_refused_and_a_cut_file_is_refused_whole(run: Path) -> None:
    mdms = open_system(run, "mdms")

    name = _told(mdms, Version("TOP", "u", "2026-11-17T05:00:00Z", "", {"transformer": "T"}))

    assert [item["code"] for item in _answer(mdms, name)["items"]] == ["C101"]  # type: ignore[attr-defined]
    cut = name.replace("000001", "000002")
    put(mdms.root / "inbound", cut, b"HDR|masters|1\n")
    put(mdms.root / "inbound", stem_of(cut) + ".ctl", json.dumps({"name": cut}).encode())
    turn(mdms, MORNING)
    assert _answer(mdms, cut)["verdict"] == "REJECTED"


def test_who_keeps_seconds_does_not_give_them_up_for_the_minute_of_the_same_event(run: Path) -> None:
    hes = open_system(run, "hes")
    hung = next(v for v in hes.book.held() if v.tag == "INS" and not v.end and not v.start.endswith("00Z"))

    _told(hes, Version("INS", hung.key, hung.start[:-3] + "00Z", "2026-11-17T08:30:00Z"))

    (known,) = hes.book.held("INS", hung.key)
    assert (known.start, known.end) == (hung.start, "2026-11-17T08:30:00Z")


def test_the_day_has_fifty_differences_of_every_class_and_cause_each_of_another_thing(run: Path) -> None:
    day = plan_day(Truth(city_of(run)))

    assert len({(d.system, d.tag, d.key) for d in day.differences}) == len(day.differences) == 50
    assert {d.sort for d in day.differences} == {
        "MISSING_IN_X",
        "EXTRA_IN_X",
        "FIELD_DIFF",
        "EFFECTIVE_DATE_DIFF",
        "LATE",
        "KNOWN_WAIVED",
    }
    assert {d.cause for d in day.differences} == {"lost", "mapping", "late", "out_of_band"}
    assert {d.system for d in day.differences} == {"hub", "mdms", "wams", "hes", "oms"}
    assert plan_day(Truth(city_of(run))).differences == day.differences


@pytest.mark.parametrize("seed", [1, 8, 23])
def test_the_smallest_city_of_any_seed_has_room_for_fifty_differences(tmp_path: Path, seed: int) -> None:
    city.found(tmp_path / "city", seed=seed, points=FEWEST, days=1)

    day = plan_day(Truth(city_of(tmp_path)))

    assert len({(d.system, d.tag, d.key) for d in day.differences}) == 50


def test_changes_are_told_once_and_what_is_changed_by_hand_is_never_told(run: Path) -> None:
    write_plans(run, plan_day(Truth(city_of(run))))
    told: dict[str, set[str]] = {}
    for name in SORTS:
        system = open_system(run, name)
        for minute in range(0, 60, 20):
            turn(system, at_local(DAY, 6, minute))
            turn(system, NOON)
        files = sorted((system.root / "outbound").glob("*_CHANGES_*.dat"))
        told[name] = {version.key for path in files for _, version in read(path).versions}
        assert len(list((system.root / "outbound").glob("*_FULL_*.dat"))) == 4

    assert told["mdms"] == told["hes"] == told["oms"] == set()
    by_hand = {d.key for d in plan_day(Truth(city_of(run))).differences if d.cause == "out_of_band"}
    assert not by_hand & (told["cis"] | told["wams"] | told["gis"])


def test_a_trailer_says_the_hash_of_what_names_each_record() -> None:
    head = Head("GIS", "FULL", 3, MORNING, MORNING, DAY, layout="topology")

    body = write(head, [Version("TOP", "u2", "2024-05-01T04:00:00Z", "", {"transformer": "T1", "feeder": "F1"})])

    lines = body.decode().splitlines()
    assert name_of(head) == "TP_GIS_AMIHUB_TEST_FULL_20261117_000003_r0.dat"
    assert lines[1:] == ["TOP|u2|T1|F1|2024-05-01T00:00:00-04:00|", f"TRL|1|{hash_of(['u2'])}"]
