"""Answers of 200 MB: written to the spool and carried from it in memory that does not grow with them."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import resource, sys
from array import array
from datetime import UTC, datetime
from pathlib import Path

from canonical.messages import Header, Message
from canonical.metering import IntervalBlock, MeterReadings
from canonical.quality import Quality
from canonical.questions import ReadingsAnswer
from iec61968.editions import EDITIONS
from iec61968.message_client import Peer
from iec61968.spooled_message import SpooledBody
from services.cim_answers import SiteAnswers
from services.cim_replies import AnswerEncoder

NOW, QUARTERS = datetime(2026, 1, 1, tzinfo=UTC), "0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.3.72.0"
ID = "11111111-2222-3333-4444-000000000001"

def month(n):
    values = array("q", range(3000))
    block = IntervalBlock(f"up-{n}", "m", QUARTERS, NOW, 15, -3, values, ((3000, Quality.VALIDATED, "3.0.0"),), "mdms")
    return MeterReadings(f"up-{n}", "m", (), (block,))

def run(meters):
    spool = Path(sys.argv[1])
    peer = Peer("https://x.example/", EDITIONS["2011"], "typed")
    answers = SiteAnswers(AnswerEncoder({"reply:x": peer}, "AMIHUB"), spool)
    writer = answers.open("reply:x")
    for n in range(meters):
        writer.add(month(n))
    header = Header(ID, "cis", "reply", "MeterReadings", ID, created_at=NOW)
    (parcel,) = writer.finish(Message(header, ReadingsAnswer((), (), "mdms", overall="OK")))
    writer.close()
    body, read = SpooledBody(spool / parcel.path, peer), 0
    while chunk := body.read(65536):
        read += len(chunk)
    assert read == len(body) > parcel.size
    return parcel.size

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

run(20)
idle = peak()
print(run(620), peak() - idle)
"""


@pytest.mark.slow
def test_an_answer_of_200_mb_is_written_and_carried_in_memory_that_does_not_grow(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path)], capture_output=True, text=True, timeout=400, check=False
    )

    assert run.returncode == 0, run.stderr
    size, grown = map(int, run.stdout.split())
    assert size > 200 * 1024 * 1024
    assert grown <= 64 * 1024 * 1024, f"{grown / 1e6:.0f} MB"
    assert not list((tmp_path / "answers").glob(".answer-*"))
    print(f"{size / 1e6:.0f} MB, {grown / 1e6:.1f} MB more memory")
