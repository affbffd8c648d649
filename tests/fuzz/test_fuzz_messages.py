"""Wounded messages are read or refused exactly as lxml with the schema does: no crash, no hang, a code each time.

20,000 wounds in `make test`; `FUZZ=1000000 make fuzz` for more. Every shard has its own seed, so a failure comes back.
"""

import os
import random
import time
from datetime import UTC, datetime
from functools import cache

import pytest
from fuzz.wounds import DENSE, wounded
from lxml import etree

from canonical.errors import RejectedError
from canonical.messages import Reply
from iec61968 import safe_xml, soap, soap_answers, validation
from iec61968.editions import EDITIONS
from iec61968.nouns.meter_reading_elements import columns_of, tags_of
from iec61968.nouns.meter_readings import MeterReadingColumns, readings_from_xml
from iec61968.samples import sample_message
from iec61968.services_spoken import SERVICES
from iec61968.soap_call import Call, check_call
from iec61968.spoken_nouns import NOUNS

TOTAL = int(os.environ.get("FUZZ", "20000"))
OF_ONE_SHARD = 1000
SLOWEST_S = 5.0
EDITION = EDITIONS["2011"]
PLAIN = {"resolve_entities": False, "no_network": True, "remove_comments": True, "remove_pis": True}
NOW = datetime(2026, 3, 2, tzinfo=UTC)
EVERYTHING = frozenset(name for service in SERVICES.values() for name in service.operations)


@cache
def seeds() -> tuple[tuple[str, bytes], ...]:
    """Return a valid message of each noun and kind: what is wounded, and what reads it."""
    found = []
    for noun in NOUNS.values():
        for full in (False, True):
            found.append((noun.name, etree.tostring(sample_message(noun, kind="payload", edition=EDITION, full=full))))
            for kind in ("request", "response", "event"):
                try:
                    message = sample_message(noun, kind=kind, edition=EDITION, full=full)
                except RejectedError:
                    continue
                found.append((f"soap {etree.QName(message).localname}", soap.envelope(message)))
    return tuple(found)


def is_valid(raw: bytes) -> bool:
    """Return what libxml2 says of bytes, asked directly."""
    try:
        root = etree.fromstring(raw, etree.XMLParser(**PLAIN))
    except (etree.XMLSyntaxError, ValueError):
        return False
    return validation.compiled(EDITION).validate(root)


def readings_by_tree(raw: bytes) -> tuple[MeterReadingColumns, ...]:
    """Read MeterReadings the plain way: whole tree, schema, a loop over its elements."""
    root = safe_xml.parse(raw)
    validation.require_valid(root, EDITION)
    tags = tags_of(EDITION)
    if root.tag != tags.meter_reading + "s":
        raise RejectedError("not MeterReadings", code=validation.codes.WRONG_NAMESPACE)
    return tuple(columns_of(one, tags, valid=False) for one in root.iterchildren(tags.meter_reading))


def outcome(read, raw: bytes):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
    """Return what a reader makes of bytes; any other exception than a coded refusal fails the test."""
    try:
        return read(raw)
    except RejectedError as error:
        return "refused" if error.code.number.isdigit() else "no code"


def check_payload(noun: str, raw: bytes) -> bool:
    """Read a payload both ways; return whether it was taken."""
    if noun == "MeterReadings":
        stream = outcome(readings_from_xml, raw)
        assert stream == outcome(readings_by_tree, raw), raw
        return stream != "refused"

    def through_the_noun(data: bytes) -> object:
        root = safe_xml.parse(data)
        validation.require_valid(root, EDITION)
        thing = NOUNS[etree.QName(root).localname].from_xml(root)
        again = NOUNS[etree.QName(root).localname].from_xml(NOUNS[etree.QName(root).localname].to_xml(thing))
        assert again == thing, data
        return thing

    root_is_noun = raw.find(noun.encode()) >= 0 and noun in NOUNS
    taken = outcome(through_the_noun, raw) if root_is_noun and _root_name(raw) in NOUNS else "refused"
    assert taken != "no code", raw
    assert taken == "refused" or is_valid(raw), raw
    return bool(taken != "refused")


def _root_name(raw: bytes) -> str:
    """Return the local name of the root, empty when there is none."""
    try:
        return str(etree.QName(safe_xml.parse(raw)).localname)
    except RejectedError:
        return ""


def refusal_of(raw: bytes, call: Call) -> RejectedError | None:
    """Return why a call is not taken."""
    try:
        check_call(raw, call)
    except RejectedError as error:
        return error
    return None


def check_by_tree(raw: bytes, call: Call) -> None:
    """Check that a call which was read from its bytes says what its tree says: a comment before its root needs one."""
    again = Call(call.service, EDITION, "partner", "", supported=EVERYTHING)
    root = raw.index(b"<", 2) if raw.startswith(b"<?") else 0

    assert refusal_of(raw[:root] + b"<!-- -->" + raw[root:], again) is None, raw

    assert again.plain is None
    assert (again.operation, again.binding, again.ids) == (call.operation, call.binding, call.ids), raw
    assert again.wire == call.wire, raw


def check_soap(name: str, raw: bytes) -> bool:
    """Give a SOAP message to the checks of an endpoint; return whether it was taken; a refusal says its code."""
    own = next((one for one in SERVICES.values() if one.name == name or name in one.operations), None)
    call = Call(own or SERVICES["ReceiveMeterReadings"], EDITION, "partner", "", supported=EVERYTHING)
    # At the address of all services what is checked is the message; at its own, envelope and message.
    call.any_service = own is None
    error = refusal_of(raw, call)
    if error is not None:
        reply = Reply("FAILED", "", str(error.code), error.reason, {"where": error.where})
        answer = soap_answers.answer(reply, call, source="HUB", now=NOW)
        text = etree.fromstring(answer.body).xpath("string()")
        assert error.code.number in str(text), (raw, answer.body)
        assert own is None or error.code.name != "SCHEMA_INVALID" or not is_valid(raw), raw
        return False
    assert own is None or call.binding != "typed" or is_valid(raw), raw
    if call.plain is not None:
        check_by_tree(raw, call)
    return True


@pytest.mark.slow
@pytest.mark.parametrize("shard", range(-(-TOTAL // OF_ONE_SHARD)))
def test_a_wounded_message_is_never_a_crash_a_hang_a_wrong_accept_or_a_reply_without_a_code(shard: int) -> None:
    chance = random.Random(f"wounds {shard}")  # noqa: S311
    taken = 0

    for _ in range(OF_ONE_SHARD):
        noun, valid = ("MeterReadings", DENSE) if chance.random() < 0.3 else chance.choice(seeds())
        raw = wounded(valid, chance)
        begun = time.process_time()
        taken += check_soap(noun[5:], raw) if noun.startswith("soap ") else check_payload(noun, raw)
        assert time.process_time() - begun < SLOWEST_S, raw

    assert 0 < taken < OF_ONE_SHARD
