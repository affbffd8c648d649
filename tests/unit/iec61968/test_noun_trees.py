"""Any noun that can be built is valid and reads back equal; whatever arrives is kept or refused with a code."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from canonical.errors import RejectedError
from iec61968 import validation
from iec61968.editions import EDITIONS
from iec61968.nouns import end_device_controls, end_device_events, usage_point_config
from iec61968.nouns.shape import Scalar, Slot, slots
from iec61968.samples import sample_noun
from iec61968.spoken_nouns import NOUNS

WORDS = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FFF, exclude_categories=("Cc", "Cs", "Z")), max_size=8)
VALUES: dict[type, st.SearchStrategy[Any]] = {
    str: WORDS,
    bool: st.booleans(),
    int: st.integers(),
    Decimal: st.decimals(allow_nan=False, places=4),
    datetime: st.datetimes(
        datetime(1970, 1, 2),  # noqa: DTZ001
        datetime(2100, 1, 1),  # noqa: DTZ001
        timezones=st.sampled_from([UTC, timezone(timedelta(hours=8)), timezone(timedelta(hours=-3, minutes=-30))]),
    ),
    date: st.dates(date(1970, 1, 1)),
    time: st.times(),
}


def things(cls: type) -> st.SearchStrategy[Any]:
    """Return objects of a class with any of what may stand in them."""
    return st.builds(cls, **{slot.field: places(slot) for slot in slots(cls)})


def places(slot: Slot) -> st.SearchStrategy[Any]:
    one = st.one_of([values(choice.type) for choice in slot.choices])
    if slot.many:
        return st.lists(one, min_size=int(slot.required), max_size=2).map(tuple)
    return one if slot.expected else st.none() | one


def values(kind: Any) -> st.SearchStrategy[Any]:
    if not isinstance(kind, Scalar):
        return things(kind)
    return st.sampled_from(kind.words) if kind.words else VALUES[kind.python]


@pytest.mark.slow
@pytest.mark.parametrize("name", NOUNS)
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_noun_is_valid_and_reads_back_equal(name: str, data: st.DataObject) -> None:
    noun = data.draw(things(NOUNS[name].type))

    raw = etree.tostring(NOUNS[name].to_xml(noun))

    validation.require_valid(etree.fromstring(raw), EDITIONS["2011"])
    assert NOUNS[name].from_xml(etree.fromstring(raw)) == noun


@pytest.mark.parametrize("name", NOUNS)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_a_damaged_noun_is_read_or_refused_with_a_code(name: str, data: st.DataObject) -> None:
    root = NOUNS[name].to_xml(sample_noun(NOUNS[name], full=True))
    elements = list(root.iter())
    victim = data.draw(st.sampled_from(elements[1:]))
    damage = data.draw(st.sampled_from(["drop", "rename", "text", "move", "copy"]))
    parent: Any = victim.getparent()
    if damage == "drop":
        parent.remove(victim)
    elif damage == "rename":
        victim.tag = f"{{urn:vendor}}{data.draw(st.sampled_from(['mRID', 'x']))}"
    elif damage == "text":
        victim.text = data.draw(WORDS)
    elif damage == "move":
        parent.append(victim)
    else:
        parent.insert(0, etree.fromstring(etree.tostring(victim)))

    try:
        NOUNS[name].from_xml(root, strict=False)
    except RejectedError as error:
        number = error.code.number
    else:
        number = ""
    assert number in ("", "1108", "1117")


def event(body: str) -> etree._Element:
    return etree.fromstring(
        '<EndDeviceEvents xmlns="http://iec.ch/TC57/2011/EndDeviceEvents#"><EndDeviceEvent>'
        f"{body}<EndDeviceEventType/></EndDeviceEvent></EndDeviceEvents>"
    )


def test_what_is_not_of_the_profile_is_kept_with_its_place_and_never_written() -> None:
    root = event('<createdDateTime>2026-03-01T08:00:00+08:00</createdDateTime><x:alarm xmlns:x="urn:v">1</x:alarm>')

    noun = end_device_events.from_xml(root)

    (kept,) = noun.extensions
    assert (kept.path, "alarm" in kept.xml) == ("EndDeviceEvents/EndDeviceEvent/alarm", True)
    assert noun.end_device_event[0].created_date_time.utcoffset() == timedelta(hours=8)
    assert b"alarm" not in etree.tostring(end_device_events.to_xml(noun))


def test_an_instant_without_an_offset_needs_a_declared_zone() -> None:
    root = event("<createdDateTime>2026-03-01T08:00:00</createdDateTime>")

    with pytest.raises(RejectedError) as caught:
        end_device_events.from_xml(root)
    read = end_device_events.from_xml(root, zone=timezone(timedelta(hours=1)))

    assert caught.value.where == "EndDeviceEvents/EndDeviceEvent/createdDateTime"
    assert read.end_device_event[0].created_date_time == datetime(2026, 3, 1, 7, tzinfo=UTC)


def test_an_unknown_word_is_refused_when_strict_and_kept_when_not() -> None:
    root = etree.fromstring(
        '<UsagePointConfig xmlns="http://iec.ch/TC57/2011/UsagePointConfig#">'
        "<UsagePoint><phaseCode>XYZ</phaseCode></UsagePoint></UsagePointConfig>"
    )

    with pytest.raises(RejectedError, match="XYZ"):
        usage_point_config.from_xml(root)
    kept: str | None = usage_point_config.from_xml(root, strict=False).usage_point[0].phase_code
    assert kept == "XYZ"


def test_what_partners_leave_out_is_read_but_never_left_out_by_us() -> None:
    root = etree.fromstring(
        '<EndDeviceControls xmlns="http://iec.ch/TC57/2011/EndDeviceControls#"><EndDeviceControl>'
        '<EndDeviceControlType ref="3.31.0.23"/><primaryDeviceTiming><interval/></primaryDeviceTiming>'
        "</EndDeviceControl></EndDeviceControls>"
    )

    noun = end_device_controls.from_xml(root)

    with pytest.raises(RejectedError, match="randomisation"):
        end_device_controls.to_xml(noun)
