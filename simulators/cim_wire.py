"""Messages of IEC 61968-100 as the CIM simulators read and write them: by hand, typed, generic or bare."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from xml.sax.saxutils import escape

from lxml import etree

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
HOST = "http://iec.ch/TC57/2011"
MESSAGE = f"{HOST}/schema/message"
_GENERIC = ("RequestMessage", "EventMessage")


@dataclass(frozen=True, slots=True)
class Heard:
    """One message as it came in."""

    verb: str
    noun: str
    message_id: str
    correlation_id: str
    source: str
    namespace: str
    """Of its root: the answer is in the same."""

    envelope: str
    """Namespace of the header's parts."""

    typed: str
    """Noun of its typed messages, such as `MeterConfig`; empty for a generic message."""

    in_soap: bool
    payload: "etree._Element | None"
    """The noun's element, or of a query the element that asks."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with a message, said as an Error."""

    code: str
    reason: str
    object_id: str = ""
    object_type: str = ""
    operation: int = 0
    """Number of the operation of a set that it is about; 0: of the message."""


def utc_text(instant: datetime) -> str:
    """Return an instant as `2026-11-01T04:00:00Z`."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def local(element: "etree._Element") -> str:
    """Return an element's name without namespace."""
    return etree.QName(element).localname


def text_of(element: "etree._Element | None", path: str) -> str:
    """Return the text at a path of local names below an element, or an empty string."""
    found = element
    for name in path.split("/"):
        if found is None:
            return ""
        found = next((child for child in found.iterchildren(etree.Element) if local(child) == name), None)
    return (found.text or "").strip() if found is not None else ""


def children(element: "etree._Element", name: str) -> "list[etree._Element]":
    """Return the children of a local name."""
    return [child for child in element.iterchildren(etree.Element) if local(child) == name]


def heard(body: bytes) -> Heard:
    """Return a message taken apart.

    Raises:
        ValueError: it is no message of IEC 61968-100.
    """
    root = etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True))
    in_soap = local(root) == "Envelope"
    message = next((part[0] for part in children(root, "Body") if len(part)), None) if in_soap else root
    if message is None or not children(message, "Header"):
        raise ValueError("no message with a Header")
    header = children(message, "Header")[0]
    noun = text_of(header, "Noun")
    part = next((p[0] for name in ("Payload", "Request") for p in children(message, name) if len(p)), None)
    namespace = etree.QName(message).namespace or ""
    typed = "" if local(message) in _GENERIC else namespace.rpartition("/")[2].removesuffix("Message")
    return Heard(
        verb=text_of(header, "Verb"),
        noun=noun,
        message_id=text_of(header, "MessageID"),
        correlation_id=text_of(header, "CorrelationID"),
        source=text_of(header, "Source"),
        namespace=namespace,
        envelope=etree.QName(header[0]).namespace or "",
        typed=typed,
        in_soap=in_soap,
        payload=part,
    )


def answer(
    one: Heard, faults: Sequence[Fault], *, message_id: str, result: str, source: str, payload: str = ""
) -> bytes:
    """Return the response to a message, in its namespaces and its binding."""
    header = (
        f"<Verb>reply</Verb><Noun>{one.noun}</Noun><Timestamp>{utc_text(datetime.now(UTC))}</Timestamp>"
        f"<Source>{escape(source)}</Source><MessageID>{message_id}</MessageID>"
        f"<CorrelationID>{one.correlation_id}</CorrelationID>"
    )
    errors = "".join(_error(fault) for fault in faults)
    name = f"{one.noun}ResponseMessage" if one.typed else "ResponseMessage"
    data = f"<m:Payload>{payload}</m:Payload>" if payload else ""
    message = (
        f'<m:{name} xmlns:m="{one.namespace}"><m:Header xmlns="{one.envelope}">{header}</m:Header>'
        f'<m:Reply xmlns="{one.envelope}"><Result>{result}</Result>{errors}</m:Reply>{data}</m:{name}>'
    )
    return _carried(message, in_soap=one.in_soap)


def event(verb: str, noun: str, payload: str, *, message_id: str, correlation_id: str, source: str) -> bytes:
    """Return a typed message of edition 2011 in SOAP: a request or an event, by its verb."""
    name, namespace = f"{verb.capitalize()}{noun}", f"{HOST}/{noun}Message"
    header = (
        f"<Verb>{verb}</Verb><Noun>{noun}</Noun><Timestamp>{utc_text(datetime.now(UTC))}</Timestamp>"
        f"<Source>{escape(source)}</Source><MessageID>{message_id}</MessageID>"
        f"<CorrelationID>{correlation_id}</CorrelationID>"
    )
    message = (
        f'<m:{name} xmlns:m="{namespace}"><m:Header xmlns="{MESSAGE}">{header}</m:Header>'
        f"<m:Payload>{payload}</m:Payload></m:{name}>"
    )
    return _carried(message, in_soap=True)


def bare(verb: str, noun: str, payload: str, *, message_id: str, correlation_id: str, source: str) -> bytes:
    """Return a bare message of edition 2011, for a queue: a request or an event, by its verb."""
    name = "EventMessage" if verb.endswith("d") else "RequestMessage"
    header = (
        f"<Verb>{verb}</Verb><Noun>{noun}</Noun><Timestamp>{utc_text(datetime.now(UTC))}</Timestamp>"
        f"<Source>{escape(source)}</Source><MessageID>{message_id}</MessageID>"
        f"<CorrelationID>{correlation_id}</CorrelationID>"
    )
    message = f'<{name} xmlns="{MESSAGE}"><Header>{header}</Header><Payload>{payload}</Payload></{name}>'
    return _carried(message, in_soap=False)


def soap_fault(text: str) -> bytes:
    """Return a SOAP fault of the server."""
    return _carried(
        f"<s:Fault><faultcode>s:Server</faultcode><faultstring>{escape(text)}</faultstring></s:Fault>", in_soap=True
    )


def result_of(body: bytes) -> tuple[str, list[dict[str, str]]]:
    """Return the Result of an answer and its errors: code, reason and object.

    Raises:
        ValueError: it has no Result.
    """
    root = etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True))
    reply = next(root.iter("{*}Reply"), None)
    if reply is None or not text_of(reply, "Result"):
        raise ValueError("an answer without a Result")
    errors = [
        {name: text_of(one, path) for name, path in (("code", "code"), ("reason", "reason"), ("object", "ID"))}
        for one in children(reply, "Error")
    ]
    return text_of(reply, "Result"), errors


def _error(fault: Fault) -> str:
    named = f'<ID kind="uuid" objectType="{escape(fault.object_type)}">{escape(fault.object_id)}</ID>'
    numbered = f"<operationId>{fault.operation}</operationId>"
    return (
        f"<Error><code>{escape(fault.code)}</code><level>FATAL</level><reason>{escape(fault.reason)}</reason>"
        f"{named if fault.object_id else ''}{numbered if fault.operation else ''}</Error>"
    )


def _carried(message: str, *, in_soap: bool) -> bytes:
    head = '<?xml version="1.0" encoding="UTF-8"?>'
    if not in_soap:
        return f"{head}{message}".encode()
    return f'{head}<s:Envelope xmlns:s="{SOAP}"><s:Body>{message}</s:Body></s:Envelope>'.encode()


def names_of(element: "etree._Element") -> Iterable[tuple[str, str, str]]:
    """Yield name, NameType and authority of each Name of an element."""
    for one in children(element, "Names"):
        authority = text_of(one, "NameType/NameTypeAuthority/name")
        yield text_of(one, "name"), text_of(one, "NameType/name"), authority


def identity_of(element: "etree._Element") -> str:
    """Return how an object is known: a meter by `manufacturer serial`, all else by mRID, else by its first name."""
    names = list(names_of(element))
    for name, kind, authority in names:
        if kind.lower() == "serial" and authority:
            return f"{authority} {name}"
    return text_of(element, "mRID") or (names[0][0] if names else "")
