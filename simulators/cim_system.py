"""A CIM simulator as a system: takes messages into its books, answers by rule or by script, and speaks to the hub."""

import json
import ssl
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
from lxml import etree

from simulators.cim_books import CimBooks, stamp
from simulators.cim_nouns import noun_text
from simulators.cim_wire import HOST, Fault, Heard, answer, bare, children, event, heard, local, result_of, text_of


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a message."""

    faults: tuple[Fault, ...] = ()
    payload: str = ""
    """Of the answer."""

    some: bool = True
    """Whether anything of it was taken."""

    @property
    def result(self) -> str:
        """Return OK, PARTIAL or FAILED."""
        return "OK" if not self.faults else "PARTIAL" if self.some else "FAILED"


Take = Callable[["System", Heard], Taken]
"""Takes a message into the books."""

_PARTICIPLES = ("created", "changed", "canceled", "closed", "deleted")


@dataclass(slots=True)
class System:
    """One simulated system: its name, its books, how it takes messages, and the hub."""

    name: str
    books: CimBooks
    take: Take
    hub: str = ""
    """Base of the hub's services, such as `https://127.0.0.1:8443/cim`."""

    user: str = ""
    password: str = ""
    ca_file: str = ""
    tell: Callable[[str, str, bytes], None] | None = None
    """Puts a bare message into a queue of the hub: message id, correlation id, body; None: the hub is told by SOAP."""

    scripted: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """Answers still to be given by script, by noun."""


def answer_to(system: System, body: bytes) -> bytes:
    """Take one message and return its answer; the same message id gets the first answer again.

    Raises:
        ValueError: it is no message.
    """
    one = heard(body)
    first = system.books.answered(one.message_id)
    if first is not None:
        return first
    done, result = taken_each(system, one) if is_set_of_several(one) else taken(system, one)
    said = answer(
        one, done.faults, message_id=str(uuid.uuid4()), result=result, source=system.name, payload=done.payload
    )
    errors = json.dumps([[fault.code, fault.reason, fault.object_id] for fault in done.faults])
    row = (None, stamp(), one.source, one.verb, one.noun, one.message_id, one.correlation_id, result, errors)
    system.books.write("heard", [(*row, body.decode(), said.decode())])
    return said


def taken(system: System, one: Heard) -> tuple[Taken, str]:
    """Take a message as the next script says, else by the system's own rules: what came of it, and the result."""
    script = system.scripted.get(one.noun) or []
    if not script:
        done = system.take(system, one)
        return done, done.result
    told = script.pop(0)
    result = str(told["result"])
    done = Taken(tuple(_fault(error) for error in told.get("errors", ())), some=result != "FAILED")
    if done.some and not told.get("swallow"):
        system.take(system, one)
    return done, result


def taken_each(system: System, one: Heard) -> tuple[Taken, str]:
    """Take each operation of a set by itself: the errors name it by its number."""
    if one.payload is None:
        return Taken(), "OK"
    faults: list[Fault] = []
    some = False
    numbers = (int(text_of(each, "operationId")) for each in children(one.payload, "Operation"))
    for number, operation in zip(numbers, operations_in(one), strict=True):
        done, result = taken(system, operation)
        some = some or result != "FAILED"
        faults += (replace(fault, operation=number) for fault in done.faults)
    both = Taken(tuple(faults), some=some)
    return both, both.result


def is_set_of_several(one: Heard) -> bool:
    """Return whether a message is a set of operations of which each stands for itself."""
    if one.noun != "OperationSet" or one.payload is None:
        return False
    return text_of(one.payload, "enforceTransactionalIntegrity") != "true"


def operations_in(one: Heard) -> list[Heard]:
    """Return the operations of a set as the messages that they would be alone; a message that is no set is itself."""
    if one.noun != "OperationSet" or one.payload is None:
        return [one]
    found = []
    for operation in children(one.payload, "Operation"):
        own = ("operationId", "noun", "verb", "elementOperation")
        body = next((part for part in operation.iterchildren(etree.Element) if local(part) not in own), None)
        told = {"verb": text_of(operation, "verb"), "noun": text_of(operation, "noun"), "payload": body}
        found.append(replace(one, **told))  # type: ignore[arg-type]
    return found


def _fault(error: dict[str, str]) -> Fault:
    return Fault(error["code"], error.get("reason", ""), error.get("id", ""), error.get("type", ""))


def send(system: System, order: dict[str, Any]) -> dict[str, Any]:
    """Tell the hub what an order says, and return its answer: status, result, errors and the message's id."""
    verb, noun = str(order["verb"]), str(order["noun"])
    payload = str(order["xml"]) if "xml" in order else noun_text(noun, order["objects"])
    message_id = str(order.get("message_id") or uuid.uuid4())
    correlation_id = str(order.get("correlation_id") or message_id)
    if system.tell is not None:
        said = bare(verb, noun, payload, message_id=message_id, correlation_id=correlation_id, source=system.name)
        system.tell(message_id, correlation_id, said)
        system.books.write("sent", [(message_id, stamp(), verb, noun, 0, "QUEUED", "[]")])
        return {"message_id": message_id, "status": 0, "result": "QUEUED", "errors": []}
    body = event(verb, noun, payload, message_id=message_id, correlation_id=correlation_id, source=system.name)
    service = f"{'Receive' if verb in _PARTICIPLES else 'Execute'}{noun}"
    action = f"{HOST}/{noun}/{verb.capitalize()}{noun}"
    context = ssl.create_default_context(cafile=system.ca_file or None)
    headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{action}"'}
    with httpx.Client(verify=context, auth=(system.user, system.password), timeout=60) as client:
        reply = client.post(f"{system.hub}/{service}", content=body, headers=headers)
    try:
        result, errors = result_of(reply.content)
    except (ValueError, etree.XMLSyntaxError) as error:
        result, errors = "", [{"code": "", "reason": str(error), "object": ""}]
    row = (message_id, stamp(), verb, noun, reply.status_code, result, json.dumps(errors))
    system.books.write("sent", [row])
    return {"message_id": message_id, "status": reply.status_code, "result": result, "errors": errors}
