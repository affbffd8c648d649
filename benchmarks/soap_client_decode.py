"""A response of GetMeterReadings with 96 readings, from bytes to values: our client's way beside zeep's own.

Ours validates by the schema, zeep does not. Both have their schemas and caches ready; nothing is sent. What both read
is compared before anything counts. CPU of one process, shuffled rounds, the median of ratios taken in one round.
"""

import json
import random
import statistics
import time
from collections.abc import Callable
from io import BytesIO
from typing import Any

import requests
import zeep
from zeep.transports import Transport

from benchmarks import soap_servers
from iec61968 import wsdl
from iec61968.editions import EDITIONS
from iec61968.nouns.meter_readings import Answer, open_answer
from iec61968.nouns.scalars import decimal_text, instant_text
from iec61968.services_spoken import SERVICES

ROUNDS = 9
TURNS = 40
EDITION = EDITIONS["2011"]
_BASE = "http://documents.invalid/"


class Documents(Transport):
    """Gives zeep our WSDL and schemas."""

    def load(self, url: str) -> bytes:
        """Return one of our documents."""
        name = url.removeprefix(_BASE)
        if name in wsdl.schema_names():
            return wsdl.schema(name, EDITION).encode()
        service = SERVICES[name.removesuffix(".wsdl")]
        return wsdl.wsdl(service, EDITION, address="https://unset.invalid/").encode()


def zeep_way() -> Callable[[bytes], Any]:
    """Return what zeep does with the body of an answer."""
    client = zeep.Client(f"{_BASE}GetMeterReadings.wsdl", transport=Documents())  # type: ignore[no-untyped-call]
    name = f"{{{EDITION.wsdl('GetMeterReadings')}}}GetMeterReadings_Binding"
    binding: Any = client.wsdl.bindings[name]
    operation = binding.get("GetMeterReadings")

    def read(raw: bytes) -> Any:
        response: Any = requests.Response()
        response.status_code, response._content = 200, raw
        response.headers["Content-Type"] = "text/xml; charset=utf-8"
        return binding.process_reply(client, operation, response)

    return read


def our_way(raw: bytes) -> tuple[Any, ...]:
    """Return what our client reads of the body of an answer, validated."""
    answer = open_answer(BytesIO(raw), edition=EDITION)
    if not isinstance(answer, Answer):
        raise SystemExit("a fault")
    return tuple(answer.readings)


def check(raw: bytes, by_zeep: Callable[[bytes], Any]) -> None:
    """Refuse to measure ways that do not read the same readings."""
    theirs = [
        (one.timeStamp.isoformat().replace("+00:00", "Z"), str(one.value), one.ReadingType.ref)
        for meter in by_zeep(raw).Payload.MeterReadings.MeterReading
        for one in meter.Readings
    ]
    ours = [
        (instant_text(stamp), decimal_text(value, own.exponent), code)
        for own in (one.readings for one in our_way(raw))
        for stamp, value, code in zip(own.stamps, own.values, own.reading_types, strict=True)
    ]
    if theirs != ours or len(ours) < 1:
        raise SystemExit("zeep reads something else")


def us(way: Callable[[bytes], object], raw: bytes) -> float:
    """Return the CPU microseconds of one turn."""
    begun = time.process_time()
    for _ in range(TURNS):
        way(raw)
    return (time.process_time() - begun) / TURNS * 1e6


def run() -> dict[str, dict[str, Any]]:
    """Return the figures of `soap_client_decode`."""
    by_zeep, chance = zeep_way(), random.Random(3)
    figures: dict[str, Any] = {}
    for count in (4, 96):
        raw = soap_servers.answer(soap_servers.request(), count)
        check(raw, by_zeep)
        ways: dict[str, Callable[[bytes], object]] = {"ours": our_way, "zeep": by_zeep}
        rounds = []
        for _ in range(ROUNDS):
            order = list(ways)
            chance.shuffle(order)
            rounds.append({name: us(ways[name], raw) for name in order})
        figures[f"x_zeep_{count}"] = round(statistics.median(one["zeep"] / one["ours"] for one in rounds), 1)
        figures[f"us_{count}"] = round(statistics.median(one["ours"] for one in rounds), 1)
    return {"soap_client_decode": figures}


if __name__ == "__main__":
    print(json.dumps(run()))
