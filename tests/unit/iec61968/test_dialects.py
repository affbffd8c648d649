"""Codes as data: what each source's events, commands and aliases mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canonical.event_kinds import EventKind
from iec61968.dialects import controls, events, reading_types
from iec61968.dialects.reply_code_meanings import meaning_of
from iec61968.nouns.elements import EndDeviceEvent, Reference
from iec61968.samples import _INSTANT


@pytest.mark.parametrize(
    ("dialect", "lost", "restored"),
    [
        ("edition2", "3.26.0.85", "3.26.0.216"),
        ("mesh", "3.26.0.47", "3.26.0.216"),
        ("firmware", "3.26.0.85", "26.26.0.216"),
        ("legacy", "3.26.9.185", "3.26.9.216"),
    ],
)
def test_each_dialect_has_its_own_words_for_an_outage(dialect: str, lost: str, restored: str) -> None:
    assert events.event_kind(lost, dialect=dialect) is EventKind.POWER_LOST
    assert events.event_kind(restored, dialect=dialect) is EventKind.POWER_RESTORED


def test_the_same_code_may_mean_another_thing_elsewhere_or_nothing() -> None:
    assert events.event_kind("3.26.38.150", dialect="edition2") is EventKind.UNDER_VOLTAGE
    assert events.event_kind("3.26.38.150", dialect="firmware") is EventKind.PHASE_LOST
    assert events.event_kind("3.26.9.185", dialect="edition2") is None
    assert events.event_kind("3.31.0.68", dialect="legacy") is EventKind.DISCONNECTED


@pytest.mark.parametrize("code", ["", "3", "outage", "3.26.0.99999", "*"])
def test_an_unmapped_code_is_reported_as_such(code: str) -> None:
    assert all(events.event_kind(code, dialect=dialect) is None for dialect in events.DIALECTS)


def test_a_dialect_that_does_not_exist_is_a_mistake_of_setting_up() -> None:
    with pytest.raises(KeyError):
        events.event_kind("3.26.0.85", dialect="nobody")


@pytest.mark.parametrize(
    ("mrid", "ref", "code"),
    [
        (None, "3.26.0.85", "3.26.0.85"),
        ("3.26.9.185", None, "3.26.9.185"),
        ("3.26.9.185", "3.26.0.85", "3.26.0.85"),
        ("an-id", None, ""),
    ],
)
def test_the_code_of_an_event_is_its_type_or_else_its_mrid(mrid: str | None, ref: str | None, code: str) -> None:
    event = EndDeviceEvent(mrid=mrid, created_date_time=_INSTANT, end_device_event_type=Reference(ref=ref))

    assert events.code_of(event) == code


@given(st.sampled_from(sorted(controls._table()["kinds"].values())), st.sampled_from([3, 4, 26]))
def test_a_command_has_one_code_and_its_answers_are_told(kind: str, device_type: int) -> None:
    code = controls.control_code(kind, device_type=device_type)

    assert controls.control_kind(code) == kind
    assert controls.outcome_of(code, code.rpartition(".")[0] + ".44") == "PROCESSED"
    assert controls.outcome_of(code, "3.99.0.44") is None
    assert controls.control_kind("3.0.129.160") is None


def test_a_reading_type_is_its_code_an_alias_of_the_source_or_unmapped() -> None:
    daily = "11.0.0.4.1.1.12.0.0.0.0.0.0.0.0.3.72.0"

    assert reading_types.reading_type_code(daily) == daily
    assert reading_types.reading_type_code("kWh forward, daily") == daily
    assert reading_types.reading_type_code("3.0.129.160", aliases={"3.0.129.160": daily}) == daily
    assert reading_types.reading_type_code("3.0.129.160") is None


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("0.0", "no error"),
        ("2.12", "invalid UsagePoint(s)"),
        ("7.5", "not authorised"),
        ("2.11", "invalid parameter"),
        ("6004", ""),
    ],
)
def test_a_reply_code_has_its_meaning_or_that_of_its_category(code: str, said: str) -> None:
    assert meaning_of(code) == said
