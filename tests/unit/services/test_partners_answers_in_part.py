"""A partner that answers later, by queue or file, says object by object what it refuses; the delivery keeps it all."""

from hashlib import sha256
from pathlib import Path

import pytest

from canonical.messages import Header, Parcel
from iec61968.safe_xml import XmlLimits
from services.hub import Hub
from services.partner_answers import take_answer
from services.site_file import load_site
from store import deliveries
from store.session import Transaction

SITE = '[site]\nname = "A"\nzone = "UTC"\nenv = "TEST"\nsender = "AMIHUB"\ndata = "var"\n[roles]\n'
OURS = "11111111-2222-4333-8444-555555555555"
SIXTY = [(f"m-{n}", "2.4", "no licence") for n in range(60)]
ERROR = (
    "<Error><code>{code}</code><level>FATAL</level><reason>{reason}</reason>"
    '<ID kind="uuid" objectType="Meter">{meter}</ID></Error>'
)


def answer(result: str, *errors: tuple[str, str, str]) -> bytes:
    said = "".join(ERROR.format(code=code, reason=reason, meter=meter) for meter, code, reason in errors)
    return (
        '<ResponseMessage xmlns="http://iec.ch/TC57/2011/schema/message"><Header><Verb>reply</Verb>'
        "<Noun>MeterConfig</Noun><Timestamp>2026-12-01T12:00:00Z</Timestamp>"
        "<MessageID>99999999-2222-4333-8444-555555555555</MessageID>"
        f"<CorrelationID>{OURS}</CorrelationID></Header><Reply><Result>{result}</Result>{said}</Reply></ResponseMessage>"
    ).encode()


@pytest.fixture
def hub(tmp_path: Path) -> Hub:
    (tmp_path / "site.toml").write_text(SITE)
    return Hub(load_site(tmp_path / "site.toml"))


@pytest.mark.parametrize(
    ("wire", "state", "code", "count"),
    [
        (answer("OK"), "confirmed", "", 0),
        (
            answer("PARTIAL", *((f"m-{n}", "2.4", "no licence") for n in range(60))),
            "parked",
            "1120 PARTNER_TOOK_PART",
            60,
        ),
        (answer("FAILED", ("m-1", "2.4", "no licence")), "parked", "1115 PARTNER_REFUSED", 1),
        (answer("FAILED", ("m-1", "5.1", "busy")), "parked", "1115 PARTNER_REFUSED", 1),
    ],
    ids=["all", "part", "none", "busy"],
)
def test_every_object_that_an_answer_refuses_is_kept(
    hub: Hub, transaction: Transaction, wire: bytes, state: str, code: str, count: int
) -> None:
    parcel = Parcel("m", "text/xml", sha256(b"1").hexdigest(), 1, b"1", key="k", confirm_name=OURS)
    header = Header("m-1", "hub", "create", "MeterConfig")
    with transaction() as session:
        name = deliveries.enqueue(session, header=header, destination="wams", parcel=parcel, now=hub.now())

    reply = take_answer(hub, wire, "crews", roles=["wams"], limits=XmlLimits(), transaction=transaction)

    with transaction() as session:
        found = deliveries.find(session, name)
        assert (reply.result, found.state, found.code) == ("OK", state, code)
        refusals = [part for part in found.reason.split("; ") if part]
    assert len(refusals) == count
    assert all(part.startswith(f"Meter m-{n if count > 1 else 1} ") for n, part in enumerate(refusals))
