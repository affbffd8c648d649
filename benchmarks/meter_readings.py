"""MeterReadings decode: CPU over lxml's iterparse that extracts nothing, on a regular and an irregular document.

Regular: `Readings` form, 1,000 meters x 96, one quality each. Irregular: both forms mixed, 0 to 2 qualities, 5,000
distinct stamps, 0 to 6 decimals. Each method runs in a fresh process; a ratio is of two runs of one round; the figure
is the median of the rounds. Peak memory is the process's own, imports included.
"""

import json
import random
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

ROUNDS = 5
NAMESPACE = "http://iec.ch/TC57/2011/MeterReadings#"
HEAD = f'<?xml version="1.0" encoding="UTF-8"?>\n<MeterReadings xmlns="{NAMESPACE}">'
TAIL = "</MeterReadings>"
ENERGY = "0.0.2.4.1.1.12.0.0.0.0.0.0.0.0.3.72.0"
START = datetime(2026, 3, 1, tzinfo=UTC)


def regular(meters: int) -> Iterator[str]:
    """Yield the MeterReadings of the regular document."""
    stamps = [(START + timedelta(minutes=15 * n)).strftime("%Y-%m-%dT%H:%M:%SZ") for n in range(1, 97)]
    for meter in range(meters):
        yield f"<MeterReading><Meter><mRID>meter-{meter}</mRID></Meter>"
        for n, stamp in enumerate(stamps):
            yield (
                f"<Readings><timeStamp>{stamp}</timeStamp><value>{(meter * 7 + n * 13) % 900}."
                f"{(meter * 31 + n * 17) % 1000:03d}</value><ReadingQualities>"
                f'<ReadingQualityType ref="1.0.0"/></ReadingQualities><ReadingType ref="{ENERGY}"/></Readings>'
            )
        yield "</MeterReading>"


def irregular(meters: int) -> Iterator[str]:
    """Yield the MeterReadings of the irregular document; the same in every run."""
    chance = random.Random(5)
    stamps = [(START + timedelta(seconds=61 * n)).strftime("%Y-%m-%dT%H:%M:%SZ") for n in range(5000)]
    for meter in range(meters):
        blocks = meter % 2 == 0
        name = "IntervalReadings" if blocks else "Readings"
        kind = f'<ReadingType ref="{ENERGY}"/>'
        yield "<MeterReading>" + ("<IntervalBlocks>" if blocks else "")
        for _ in range(96):
            marks = "".join(
                f'<ReadingQualities><ReadingQualityType ref="{ref}"/></ReadingQualities>'
                for ref in chance.sample(("1.0.0", "3.8.0", "2.5.259"), chance.randrange(3))
            )
            value = f"{chance.randrange(10**6)}." + str(chance.randrange(10**6)).zfill(6)[: chance.randrange(7)]
            yield f"<{name}><timeStamp>{chance.choice(stamps)}</timeStamp><value>{value.rstrip('.')}</value>{marks}"
            yield ("" if blocks else kind) + f"</{name}>"
        yield f"{kind}</IntervalBlocks>" if blocks else ""
        yield "</MeterReading>" if not blocks else f"<Meter><mRID>meter-{meter}</mRID></Meter></MeterReading>"


def write(path: Path, pieces: Iterator[str]) -> None:
    """Write one document."""
    with path.open("w", encoding="utf-8") as out:
        out.write(HEAD)
        out.writelines(pieces)
        out.write(TAIL)


def prefixed(path: Path, target: Path) -> None:
    """Write the document as a .NET stack might: indented by CRLF, prefixed, single quotes, a comment before each."""
    from lxml import etree

    tree = etree.parse(str(path))
    etree.indent(tree, "    ")
    text = (
        etree.tostring(tree, encoding="unicode").replace("\n", "\r\n").replace('"/>', "' />").replace('ref="', "ref='")
    )
    text = re.sub(r"<(/?)([A-Za-z])", r"<\1m:\2", text).replace("xmlns=", "xmlns:m=")
    text = text.replace("<m:MeterReading>", "<!-- next --><m:MeterReading>")
    target.write_text('\ufeff<?xml version="1.0" encoding="utf-8"?>\r\n' + text, encoding="utf-8", newline="")


def indented(path: Path, target: Path) -> None:
    """Write the document pretty-printed."""
    from lxml import etree

    tree = etree.parse(str(path))
    etree.indent(tree)
    tree.write(str(target), encoding="UTF-8", xml_declaration=True)


def general(path: Path, target: Path) -> None:
    """Write the document so that only the general way can read it: every MeterReading declares a prefix of its own."""
    text = path.read_text(encoding="utf-8")
    target.write_text(text.replace("<MeterReading>", '<MeterReading xmlns:v="urn:v">'), encoding="utf-8")


def measure(method: str, path: str) -> dict[str, float]:
    """Run one method in this process; return its CPU seconds, readings and peak memory."""
    if method == "floor":
        from lxml import etree

        begun, count = time.process_time(), 0
        for _, element in etree.iterparse(path, tag=f"{{{NAMESPACE}}}MeterReading"):
            element.clear()
    else:
        from iec61968.nouns.meter_readings import decode

        begun, count = time.process_time(), 0
        with open(path, "rb") as stream:
            for one in decode(stream):
                count += len(one.readings.values) + sum(len(block.values) for block in one.blocks)
    cpu = time.process_time() - begun
    return {"cpu": cpu, "count": count, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def fresh(method: str, path: Path) -> dict[str, float]:
    """Run one method in a fresh process."""
    command = [sys.executable, "-m", "benchmarks.meter_readings", method, str(path)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def ratio(path: Path, readings: int) -> float:
    """Return the median over the rounds of decode over floor."""
    ratios = []
    for turn in range(ROUNDS):
        order = ("floor", "decode") if turn % 2 else ("decode", "floor")
        taken = {method: fresh(method, path) for method in order}
        if taken["decode"]["count"] != readings:
            raise SystemExit(f"{taken['decode']['count']} readings decoded, {readings} written")
        ratios.append(taken["decode"]["cpu"] / taken["floor"]["cpu"])
    return round(statistics.median(ratios), 2)


def forms(regular_one: Path, irregular_one: Path) -> dict[str, float]:
    """Return the ratios on both documents, written in other ways; the floor reads the same bytes."""
    figures = {}
    for name, rewrite in (("indented", indented), ("prefixed", prefixed), ("general", general)):
        for suffix, path in (("", regular_one), ("_irregular", irregular_one)):
            target = path.with_suffix(f".{name}.xml")
            rewrite(path, target)
            figures[f"cpu_ratio_{name}{suffix}"] = ratio(target, 96_000)
            target.unlink()
    return figures


def peers(folder: Path) -> dict[str, float]:
    """Return how many times longer the peers take on 100 meters, warm, in this process."""
    from benchmarks.decode_peers import compared

    plain, other = folder / "a100.xml", folder / "a100.general.xml"
    write(plain, regular(100))
    general(plain, other)
    return compared(plain.read_bytes(), other.read_bytes())


def run() -> dict[str, dict[str, Any]]:
    """Return the figures of `meter_readings_decode`."""
    with tempfile.TemporaryDirectory() as folder:
        small, odd, large = (Path(folder) / name for name in ("a.xml", "irregular.xml", "a200.xml"))
        write(small, regular(1000))
        write(odd, irregular(1000))
        write(large, regular(9700))
        # Peaks first: a process begins with the peak of the one that started it, and the rewriting below is large.
        peaks = {
            f"peak_mb_{size}": round(fresh("decode", path)["peak_mb"], 1) for size, path in ((20, small), (200, large))
        }
        large.unlink()
        figures = {
            "cpu_ratio_to_floor": ratio(small, 96_000),
            "cpu_ratio_irregular": ratio(odd, 96_000),
            **forms(small, odd),
            **peaks,
            **peers(Path(folder)),
        }
    return {"meter_readings_decode": figures}


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(measure(sys.argv[1], sys.argv[2])))
    else:
        print(json.dumps(run()))
