"""Files of the rollout, written by hand: the manufacturer's shipments, and completions of contractors."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from simulators.cis_files import body_of, manifest_of, put, stem_of
from simulators.local_days import ZONE, ZONE_NAME, local_text
from simulators.mdms_files import registers_of
from simulators.rollout_truth import FIELD_DAY, MAKER, MODELS, SHIPPED, Exchange, text_of

LOT_SIZE = 500


@dataclass(frozen=True, slots=True)
class Sheet:
    """A data file that is to be put on offer."""

    prefix: str
    layout: str
    sender: str
    number: int
    lines: Sequence[str]
    """Between header and trailer."""

    head: Sequence[str] = ()
    """Fields of the header behind those that every header has."""

    counted: Sequence[str] = ()
    """Record types that the trailer counts."""

    total: str = ""
    """Last field of the trailer; empty where it has none."""

    has_trailer: bool = True


def shipment(exchanges: Iterable[Exchange], number: int = 1) -> Sheet:
    """Return the manufacturer's file of the meters that are to be hung."""
    found = list(exchanges)
    lots = sorted({_lot(one) for one in found})
    lines = [f"LOT|{lot}|PASS" for lot in lots]
    for one in found:
        new = one.new
        lines.append(
            f"MTR|{new.manufacturer}|{new.serial}|ELECTRICITY|{MODELS[one.point.customer_class]}|5.1.0|TOU4|"
            f"{new.multiplier}|{_lot(one)}|PASS|{local_text(SHIPPED)}|CM{new.serial}|RF_MESH|"
            f"vault:{_lot(one)}/{new.serial}||"
        )
        lines += ["|".join(["REG", *line.split("|")[2:]]) for line in registers_of(one.point, new)]
    head = (f"DN-{number}", MAKER, local_text(SHIPPED), f"PO-{number}")
    return Sheet("SH", "shipment", MAKER, number, lines, head, ("LOT", "MTR", "REG"))


def completions(sender: str, number: int, works: Iterable[tuple[Exchange, str]]) -> Sheet:
    """Return a contractor's file of exchanges, each with the id of its order."""
    lines, total = [], Decimal(0)
    for one, order in works:
        at, point, old, new = local_text(one.at), one.point, one.old, one.new
        lines.append(
            f"EXC|DONE|{order}|{point.usage_point}|{point.name}|{at}|{old.manufacturer}|{old.serial}|{at}|"
            f"{new.manufacturer}|{new.serial}|{at}|{new.multiplier}|Y|||{sender}-{one.number % 8}||||||{at}"
        )
        for which, shown in (("FINAL", one.final), ("FIRST", one.first)):
            lines += [f"RDG|{which}|{register}||{text_of(count)}" for register, count in shown.items()]
            total += sum(Decimal(text_of(count)) for count in shown.values())
    return Sheet("CR", "completions", sender, number, lines, (), ("EXC", "RDG", "PHO"), str(total))


def offer(root: Path, sheet: Sheet, now: datetime, *, day: date = FIELD_DAY) -> str:
    """Put a file and its control file on offer in the folder of its sender; return its name."""
    stem = f"{sheet.prefix}_{sheet.sender}_AMIHUB_TEST_{day:%Y%m%d}_{sheet.number:06d}_r0"
    head = "|".join(
        ("HDR", sheet.layout, "1", stem, sheet.sender, "AMIHUB", "TEST", now.astimezone(ZONE).isoformat("T", "seconds"),
         day.isoformat(), ZONE_NAME, str(sheet.number), *sheet.head)
    )  # fmt: skip
    counts = [str(sum(line.startswith(f"{tag}|") for line in sheet.lines)) for tag in sheet.counted]
    trailer = "|".join(("TRL", *counts, *([sheet.total] if sheet.total else [])))
    body = body_of([head, *sheet.lines, *([trailer] if sheet.has_trailer else [])])
    name = f"{stem}.dat"
    control = manifest_of(
        name, body, sequence=sheet.number, layout=f"{sheet.layout}/1", produced_at=local_text(now), zone=ZONE_NAME
    )
    put(root / "outbound", name, body)
    put(root / "outbound", stem_of(name) + ".ctl", control)
    return name


def _lot(one: Exchange) -> str:
    return f"L{one.number // LOT_SIZE + 1:03d}"
