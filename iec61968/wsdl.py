"""WSDLs and schemas of every service, made from one template each; the edition decides the namespaces."""

from functools import cache
from importlib.resources import files
from string import Template

from iec61968.editions import EDITIONS, Edition
from iec61968.services_spoken import EVENT_VERBS, REQUEST_VERBS, Service
from iec61968.spoken_nouns import NOUNS, QUERY_MESSAGES

_SCHEMAS = files("iec61968") / "schemas"
PLAIN_SCHEMAS = ("Message.xsd", *(f"{noun}.xsd" for noun in NOUNS))
"""Schemas that stand alone, without imports."""

_TYPED_SCHEMAS = tuple(
    f"{noun.name}Message.xsd" for noun in NOUNS.values() if not noun.is_query or noun.name in QUERY_MESSAGES
)


def _read(name: str) -> str:
    return (_SCHEMAS / name).read_text(encoding="utf-8")


@cache
def schema(name: str, edition: Edition) -> str:
    """Return the text of a schema such as `Message.xsd` or `MeterReadingsMessage.xsd` in an edition.

    Raises:
        KeyError: there is no such schema.
    """
    if name in PLAIN_SCHEMAS:
        return _read(name).replace(EDITIONS["2011"].message, edition.message)
    noun = name.removesuffix("Message.xsd")
    if name not in _TYPED_SCHEMAS:
        raise KeyError(name)
    return (
        _query_messages(noun.removeprefix("Get"), edition) if noun in QUERY_MESSAGES else _noun_messages(noun, edition)
    )


def schema_names() -> tuple[str, ...]:
    """Return the names of all schemas."""
    return (*PLAIN_SCHEMAS, *_TYPED_SCHEMAS)


def schema_of_namespace(edition: Edition) -> dict[str, str]:
    """Return the name of the schema of every namespace of an edition."""
    found = {edition.message: "Message.xsd"}
    found |= {edition.profile(noun): f"{noun}.xsd" for noun in NOUNS}
    typed = (name.removesuffix("Message.xsd") for name in _TYPED_SCHEMAS)
    return found | {edition.typed_message(noun): f"{noun}Message.xsd" for noun in typed}


def _noun_messages(noun: str, edition: Edition) -> str:
    """Return the typed messages of a noun: requests, events, response, fault."""
    asked = () if f"Get{noun}" in QUERY_MESSAGES else ("Get",)
    verbs = (*REQUEST_VERBS, *asked)
    elements = [f'  <xs:element name="{v}{noun}" type="t:RequestMessageType"/>' for v in verbs]
    elements += [f'  <xs:element name="{v}{noun}" type="t:EventMessageType"/>' for v in EVENT_VERBS]
    return Template(_read("NounMessage.xsd.template")).substitute(
        noun=noun,
        profile=noun,
        typed=edition.typed_message(noun),
        message=edition.message,
        payload=edition.profile(noun),
        query_prefix="",
        query_import="",
        query_types="",
        elements="\n".join(elements),
        request_type="e:RequestType",
        request_min="0",
        payload_min="1",
    )


def _query_messages(noun: str, edition: Edition) -> str:
    """Return the typed messages of a query: its request carries the `Get` profile, its answer the noun."""
    query = f"Get{noun}"
    namespace = edition.profile(query)
    return Template(_read("NounMessage.xsd.template")).substitute(
        noun=query,
        profile=noun,
        typed=edition.typed_message(query),
        message=edition.message,
        payload=edition.profile(noun),
        query_prefix=f'           xmlns:q="{namespace}"\n',
        query_import=f'  <xs:import namespace="{namespace}" schemaLocation="{query}.xsd"/>',
        query_types=Template(_QUERY_TYPES).substitute(query=query),
        elements=f'  <xs:element name="{query}" type="t:RequestMessageType"/>',
        request_type="t:RequestType",
        request_min="1",
        payload_min="0",
    )


_QUERY_TYPES = """\
  <xs:complexType name="RequestType">
    <xs:sequence>
      <xs:element name="StartTime" type="xs:dateTime" minOccurs="0"/>
      <xs:element name="EndTime" type="xs:dateTime" minOccurs="0"/>
      <xs:element name="Option" type="e:OptionType" minOccurs="0" maxOccurs="unbounded"/>
      <xs:element name="ID" type="xs:string" minOccurs="0" maxOccurs="unbounded"/>
      <xs:element ref="q:$query"/>
      <xs:any namespace="##other" processContents="lax" minOccurs="0" maxOccurs="unbounded"/>
    </xs:sequence>
  </xs:complexType>
"""


@cache
def wsdl(service: Service, edition: Edition, *, address: str, schema_folder: str = "") -> str:
    """Return the WSDL of a service; it imports its schemas from `schema_folder` (empty: beside it)."""
    noun = service.message_noun
    parts = [_operation_parts(service, operation, edition) for operation in service.operations]
    return Template(_read("Service.wsdl.template")).substitute(
        service=service.name,
        noun=noun,
        answer=service.noun,
        target=edition.wsdl(service.name),
        typed=edition.typed_message(noun),
        schema_location=f"{schema_folder}{noun}Message.xsd",
        address=address,
        messages="".join(part[0] for part in parts),
        port_operations="".join(part[1] for part in parts).rstrip("\n"),
        binding_operations="".join(part[2] for part in parts).rstrip("\n"),
    )


def _operation_parts(service: Service, operation: str, edition: Edition) -> tuple[str, str, str]:
    """Return message, port operation and binding operation of one operation."""
    message = f"{operation}{'Request' if service.kind in ('Execute', 'Get') else 'Event'}Message"
    values = {
        "operation": operation,
        "message": message,
        "action": edition.soap_action(service.message_noun, operation),
    }
    first, second, third = (Template(text).substitute(values) for text in (_MESSAGE, _PORT, _BINDING))
    return first, second, third


_MESSAGE = """\
  <wsdl:message name="$message">
    <wsdl:part name="$message" element="t:$operation"/>
  </wsdl:message>
"""

_PORT = """\
    <wsdl:operation name="$operation">
      <wsdl:input name="${operation}Request" message="tns:$message"/>
      <wsdl:output name="${operation}Response" message="tns:ResponseMessage"/>
      <wsdl:fault name="${operation}Fault" message="tns:FaultMessage"/>
    </wsdl:operation>
"""

_BINDING = """\
    <wsdl:operation name="$operation">
      <soap:operation soapAction="$action" style="document"/>
      <wsdl:input name="${operation}Request"><soap:body use="literal"/></wsdl:input>
      <wsdl:output name="${operation}Response"><soap:body use="literal"/></wsdl:output>
      <wsdl:fault name="${operation}Fault"><soap:fault name="${operation}Fault" use="literal"/></wsdl:fault>
    </wsdl:operation>
"""


@cache
def soap_envelope_schema() -> str:
    """Return the schema of the SOAP 1.1 envelope that the stream decoder validates with."""
    return _read("SoapEnvelope.xsd")
