"""Secrets, names and values that pass through web services appear in no log and on no standard error."""

import base64
import http.client
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cim_hub import CimHub, cim_hub
from cim_partner import Asked, CimPartner, Said, error, fault, readings_answer, response
from lxml import etree
from security_tiers import basic
from soap_certificates import certificate
from ws_security import SOAP, Pair, signed, username_token, with_security

from iec61968.bindings import wrap
from iec61968.editions import EDITIONS
from iec61968.samples import sample_message
from iec61968.spoken_nouns import NOUNS

pytestmark = [pytest.mark.servers, pytest.mark.slow]

MARKS = {
    "caller": "zqCallerWord1",
    "token": "zqTokenWord2",
    "partner": "zqPartnerWord3",
    "reply": "zqReplyWord4",
    "person": "zqJaneDoe5",
    "value": "918273.645",
    "partner text": "zqPartnerText6",
}
SITE = """
[serve.clients.cis]
password = "env:CALLER_WORD"
[serve.clients.loose]
password = "env:CALLER_WORD"
policy = "report"
[serve.clients.tokens]
password = "env:TOKEN_WORD"
tier = "token"
[serve.clients.signer]
tier = "signature"
certificate = "{signer}"
[serve.replies.cis]
address = "{partner}/reply?key={reply_word}"
clients = ["cis"]
user = "hub"
password = "env:REPLY_WORD"
ca_file = "{ca_file}"
binding = "bare"
[master_data]
"""
QUERY = (
    '<Request xmlns="http://iec.ch/TC57/2011/schema/message"><GetMeterReadings '
    'xmlns="http://iec.ch/TC57/2011/GetMeterReadings#"><Reading><timePeriod><end>2026-03-02T00:00:00Z</end>'
    "<start>2026-03-01T00:00:00Z</start></timePeriod></Reading><UsagePoint><mRID>up-1</mRID></UsagePoint>"
    "</GetMeterReadings></Request>"
)


def uuid(number: int) -> str:
    """Return a message id."""
    return f"11111111-2222-3333-4444-{number:012}"


def marked(name: str, kind: Any, number: int) -> Any:
    """Return a sample whose texts are a person's and whose values are marked, under an id of its own."""
    root = sample_message(NOUNS[name], kind=kind, edition=EDITIONS["2011"], full=True)
    for one in root.iter(etree.Element):
        inside = any(str(above.tag).endswith("}Header") for above in one.iterancestors())
        if inside and str(one.tag).endswith(("}ReplyAddress", "}AsyncReplyFlag", "}ReplayDetection")):
            one.tag = "{urn:gone}gone"
        elif not inside and (one.text or "").startswith("sample-"):
            one.text = MARKS["person"]
        elif not inside and str(one.tag).endswith("}value"):
            one.text = MARKS["value"]
        elif str(one.tag).endswith("}MessageID"):
            one.text = uuid(number)
    for gone in list(root.iter("{urn:gone}gone")):
        parent: Any = gone.getparent()
        parent.remove(gone)
    return root


@dataclass
class Night:
    """A hub with partners, and every way of calling it."""

    hub: CimHub
    partner: CimPartner
    signer: Pair

    def call(self, body: bytes, *, path: str = "/cim/message", authorization: str = "") -> str:
        """Return the text of the answer."""
        line = http.client.HTTPSConnection("127.0.0.1", self.hub.port, timeout=60, context=self.hub.tls())
        try:
            headers = {"Content-Type": "text/xml"} | ({"Authorization": authorization} if authorization else {})
            line.request("POST", path, body, headers)
            return line.getresponse().read().decode()
        finally:
            line.close()

    def ask(self, number: int, head: str = "") -> str:
        """Ask for readings; the answer is the hub's."""
        body = (
            '<RequestMessage xmlns="http://iec.ch/TC57/2011/schema/message"><Header><Verb>get</Verb>'
            f"<Noun>MeterReadings</Noun><Timestamp>2026-03-02T12:00:00Z</Timestamp>{head}"
            f"<MessageID>{uuid(number)}</MessageID><CorrelationID>{uuid(number)}</CorrelationID></Header>{QUERY}"
            "</RequestMessage>"
        )
        return self.call(body.encode(), authorization=basic("cis", MARKS["caller"]))


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Night]:
    made, signer = certificate(tmp_path), Pair("zqSignerName7")
    _, signer_file = signer.files(tmp_path, "signer")
    words = {"CALLER_WORD": MARKS["caller"], "TOKEN_WORD": MARKS["token"], "REPLY_WORD": MARKS["reply"]}
    with CimPartner(*made, answer=readings_answer) as partner:
        site = SITE.format(signer=signer_file, partner=partner.base, ca_file=made[1], reply_word=MARKS["reply"])
        words["MDMS_PASSWORD"] = MARKS["partner"]
        with cim_hub(tmp_path / "site", made, site, mdms=partner.base, only=(), **words) as hub:
            yield Night(hub, partner, signer)


def _messages(night: Night) -> None:
    """Send every noun whole, well and badly, by callers of every kind."""
    numbers = iter(range(1, 10_000))
    good, loose = basic("cis", MARKS["caller"]), basic("loose", MARKS["caller"])
    for name, noun in NOUNS.items():
        for kind in ("request",) if noun.is_query else ("request", "event"):
            root = marked(name, kind, next(numbers))
            night.call(wrap(root, "typed"), authorization=good)
            texts = [one for one in root.iter(etree.Element) if one.text in (MARKS["person"], MARKS["value"])]
            for wound in texts[:1]:
                wound.append(etree.Element("zap"))
            for typed in root.iter("{*}createdDateTime", "{*}kind", "{*}isVirtual", "{*}phaseCode", "{*}timeStamp"):
                typed.text = MARKS["person"]
            for who in (good, loose):
                night.call(wrap(root, "typed"), authorization=who)
                night.call(wrap(root, "string"), authorization=who)
    body = wrap(marked("MeterReadings", "event", 20_001), "typed")
    for wrong in (
        basic("cis", MARKS["token"]),
        basic(MARKS["person"], MARKS["caller"]),
        f"Bearer {MARKS['token']}",
        "Basic " + base64.b64encode(MARKS["caller"].encode()).decode(),
    ):
        night.call(body, authorization=wrong)
    night.call(with_security(body, username_token("tokens", MARKS["token"])))
    night.call(with_security(body, username_token("tokens", MARKS["caller"], kind="PasswordText")))
    night.call(
        etree.tostring(
            signed(
                body.replace(b"<soap:", b"<s:").replace(b"</soap:", b"</s:").replace(b"xmlns:soap", b"xmlns:s"),
                night.signer,
            )
        )
    )
    night.call(b"<a>" + MARKS["person"].encode() + b"</b>", authorization=good)
    night.call(
        f'<s:Envelope xmlns:s="{SOAP}"><s:Body/>{MARKS["person"]}<x/></s:Envelope>'.encode(), authorization=loose
    )


def _questions(night: Night) -> None:
    """Ask for readings while the partner behind the hub answers well, badly and not at all."""
    bad = MARKS["partner text"]
    answers: list[Any] = [
        readings_answer,
        lambda a: Said(fault(a, "Client", "2.12", bad), 500),
        lambda a: Said(fault(a, "Server", "5.1", bad), 500),
        lambda a: Said(response(a, result="FAILED", errors=error("2.12", bad))),
        lambda a: Said(response(a, payload=f"<{bad}/>")),
        lambda _: Said(bad.encode()),
        lambda _: Said(bad.encode(), 503),
        lambda a: Said(readings_answer(a).body.replace(b"7.250", bad.encode())),
        lambda a: Said(readings_answer(a).body.replace(b"2026-03-01T00:00:00Z", bad.encode())),
    ]
    asynchronous = f"<AsyncReplyFlag>true</AsyncReplyFlag><ReplyAddress>{night.partner.base}/reply?key={MARKS['reply']}"

    def answer_of(chosen: Any) -> Any:
        def answer(asked: Asked) -> Said:
            return chosen(asked)  # type: ignore[no-any-return]

        return answer

    for number, chosen in enumerate(answers):
        night.partner.answer = answer_of(chosen)
        night.ask(30_000 + number)
        night.ask(40_000 + number, f"{asynchronous}</ReplyAddress>")
    night.ask(50_000, "<ReplyAddress>https://127.0.0.1:1/?" + MARKS["person"] + "</ReplyAddress>")


def told(text: str) -> list[str]:
    """Return which marks a text holds."""
    return [name for name, mark in MARKS.items() if mark in text]


def test_nothing_that_passes_through_is_logged(night: Night) -> None:
    _messages(night)
    _questions(night)
    commands = (
        ("config", "check"),
        ("cim", "support"),
        ("messages", "search", "--limit", "500"),
        ("work", "list"),
        ("parked", "list"),
        ("cim", "call", "mdms", "--noun", "MeterReadings", "--verb", "get"),
    )
    runs = [(command, night.hub.amihub(*command)) for command in commands]

    assert len(night.hub.archive()) > 100
    assert {asked.path for asked in night.partner.asked} >= {"/GetMeterReadings"}
    log = night.hub.log
    assert "Traceback" not in log
    assert told(log) == [], [line for line in log.splitlines() if told(line)][:10]
    for command, run in runs:
        assert told(run.stderr) == [], (command, run.stderr)
        words = {name for name in told(run.stdout) if name not in ("person", "value", "partner text")}
        assert words == set(), (command, run.stdout)
    left = [file for file in night.hub.folder.rglob("*.log") if told(file.read_text(errors="replace"))]
    assert left == []


@pytest.mark.parametrize(
    "content", ["zqKeyContent8", "-----BEGIN CERTIFICATE-----\nzqKeyContent8\n-----END CERTIFICATE-----"]
)
def test_a_pinned_certificate_that_is_none_stops_the_server_and_is_not_shown(tmp_path: Path, content: str) -> None:
    broken = tmp_path / "broken.pem"
    broken.write_text(content)
    more = f'[serve.clients.signer]\ntier = "signature"\ncertificate = "{broken}"\n'

    with pytest.raises(AssertionError) as caught, cim_hub(tmp_path / "site", certificate(tmp_path), more):
        pass

    said = str(caught.value)
    assert "serve.clients.signer" in said
    assert "Traceback" not in said
    assert "zqKeyContent8" not in said
