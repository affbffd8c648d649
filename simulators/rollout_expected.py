"""What each system must hold at the end of the rollout, exchange by exchange."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from simulators.local_days import utc_text
from simulators.mdms_xml import register_type
from simulators.rollout_truth import Exchange, text_of


@dataclass(frozen=True, slots=True, order=True)
class Fact:
    """One thing that a system must hold, in the words of the auditor."""

    what: str
    usage_point: str
    meter: str = ""
    text: str = ""


def name_of(manufacturer: str, serial: str) -> str:
    """Return a meter as every book names it."""
    return f"{manufacturer} {serial}"


def old_of(one: Exchange) -> str:
    """Return the name of the meter that was removed."""
    return name_of(one.old.manufacturer, one.old.serial)


def new_of(one: Exchange) -> str:
    """Return the name of the meter that was hung."""
    return name_of(one.new.manufacturer, one.new.serial)


def moment(text: str) -> str:
    """Return an instant so that two spellings of it are equal."""
    return utc_text(datetime.fromisoformat(text)) if text else ""


def stays(one: Exchange) -> Iterator[Fact]:
    """Yield which meter hung there from when to when, as every system that keeps links must hold it."""
    began, at = moment(one.old.installed_at), moment(one.new.installed_at)
    yield Fact("link", one.point.usage_point, old_of(one), f"{began} to {at}")
    yield Fact("link", one.point.usage_point, new_of(one), f"{at} to ")


def values(one: Exchange) -> Iterator[Fact]:
    """Yield the last and first readings."""
    for meter, shown in ((old_of(one), one.final), (new_of(one), one.first)):
        for register, count in shown.items():
            yield Fact("reading", one.point.usage_point, meter, f"{register_type(register)} {text_of(count)}")


def of_cis(one: Exchange) -> Iterator[Fact]:
    """Yield what the CIS must hold of an exchange that came to its end."""
    yield Fact("exchange", one.point.usage_point, new_of(one), f"{old_of(one)} at {moment(one.new.installed_at)}")
    yield Fact("certified", one.point.usage_point)
    yield from values(one)


def of_mdms(one: Exchange) -> Iterator[Fact]:
    """Yield what the MDMS must hold."""
    yield from stays(one)
    yield from values(one)


def of_hes(one: Exchange) -> Iterator[Fact]:
    """Yield what the head-end must hold."""
    yield Fact("device", "", old_of(one), "OUT")
    yield Fact("device", "", new_of(one), "COMMISSIONED, registered")


def of_oms(one: Exchange) -> Iterator[Fact]:
    """Yield what the outage system must hold."""
    yield Fact("hangs", one.point.usage_point, new_of(one))


def of_wams(one: Exchange) -> Iterator[Fact]:
    """Yield what the work system must hold: its old meter came back."""
    yield Fact("returned", "", old_of(one))


EXPECTED = {"cis_ws": of_cis, "mdms_ws": of_mdms, "hes_ws": of_hes, "oms_ws": of_oms, "wams_ws": of_wams}
"""What each system must hold of one exchange."""
