"""One schema serves many threads: each message gets its own verdict, and the first ones do not wait for a restart."""

import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy

from iec61968 import safe_xml, soap, tolerance, validation
from iec61968.editions import EDITIONS
from iec61968.samples import sample_message
from iec61968.spoken_nouns import NOUNS

THREADS = 8


def request() -> bytes:
    return soap.envelope(sample_message(NOUNS["GetMeterReadings"], kind="request", edition=EDITIONS["2011"]))


def test_valid_and_invalid_messages_side_by_side_each_get_their_own_verdict() -> None:
    good = request()
    bad = good.replace(b"</e:Verb>", b"</e:Verb><e:Bogus/>")

    def wrong(number: int) -> int:
        raw, invalid = (bad, True) if number % 2 else (good, False)
        found = (validation.findings(safe_xml.parse(raw), EDITIONS["2011"]) for _ in range(400))
        return sum(bool(one) is not invalid or any("Bogus" not in str(f) for f in one) for one in found)

    with ThreadPoolExecutor(THREADS) as pool:
        wrongs = list(pool.map(wrong, range(THREADS)))

    assert wrongs == [0] * THREADS


def test_payloads_side_by_side_are_each_told_their_own_mistakes_by_the_tolerant_schema() -> None:
    profile = EDITIONS["2011"].profile("MeterReadings")
    payloads = [
        safe_xml.parse(f'<MeterReadings xmlns="{profile}"><{name}/></MeterReadings>'.encode())
        for name in ("First", "Second")
    ]

    def wrong(number: int) -> int:
        name = ("First", "Second")[number % 2]
        found = (tolerance.findings(deepcopy(payloads[number % 2])) for _ in range(200))
        return sum(not one or any(name not in str(f) for f in one) for one in found)

    with ThreadPoolExecutor(THREADS) as pool:
        wrongs = list(pool.map(wrong, range(THREADS)))

    assert wrongs == [0] * THREADS


def test_the_first_messages_of_a_process_may_come_all_at_once() -> None:
    program = f"""
        from concurrent.futures import ThreadPoolExecutor
        from threading import Barrier
        from tests.unit.iec61968.test_validation_in_threads import request
        from iec61968 import safe_xml, validation
        from iec61968.editions import EDITIONS

        raw, together = request(), Barrier({THREADS})

        def found(_):
            root = safe_xml.parse(raw)
            together.wait()
            return len(validation.findings(root, EDITIONS["2011"]))

        with ThreadPoolExecutor({THREADS}) as pool:
            print(*pool.map(found, range({THREADS})))
    """

    for _ in range(3):
        run = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(program)], stdout=subprocess.PIPE, text=True, check=True
        )
        assert run.stdout.split() == ["0"] * THREADS
