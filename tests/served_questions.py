"""Questions for readings written by hand, and what goes to reply addresses."""

from lxml import etree
from served_cim import YEAR, message, post
from sqlmodel import col, select

from iec61968.message_codec import message_from_xml
from iec61968.wire import WireMessage
from services.hub import Hub
from store.deliveries import Delivery, DeliveryPayload

ASYNC = "<e:AsyncReplyFlag>true</e:AsyncReplyFlag><e:ReplyAddress>https://cis.example/reply</e:ReplyAddress>"


def question(
    *points: str, number: int = 1, asynchronous: bool = False, types: tuple[str, ...] = (), options: str = "",
    verb: str = "get", reasons: tuple[str, ...] = ("inquiry",), correlation: int = 99,
) -> bytes:  # fmt: skip
    span = "<timePeriod><end>2026-03-02T12:00:00Z</end><start>2026-03-01T00:00:00Z</start></timePeriod>"
    asked = "".join(f"<Reading><reason>{reason}</reason>{span}</Reading>" for reason in reasons)
    asked += "".join(f"<ReadingType><Names><name>{code}</name></Names></ReadingType>" for code in types)
    asked += "".join(f"<UsagePoint><mRID>{point}</mRID></UsagePoint>" for point in points)
    inner = f'<Request>{options}<GetMeterReadings xmlns="{YEAR}/GetMeterReadings#">{asked}</GetMeterReadings></Request>'
    operation = "GetMeterReadings" if verb == "get" else f"{verb.capitalize()}MeterReadings"
    noun = "GetMeterReadings" if verb == "get" else "MeterReadings"
    body = message(operation, "", number=number, verb=verb, noun=noun, after=inner, correlation=correlation).decode()
    body = body.replace(f"<e:Noun>{noun}<", "<e:Noun>MeterReadings<")
    if asynchronous:
        body = body.replace("<e:MessageID>", f"{ASYNC}<e:MessageID>")
    return body.encode()


def ask(hub: Hub, *points: str, **how: object) -> bytes:
    return post(hub, question(*points, **how), "/cim/GetMeterReadings").content  # type: ignore[arg-type]


def gone(hub: Hub) -> list[WireMessage]:
    """Return the messages that are on their way to reply addresses, in order."""
    with hub.transaction() as session:
        rows = session.exec(
            select(Delivery.path, DeliveryPayload.body)
            .join(DeliveryPayload, col(DeliveryPayload.delivery_id) == Delivery.delivery_id, isouter=True)
            .order_by(col(Delivery.sequence))
        ).all()
    raw = [(hub.spool / path).read_bytes() if path else body for path, body in rows]
    return [message_from_xml(etree.fromstring(one)) for one in raw]


def points_of(found: WireMessage) -> list[str]:
    return [one.text or "" for part in found.payload.parts for one in part.iter("{*}UsagePoint/{*}mRID")] + [
        one.text or "" for part in found.payload.parts for one in part.iterfind(".//{*}UsagePoint/{*}mRID")
    ]


def codes_of(found: WireMessage) -> list[str]:
    assert found.reply is not None
    return [error.code for error in found.reply.errors]
