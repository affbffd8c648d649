"""Which namespaces a partner speaks: the edition of the IEC 61968 messages, stated for each endpoint."""

from dataclasses import dataclass
from typing import Any, Literal

EditionName = Literal["2011", "www", "2017"]

_HOST = "http://iec.ch/TC57/2011"


@dataclass(frozen=True, slots=True, eq=False)
class Edition:
    """One family of namespaces; local names are equal in all of them."""

    name: EditionName
    message: str
    """Namespace of the envelope's parts (IEC 61968-100)."""

    typed: str
    """What stands before `/<Noun>Message` in the namespace of a typed message."""

    action: str
    """What stands before `/<Noun>/<Verb><Noun>` in a SOAPAction."""

    def profile(self, name: str) -> str:
        """Return the namespace of a payload profile, such as `MeterReadings`; deployments agree on 2011 here."""
        return f"{_HOST}/{name}#"

    def typed_message(self, noun: str) -> str:
        """Return the namespace of the typed messages of a noun."""
        return f"{self.typed}/{noun}Message"

    def wsdl(self, service: str) -> str:
        """Return the target namespace of a service's WSDL."""
        return f"{self.typed}/{service}"

    def soap_action(self, noun: str, operation: str) -> str:
        """Return the SOAPAction of an operation, such as `CreatedMeterReadings`."""
        return f"{self.action}/{noun}/{operation}"


EDITIONS: dict[str, Edition] = {
    "2011": Edition("2011", f"{_HOST}/schema/message", _HOST, _HOST),
    "www": Edition("www", "http://www.iec.ch/TC57/2011/schema/message", "http://www.iec.ch/TC57/2011", _HOST),
    "2017": Edition("2017", f"{_HOST}/schema/message", "http://iec.ch/TC57/2017", "http://iec.ch/TC57/2017"),
}
"""Every edition by the name that a site file gives it."""


def default_namespace(namespace: str, **prefixes: str) -> Any:
    """Return a namespace map with `namespace` as the default one (lxml's stubs know no None key)."""
    return {None: namespace, **prefixes}


SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"
"""Namespace of the SOAP 1.1 envelope."""
