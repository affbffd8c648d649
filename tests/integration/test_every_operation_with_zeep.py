"""zeep, untouched, loads every WSDL that a running hub serves and calls every operation of it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
import requests
import zeep
from cim_hub import CimHub, cim_hub
from cim_partner import CimPartner, readings_answer
from lxml import etree
from soap_certificates import certificate
from zeep.transports import Transport

from iec61968.editions import EDITIONS, Edition
from iec61968.samples import SampleKind, sample_message
from iec61968.services_spoken import SERVICES, Service
from iec61968.spoken_nouns import NOUNS
from services.cim_owners import operations

pytestmark = [pytest.mark.servers, pytest.mark.slow]

SITE = """
edition = "{edition}"
[serve.clients.cis]
password = "right"
[master_data]
"""
START, END = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 2, tzinfo=UTC)
KINDS: dict[str, SampleKind] = {"Execute": "request", "Get": "request"}


COMPLETE_NOUNS = ("CustomerConfig", "CustomerAccountConfig", "CustomerAgreementConfig", "ServiceLocationConfig")
COMPLETE = ("CreatedMeterReadings", "ChangedMeterReadings", "GetMeterReadings", "CreatedEndDeviceEvents")
"""Nouns and operations whose samples are complete, so that their owner takes them; others contradict themselves."""


def is_complete(service: Service, operation: str) -> bool:
    """Return whether the owner of an operation takes its sample."""
    return operation in COMPLETE or service.noun in COMPLETE_NOUNS


class Caller:
    """A caller that knows nothing but the WSDLs."""

    def __init__(self, hub: CimHub, edition: Edition) -> None:
        self.hub, self.edition = hub, edition
        self.numbers = iter(range(1, 1_000_000))

    @cached_property
    def transport(self) -> Transport:
        """One connection with TLS and HTTP Basic."""
        session = requests.Session()
        session.trust_env = False
        session.verify, session.auth = self.hub.ca_file, ("cis", "right")
        return Transport(session=session, timeout=60, operation_timeout=60)  # type: ignore[no-untyped-call]

    def client(self, service: Service) -> Any:
        """Return zeep's client of a service."""
        return zeep.Client(f"{self.hub.base}/{service.name}?wsdl", transport=self.transport)  # type: ignore[no-untyped-call]

    def values(self, client: Any, service: Service, operation: str) -> dict[str, Any]:
        """Return a sample message as zeep's own values, under an id that was not used."""
        verb = operation.removesuffix(service.noun).lower()
        kind = KINDS.get(service.kind, "event")
        # The full sample of readings names a meter that this hub does not know.
        full = service.noun != "MeterReadings" or verb == "get"
        sample = sample_message(NOUNS[service.noun], kind=kind, edition=self.edition, verb=verb, full=full)
        element = client.wsdl.types.get_element(sample.tag)
        read = element.parse(etree.fromstring(etree.tostring(sample)), client.wsdl.types)
        read.Header.MessageID = f"11111111-2222-3333-4444-{next(self.numbers):012}"
        read.Header.ReplayDetection = read.Header.ReplyAddress = None
        if operation == "GetMeterReadings":
            asked = {"Reading": [{"timePeriod": {"start": START, "end": END}}], "UsagePoint": [{"mRID": "up-1"}]}
            read.Request.GetMeterReadings = asked
        parts = {"Header": read.Header}
        for name in ("Request", "Payload"):
            if getattr(read, name, None) is not None:
                parts[name] = getattr(read, name)
        return parts

    def said(self, client: Any, service: Service, operation: str) -> tuple[str, str]:
        """Return the result of a call and the reason of its first error, from typed values either way."""
        parts = self.values(client, service, operation)
        try:
            answer = client.service[operation](**parts)
        except zeep.exceptions.Fault as fault:
            name = f"{{{self.edition.typed_message(service.message_noun)}}}{service.noun}FaultMessage"
            detail: Any = fault.detail
            reply = client.wsdl.types.get_element(name).parse(detail[0], client.wsdl.types).Reply
        else:
            assert (answer.Header.Verb, answer.Header.Noun) == ("reply", service.noun)
            assert answer.Header.CorrelationID == parts["Header"].CorrelationID
            reply = answer.Reply
        return reply.Result, reply.Error[0].reason or "" if reply.Error else ""


@pytest.fixture(params=EDITIONS)
def caller(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Caller]:
    made = certificate(tmp_path)
    with (
        CimPartner(*made, answer=readings_answer) as mdms,
        cim_hub(tmp_path / "site", made, SITE.format(edition=request.param), mdms=mdms.base) as hub,
    ):
        yield Caller(hub, EDITIONS[request.param])


def test_every_operation_of_every_service_is_answered_with_typed_values(caller: Caller) -> None:
    owned = operations({"on_demand_read", "master_data"})
    wrong, called = [], 0
    for service in SERVICES.values():
        client = caller.client(service)
        (binding,) = [port.binding for one in client.wsdl.services.values() for port in one.ports.values()]
        assert set(binding.all()) == set(service.operations)
        for operation in service.operations:
            called += 1
            result, reason = caller.said(client, service, operation)
            is_refused = reason.endswith(f"nothing at this site takes {operation}")
            if is_refused is (operation in owned) or (
                operation in owned and is_complete(service, operation) and result != "OK"
            ):
                wrong.append((service.name, operation, result, reason))

    assert wrong == [], "\n".join(map(str, wrong))
    assert called == sum(len(service.operations) for service in SERVICES.values())
    assert "Traceback" not in caller.hub.log
