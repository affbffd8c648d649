"""Spyne's server of the SOAP benchmark: it is asked what ours is asked, byte for byte, and says what ours says.

Spyne makes its own schema of these classes, in which only the elements of those two messages stand; it validates what
comes in by lxml, and does not validate what goes out. An element is in the namespace of the class that declares it.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal as Number
from typing import Any
from uuid import uuid4

from spyne import Application, ComplexModel, DateTime, Decimal, ServiceBase, Unicode, XmlAttribute, rpc
from spyne.protocol.soap import Soap11
from spyne.server.wsgi import WsgiApplication

ENERGY = "0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.3.72.0"
START = datetime(2026, 3, 1, tzinfo=UTC)
MESSAGE = "http://iec.ch/TC57/2011/schema/message"
TYPED = "http://iec.ch/TC57/2011/GetMeterReadingsMessage"
ASKED = "http://iec.ch/TC57/2011/GetMeterReadings#"
SAID = "http://iec.ch/TC57/2011/MeterReadings#"


def _type(name: str, namespace: str, **members: Any) -> Any:
    """Return a complex type of that name."""
    return type(name, (ComplexModel,), {"__namespace__": namespace, "__type_name__": name, **members})


Header = _type(
    *("HeaderType", MESSAGE),
    Verb=Unicode,
    Noun=Unicode,
    Timestamp=DateTime,
    Source=Unicode,
    MessageID=Unicode,
    CorrelationID=Unicode,
)
Error = _type("ErrorType", MESSAGE, code=Unicode, level=Unicode)
Reply = _type("ReplyType", MESSAGE, Result=Unicode, Error=Error)

UsagePoint = _type("UsagePoint", ASKED, mRID=Unicode)
Question = _type("GetMeterReadings", ASKED, UsagePoint=UsagePoint)
Request = _type("RequestType", ASKED, GetMeterReadings=Question)
GetMessage = _type("GetMeterReadingsRequest", TYPED, Header=Header, Request=Request)

Meter = _type("Meter", SAID, mRID=Unicode)
QualityType = _type("ReadingQualityType", SAID, ref=XmlAttribute(Unicode))
ReadingType = _type("ReadingType", SAID, ref=XmlAttribute(Unicode))
Quality = _type("ReadingQuality", SAID, ReadingQualityType=QualityType)
Reading = _type(
    *("Reading", SAID),
    timeStamp=DateTime,
    value=Decimal,
    ReadingQualities=Quality.customize(max_occurs="unbounded"),
    ReadingType=ReadingType,
)
MeterReading = _type("MeterReading", SAID, Meter=Meter, Readings=Reading.customize(max_occurs="unbounded"))
Readings = _type("MeterReadings", SAID, MeterReading=MeterReading.customize(max_occurs="unbounded"))
Payload = _type("PayloadType", SAID, MeterReadings=Readings)
Answer = _type("MeterReadingsAnswer", TYPED, Header=Header, Reply=Reply, Payload=Payload)


def _reading(number: int) -> Any:
    """Return one reading of the answer."""
    return Reading(
        timeStamp=START + timedelta(minutes=15 * number),
        value=Number(1000 + number).scaleb(-3),
        ReadingQualities=[Quality(ReadingQualityType=QualityType(ref="1.0.0"))],
        ReadingType=ReadingType(ref=ENERGY),
    )


def app(count: int = 4) -> Any:
    """Return a WSGI app that answers with that many readings."""

    class Service(ServiceBase):  # type: ignore[misc]
        @rpc(
            GetMessage,
            _returns=Answer,
            _body_style="bare",
            _out_message_name=f"{{{TYPED}}}MeterReadingsResponseMessage",
        )  # type: ignore[untyped-decorator]
        def GetMeterReadings(self: Any, asked: Any) -> Any:  # noqa: N802 - the operation's own name
            head = asked.Header
            said = Header(
                Verb="reply",
                Noun=head.Noun,
                Timestamp=START,
                Source="AMIHUB",
                MessageID=str(uuid4()),
                CorrelationID=head.CorrelationID,
            )
            found = MeterReading(Meter=Meter(mRID="m-1"), Readings=[_reading(n) for n in range(count)])
            done = Reply(Result="OK", Error=Error(code="0.0", level="INFORM"))
            return Answer(Header=said, Reply=done, Payload=Payload(MeterReadings=Readings(MeterReading=[found])))

    return WsgiApplication(Application([Service], TYPED, in_protocol=Soap11(validator="lxml"), out_protocol=Soap11()))
