"""The walk: every noun empty, minimal and full is valid by its schema, in every edition, and reads back equal."""

import re
from pathlib import Path

import pytest
from lxml import etree

from canonical.errors import RejectedError
from iec61968 import validation, xsd
from iec61968.editions import EDITIONS
from iec61968.nouns.shape import Scalar, slots
from iec61968.samples import SampleKind, sample_message, sample_noun
from iec61968.services_spoken import KINDS, SERVICES
from iec61968.spoken_nouns import NOUNS
from iec61968.wsdl import wsdl

pytestmark = pytest.mark.slow

SCHEMAS = Path("iec61968/schemas")
TREES = Path("../shared/profiles")
EVENTS = {"create": "created", "change": "changed", "cancel": "canceled", "close": "closed", "delete": "deleted"}
every_noun = pytest.mark.parametrize("name", NOUNS)
every_edition = pytest.mark.parametrize("edition", EDITIONS)


@every_noun
def test_the_schema_of_a_noun_is_what_its_classes_say(name: str) -> None:
    text = xsd.schema_text(NOUNS[name].type, EDITIONS["2011"].profile(name))

    assert (SCHEMAS / f"{name}.xsd").read_text() == text


@every_edition
@every_noun
def test_a_noun_empty_minimal_and_full_is_valid_and_reads_back_equal(name: str, edition: str) -> None:
    noun = NOUNS[name]
    for value in (noun.type(), sample_noun(noun, full=False), sample_noun(noun, full=True)):
        element = noun.to_xml(value, edition=EDITIONS[edition])
        raw = etree.tostring(element)

        validation.require_valid(etree.fromstring(raw), EDITIONS[edition])
        read = noun.from_xml(etree.fromstring(raw))
        assert read == value
        assert read.extensions == ()


@every_edition
@every_noun
def test_every_message_of_a_noun_is_valid(name: str, edition: str) -> None:
    noun = NOUNS[name]
    kinds: list[tuple[SampleKind, str]] = [("request", ""), ("response", "")]
    if not noun.is_query:
        kinds += [("request", verb) for verb in (*EVENTS, "get")] + [("event", verb) for verb in EVENTS.values()]
    for kind, verb in kinds:
        for full in (False, True):
            element = sample_message(noun, kind=kind, edition=EDITIONS[edition], full=full, verb=verb)
            validation.require_valid(etree.fromstring(etree.tostring(element)), EDITIONS[edition])


@pytest.mark.parametrize(
    ("name", "kind", "verb"), [("MeterConfig", "event", "create"), ("GetMeterConfig", "event", "")]
)
def test_a_message_that_does_not_exist_is_refused(name: str, kind: SampleKind, verb: str) -> None:
    with pytest.raises(RejectedError, match="no event"):
        sample_message(NOUNS[name], kind=kind, edition=EDITIONS["2011"], verb=verb)


def test_every_noun_but_queries_has_all_five_services() -> None:
    nouns = [noun.name for noun in NOUNS.values() if not noun.is_query]

    assert set(SERVICES) == {f"{kind}{noun}" for noun in nouns for kind in KINDS}


@every_edition
def test_every_wsdl_is_well_formed_and_answers_with_its_noun(edition: str) -> None:
    for service in SERVICES.values():
        root = etree.fromstring(wsdl(service, EDITIONS[edition], address="https://hub.example/").encode())
        parts = [e.get("element") for e in root.iter("{http://schemas.xmlsoap.org/wsdl/}part")]

        assert f"t:{service.noun}ResponseMessage" in parts
        assert [f"t:{operation}" for operation in service.operations] == parts[:-2]


def lines_of(cls: type, depth: int = 0) -> list[str]:
    """Return a class as an indented tree: names, cardinality, types of values."""
    found = []
    for slot in slots(cls):
        if slot.attribute:
            continue
        mark = {(True, False): "", (False, False): "?", (True, True): "+", (False, True): "*"}[
            (slot.expected, slot.many)
        ]
        inside = depth
        if len(slot.choices) > 1:
            found.append(f"{'  ' * depth}<choice>{mark}")
            mark, inside = "", depth + 1
        for choice in slot.choices:
            if isinstance(choice.type, Scalar):
                words = "{" + "|".join(choice.type.words) + "}" if choice.type.words else ""
                kind = choice.type.name or xsd._BASES[choice.type.python]
                found.append(f"{'  ' * inside}{choice.element}{mark} {words or kind}")
            else:
                found.append(f"{'  ' * inside}{choice.element}{mark}")
                found += lines_of(choice.type, inside + 1)
    return found


VENDOR = {
    "MeterReadings": ("LoadProfile", "RegisterGroup"),
    "MeterConfig": ("MeterStatusSource", "Ping"),
    "GetMeterReadings": ("scheduleStrategy", "connectionMethod", "dataSource"),
}
SERIALS_OF_THE_STANDARD = {"MeterConfig", "EndDeviceConfig"}


def published(name: str) -> list[str]:
    """Return the published tree of a noun without vendor extensions, `^` expanded where its type is known."""
    file = TREES / (f"{name}.epri.txt" if (TREES / f"{name}.epri.txt").exists() else f"{name}.txt")
    types: dict[str, list[tuple[int, str]]] = {}
    rows = []
    for line in file.read_text().splitlines()[2:]:
        if not line.startswith(" "):
            break
        rows.append(line[2:])
    for place, row in enumerate(rows):
        depth = (len(row) - len(row.lstrip())) // 2
        found = re.search(r" : (\w+)$", row)
        if found:
            under = []
            for below in rows[place + 1 :]:
                deep = (len(below) - len(below.lstrip())) // 2
                if deep <= depth:
                    break
                under.append((deep - depth, below.strip()))
            if under and found[1] not in types:
                types[found[1]] = under
    return plain_rows([((len(row) - len(row.lstrip())) // 2, row.strip()) for row in rows], types, name)


def plain_rows(rows: list[tuple[int, str]], types: dict[str, list[tuple[int, str]]], noun: str) -> list[str]:
    """Return rows in the form of `lines_of`."""
    found: list[str] = []
    skipped = None
    for depth, row in rows:
        if skipped is not None and depth > skipped:
            continue
        skipped = None
        name = re.split(r"[?*+ ]", row, maxsplit=1)[0]
        vendor = "[X]" in row or row.startswith("<any") or name in VENDOR.get(noun, ())
        if vendor or (name == "serialNumber" and noun not in SERIALS_OF_THE_STANDARD):
            skipped = depth
            continue
        if row == "NameType":  # one inlined copy in UsagePointConfig; the named type has it optional everywhere
            row = "NameType?"
        head, _, kind = row.replace(" @ref", "").partition(" : ")
        words = re.search(r"\{.*\}", row)
        if kind.endswith(" ^"):
            found.append("  " * depth + head)
            inner = [(depth + deep, text) for deep, text in types[kind[:-2]]]
            found += plain_rows(inner, types, noun)
        elif words or kind in PRIMITIVE:
            head = head.split(" {")[0]
            found.append("  " * depth + f"{head} {words[0] if words else {'UUIDType': 'string'}.get(kind, kind)}")
        else:
            found.append("  " * depth + head)
    return found


PRIMITIVE = {
    *("string", "boolean", "integer", "float", "dateTime", "date", "time", "UUIDType"),
    *("Voltage", "CurrentFlow", "ActivePower", "RealEnergy", "PerCent", "Seconds", "Minutes", "Money", "Temperature"),
    *("FloatQuantity", "StringQuantity"),
}


@pytest.mark.skipif(not TREES.exists(), reason="the published element trees are not on this machine")
@pytest.mark.parametrize(
    "name",
    [
        *("MeterReadings", "GetMeterReadings", "MeterConfig", "GetMeterConfig", "UsagePointConfig"),
        *("MasterDataLinkageConfig", "EndDeviceControls", "EndDeviceEvents", "EndDeviceConfig"),
    ],
)
def test_a_noun_has_the_published_elements_in_their_order(name: str) -> None:
    assert lines_of(NOUNS[name].type) == published(name)
