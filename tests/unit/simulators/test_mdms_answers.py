from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from lxml import etree

from simulators import city
from simulators.city_book import Point
from simulators.local_days import at_local, utc_text
from simulators.mdms_files import nem_lines
from simulators.mdms_soap import answer_question, take_notice
from simulators.mdms_state import Mdms, open_mdms

DAY = date(2026, 11, 17)
MORNING = at_local(DAY, 7, 30)


@pytest.fixture
def mdms(tmp_path: Path) -> Mdms:
    city.found(tmp_path / "city", seed=7, points=150)
    return open_mdms(tmp_path)


def _with(mdms: Mdms, trouble: str, feed: str = "SOAP") -> Point:
    return next(p for p in mdms.points.values() if p.trouble == trouble and p.cycle == "17" and p.feed == feed)


def _ask(mdms: Mdms, usage_point: str, *, now: datetime = MORNING, fresh: bool = False) -> "etree._Element":
    start, end = mdms.cycles["17"].period
    source = "<source>METER</source>" if fresh else ""
    question = (
        "<e><MessageID>m</MessageID><CorrelationID>c</CorrelationID><Reading>"
        f"{source}<timePeriod><end>{utc_text(end)}</end><start>{utc_text(start)}</start></timePeriod></Reading>"
        f"<UsagePoint><mRID>{usage_point}</mRID></UsagePoint></e>"
    )
    return etree.fromstring(answer_question(mdms, question.encode(), now=now))


def _values(answer: "etree._Element", code: str) -> list[str]:
    return [
        reading.findtext("{*}value") or ""
        for reading in answer.iter("{*}Readings")
        if next(reading.iter("{*}ReadingType")).get("ref") == code
    ]


def _text(answer: "etree._Element", name: str) -> str:
    return next(answer.iter(f"{{*}}{name}")).text or ""


def test_an_unknown_usage_point_is_an_error_of_its_own(mdms: Mdms) -> None:
    answer = _ask(mdms, "00000000-0000-0000-0000-000000000000")

    assert (_text(answer, "Result"), _text(answer, "code")) == ("FAILED", "2.12")


def test_determinants_are_the_register_differences_times_the_multiplier(mdms: Mdms) -> None:
    shop = next(p for p in mdms.points.values() if p.size == "SHOP" and p.kind == "REGISTER" and not p.trouble)

    answer = _ask(mdms, shop.usage_point)

    start, stop = (int(v.replace(".", "")) for v in _values(answer, "0.0.0.1.1.1.12.0.0.0.0.0.0.0.0.3.72.0"))
    (total,) = _values(answer, "8.0.0.4.1.1.12.0.0.0.0.0.0.0.0.3.72.0")
    assert int(total.replace(".", "")) == (stop - start) * 40


def test_a_late_read_comes_when_the_meter_is_asked_again_and_stays(mdms: Mdms) -> None:
    late = _with(mdms, "LATE").usage_point

    assert _text(_ask(mdms, late), "code") == "5.7"
    assert _text(_ask(mdms, late, fresh=True), "Result") == "OK"
    assert _text(_ask(mdms, late), "Result") == "OK"


def test_an_estimate_comes_two_hours_before_the_deadline_marked_and_is_kept(mdms: Mdms) -> None:
    silent = _with(mdms, "ESTIMATE").usage_point

    assert _text(_ask(mdms, silent, fresh=True), "code") == "5.3"
    answer = _ask(mdms, silent, now=at_local(DAY, 15, 1))

    qualities = {element.get("ref") for element in answer.iter("{*}ReadingQualityType")}
    assert qualities == {"3.8.0"}
    assert mdms.books.db.execute("SELECT count(*) FROM estimate").fetchone() == (1,)
    later = _ask(mdms, silent, now=at_local(date(2026, 11, 18), 12))
    assert _values(later, "8.0.0.4.1.1.12.0.0.0.0.0.0.0.0.3.72.0") == _values(
        answer, "8.0.0.4.1.1.12.0.0.0.0.0.0.0.0.3.72.0"
    )


def test_the_actual_read_takes_the_place_of_an_estimate_on_the_second_day(mdms: Mdms) -> None:
    silent = _with(mdms, "ESTIMATE_LATE").usage_point
    total = "8.0.0.4.1.1.12.0.0.0.0.0.0.0.0.3.72.0"

    estimate = _values(_ask(mdms, silent, now=at_local(DAY, 15, 1)), total)
    actual = _values(_ask(mdms, silent, now=at_local(date(2026, 11, 18), 9, 1)), total)

    assert estimate != actual


def test_an_exchange_shows_both_meters_at_the_same_instant(mdms: Mdms) -> None:
    exchanged = _with(mdms, "EXCHANGE")

    answer = _ask(mdms, exchanged.usage_point)

    readings = list(answer.iter("{*}MeterReading"))
    stamps = [{e.text for e in reading.findall("{*}Readings/{*}timeStamp")} for reading in readings]
    changed = utc_text(datetime.fromisoformat(mdms.meters[exchanged.usage_point][1].installed_at))
    assert len(readings) == 2
    assert changed in stamps[0] & stamps[1]


def test_twins_say_the_same_energy_by_soap_in_utc_and_by_file_in_standard_time(mdms: Mdms) -> None:
    soap, file = _with(mdms, "TWIN"), _with(mdms, "TWIN", feed="NEM")
    assert soap.stream == file.stream

    answer = _ask(mdms, soap.usage_point)
    by_soap = [reading.findtext("{*}value") for reading in answer.iter("{*}IntervalReadings")]
    lines = list(nem_lines(mdms, [file], mdms.cycles["17"], MORNING))
    by_file = [value for line in lines if line.startswith("300,") for value in line.split(",")[2:50]]

    assert len(by_soap) == 31 * 48 + 2
    assert len(by_file) == 32 * 48
    first = 48 - 2
    assert by_file[first : first + len(by_soap)] == by_soap


def test_billed_notices_are_kept_once(mdms: Mdms) -> None:
    body = (
        b"<e><CorrelationID>c</CorrelationID><MeterReading><Readings><value>5.000</value><ReadingQualities>"
        b"<comment>BILLED d-1 v2</comment><ReadingQualityType ref='5.0.1'/></ReadingQualities>"
        b"<ReadingType ref='8.0.0.4.1.1.12.0.0.0.0.0.0.0.0.3.72.0'/></Readings>"
        b"<UsagePoint><mRID>u</mRID></UsagePoint></MeterReading></e>"
    )

    for _ in range(2):
        answer = etree.fromstring(take_notice(mdms, body, now=datetime.now(UTC)))

    assert _text(answer, "Result") == "OK"
    rows = mdms.books.db.execute("SELECT determinant_id, version, value FROM billed").fetchall()
    assert rows == [("d-1", 2, "5.000")]
