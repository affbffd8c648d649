"""Whatever is done to a message, inspecting it ends: read, or refused with a code."""

import random
from collections.abc import Callable
from copy import deepcopy
from io import BytesIO
from typing import Any

import pytest
from lxml import etree

from canonical.errors import RejectedError
from iec61968.editions import EDITIONS
from iec61968.samples import SampleKind, sample_message
from iec61968.spoken_nouns import NOUNS
from services.inspection_cim import inspect_cim
from services.inspection_facts import Findings

pytestmark = pytest.mark.slow

NAMES = (
    *("{urn:x}y", "x", "Header", "Reply", "Payload", "Compressed"),
    *("{http://iec.ch/TC57/2011/MeterReadings#}MeterReadings", "{http://iec.ch/TC57/2011/Zap#}Zap"),
)
TEXTS = (
    *("", " ", "<a/>", "<", "2026-01-01T00:00:00", "9" * 24, "NaN", "1e400", "-", "\u00e9"),
    *("begin 1 2\nend", "0000-00-00T00:00:00Z", "True"),
)


def _drop(one: Any, _: random.Random) -> None:
    if one.getparent() is not None:
        one.getparent().remove(one)


def _double(one: Any, _: random.Random) -> None:
    if one.getparent() is not None:
        one.getparent().insert(0, deepcopy(one))


def _strip_namespaces(one: Any, _: random.Random) -> None:
    for element in one.iter(etree.Element):
        element.tag = etree.QName(element).localname


def _rename(one: Any, chance: random.Random) -> None:
    one.tag = chance.choice(NAMES)


def _say(one: Any, chance: random.Random) -> None:
    one.text = chance.choice(TEXTS)


def _empty(one: Any, _: random.Random) -> None:
    for child in list(one):
        one.remove(child)


WOUNDS: tuple[Callable[[Any, random.Random], None], ...] = (_drop, _double, _strip_namespaces, _rename, _say, _empty)
KINDS: tuple[SampleKind, ...] = ("payload", "request", "response", "event")


@pytest.mark.parametrize("name", NOUNS)
def test_inspecting_a_wounded_message_ends_with_a_finding(name: str) -> None:
    chance = random.Random(name)  # noqa: S311 - the same wounds in every run
    for _ in range(25):
        kind = chance.choice(KINDS if not NOUNS[name].is_query else KINDS[:3])
        edition = EDITIONS[chance.choice(sorted(EDITIONS))]
        root = sample_message(NOUNS[name], kind=kind, edition=edition, full=chance.random() < 0.7)
        for _ in range(chance.randrange(1, 4)):
            chance.choice(WOUNDS)(chance.choice(list(root.iter(etree.Element))), chance)
        findings, refused = Findings(), ""

        try:
            inspect_cim(BytesIO(etree.tostring(root)), findings)
        except RejectedError as error:
            refused = error.code.number

        assert refused.startswith("11") or findings.message is not None
