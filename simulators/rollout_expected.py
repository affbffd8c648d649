"""What each system must hold at the end of the rollout, exchange by exchange."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from simulators.local_days import utc_text
from simulators.mdms_xml import register_type
from simulators.rollout_troubles import Ends
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


def ends_of(one: Exchange) -> Ends:
    """Return how a visit ends for the systems."""
    return one.kind.ends if one.kind is not None else "DONE"


def of_cis(one: Exchange) -> Iterator[Fact]:
    """Yield what the CIS must hold: nothing before its bill, and nobody is certified who does not speak."""
    ends = ends_of(one)
    if ends in TOLD and ends != "HELD":
        old, new = old_of(one), new_of(one)
        yield Fact("exchange", one.point.usage_point, new, f"{old} at {moment(one.new.installed_at)}")
        yield from values(one)
    if ends == "REVERSED":
        yield from values(one)
    if ends == "DONE":
        yield Fact("certified", one.point.usage_point)


def of_mdms(one: Exchange) -> Iterator[Fact]:
    """Yield what the MDMS must hold: no meter that it was not told of; what was put back was read nevertheless."""
    ends = ends_of(one)
    if ends in TOLD:
        yield from (fact for fact in stays(one) if ends != "BLOCKED" or fact.meter == old_of(one))
    if ends in (*TOLD, "REVERSED") and ends != "BLOCKED":
        yield from values(one)


def of_hes(one: Exchange) -> Iterator[Fact]:
    """Yield what the head-end must hold: it was told of no meter that must not be hung."""
    ends = ends_of(one)
    yield Fact("device", "", old_of(one), "OUT" if ends in TOLD else "COMMISSIONED, registered")
    if ends in SERVICE:
        yield Fact("device", "", new_of(one), SERVICE[ends])


def of_oms(one: Exchange) -> Iterator[Fact]:
    """Yield what the outage system must hold."""
    if ends_of(one) in TOLD and ends_of(one) != "BLOCKED":
        yield Fact("hangs", one.point.usage_point, new_of(one))
    elif ends_of(one) == "REVERSED":
        yield Fact("hangs", one.point.usage_point, old_of(one))


def of_wams(one: Exchange) -> Iterator[Fact]:
    """Yield what the work system must hold: its old meter came back."""
    if ends_of(one) in TOLD:
        yield Fact("returned", "", old_of(one))


TOLD: tuple[Ends, ...] = ("DONE", "SILENT", "HELD", "BLOCKED")
"""Ends of exchanges that are believed."""

SERVICE: dict[Ends, str] = {
    "DONE": "COMMISSIONED, registered", "HELD": "COMMISSIONED, registered", "SILENT": "COMMISSIONED",
    "STOPPED": "STOCK", "IN_VAIN": "STOCK", "REVERSED": "OUT",
}  # fmt: skip
"""In what service the new meter is at the head-end; one that is blocked was never told."""

EXPECTED = {"cis_ws": of_cis, "mdms_ws": of_mdms, "hes_ws": of_hes, "oms_ws": of_oms, "wams_ws": of_wams}
"""What each system must hold of one visit."""
