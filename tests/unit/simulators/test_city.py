from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from simulators import city
from simulators.audit_truth import daily_counts, half_hour_counts
from simulators.city_book import CityBook, Meter, Point
from simulators.city_truth import day_values
from simulators.local_days import at_local, midnight
from simulators.meter_face import face, interval_values, stream_of, used

START, END = midnight(date(2026, 10, 17)), midnight(date(2026, 11, 17))


def _people(folder: Path, count: int) -> list[Point]:
    book = CityBook(city.found(folder, seed=7, points=count))
    return list(book.points().values())


def test_a_city_of_5000_points_has_the_mix_of_a_real_one_and_4000_items_due_on_two_days(tmp_path: Path) -> None:
    people = _people(tmp_path, 5000)

    kinds = Counter((point.kind, point.feed) for point in people)
    assert kinds[("REGISTER", "SOAP")] == 4600
    assert kinds[("INTERVAL", "SOAP")] == kinds[("INTERVAL", "NEM")] == 200
    assert sum(point.cycle in ("17", "18") for point in people) >= 4000
    assert {point.commodity for point in people} == {"ELECTRICITY", "GAS", "WATER"}


def test_even_a_small_city_has_every_trouble_on_its_first_business_day(tmp_path: Path) -> None:
    people = _people(tmp_path, 150)

    troubles = {point.trouble for point in people if point.cycle == "17"}
    assert troubles >= {
        "LATE",
        "LATE_FILE",
        "ESTIMATE",
        "ESTIMATE_LATE",
        "NO_READ",
        "HELD",
        "EXCHANGE",
        "ROLLOVER",
        "TWIN",
    }
    assert any(point.trouble == "EXCHANGE" and point.size == "SHOP" for point in people if point.cycle == "17")


def test_the_same_seed_founds_the_same_city_and_another_seed_another(tmp_path: Path) -> None:
    one, again = _people(tmp_path / "a", 50), _people(tmp_path / "b", 50)
    other = CityBook(city.found(tmp_path / "c", seed=8, points=50))

    assert one == again
    assert list(other.points().values()) != one


def test_what_a_meter_shows_at_two_instants_differs_by_what_flowed_in_between() -> None:
    stream = stream_of(7, "QB00000001", "HOME")
    meter = Meter("u", "m", "s", "", "", 1, 5, 1_000_000, START.isoformat())
    halfway = at_local(date(2026, 11, 1), 10, 30)

    first, middle, last = (face(meter, stream, at, commodity="ELECTRICITY") for at in (START, halfway, END))

    truth = daily_counts(7, "QB00000001", "HOME", START, END)
    assert last["T0"] - first["T0"] == sum(truth.values())
    assert last["T1"] - first["T1"] == truth["ON"]
    assert (middle["T3"] - first["T3"]) + (last["T3"] - middle["T3"]) == truth["OFF"]


def test_a_register_starts_again_at_zero_after_its_last_digit() -> None:
    stream = stream_of(7, "QB00000001", "HOME")
    meter = Meter("u", "m", "s", "", "", 1, 5, 10**8 - 1000, START.isoformat())

    shown = face(meter, stream, END, commodity="ELECTRICITY")

    assert shown["T0"] == sum(used(stream, START, END)) - 1000


def test_the_night_on_which_clocks_go_back_has_fifty_half_hours() -> None:
    start, end = midnight(date(2026, 11, 1)), midnight(date(2026, 11, 2))

    values = interval_values(7, "QB00000003", start, end)

    assert end - start == timedelta(hours=25)
    assert len(values) == 50
    assert sum(values) == sum(half_hour_counts(7, "QB00000003", start, end).values())


def test_weekends_and_holidays_are_off_peak_all_day() -> None:
    days = day_values(7, "QB00000001", "HOME")

    for day in (date(2026, 11, 1), date(2026, 11, 7), date(2026, 11, 11)):
        on, mid, off = days[(day - date(2026, 9, 1)).days]
        assert (on, mid) == (0, 0)
        assert off > 0


def test_a_current_transformer_counts_on_the_meters_side(tmp_path: Path) -> None:
    book = CityBook(city.found(tmp_path, seed=7, points=150))
    shops = [point for point in book.points().values() if point.size == "SHOP"]

    assert shops
    assert all(meter.multiplier == 40 for shop in shops for meter in book.meters()[shop.usage_point])
    assert datetime.now(UTC).tzinfo is UTC
