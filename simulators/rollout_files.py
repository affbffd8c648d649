"""Files of the rollout, written by hand: the manufacturer's shipments, and completions of contractors."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from simulators.cis_files import body_of, manifest_of, put, stem_of
from simulators.local_days import ZONE, ZONE_NAME, local_text
from simulators.mdms_files import registers_of
from simulators.rollout_boxes import FAILED, FREED, Box, boxes_of
from simulators.rollout_tellings import Telling
from simulators.rollout_truth import FIELD_DAY, MODELS, SHIPPED, Truth, text_of


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


def shipments(truth: Truth) -> list[Sheet]:
    """Return the file of each manufacturer: meters that are to be hung, and some more."""
    boxes = list(boxes_of(truth))
    makers = sorted({box.meter.manufacturer for box in boxes})
    return [_shipment(maker, [box for box in boxes if box.meter.manufacturer == maker]) for maker in makers]


def _shipment(maker: str, boxes: Sequence[Box]) -> Sheet:
    lots = sorted({box.lot for box in boxes})
    lines = [f"LOT|{lot}|{'FAIL' if lot in (FAILED, FREED) else 'PASS'}" for lot in lots]
    for box in boxes:
        lines += _shipped(box)
    head = ("DN-1", maker, local_text(SHIPPED), "PO-1")
    return Sheet("SH", "shipment", maker, 1, lines, head, ("LOT", "MTR", "REG"))


def _shipped(box: Box) -> list[str]:
    """Return the lines of one meter; what a meter was made without is not among them."""
    new, keys = box.meter, f"vault:{box.lot}/{box.meter.serial}" if box.has_keys else ""
    registers = [line for line in registers_of(box.point, new) if line.split("|")[3] not in box.lacks]
    first = (
        f"MTR|{new.manufacturer}|{new.serial}|ELECTRICITY|{MODELS[box.point.customer_class]}|5.1.0|TOU4|"
        f"{new.multiplier}|{box.lot}|PASS|{local_text(SHIPPED)}|CM{new.manufacturer[0]}{new.serial}|RF_MESH|{keys}||"
    )
    return [first, *("|".join(["REG", *line.split("|")[2:]]) for line in registers)]


def completions(sender: str, number: int, told: Iterable[Telling], *, has_trailer: bool = True) -> Sheet:
    """Return a contractor's file of what it did, or could not do."""
    lines, total = [], Decimal(0)
    for one in told:
        lines.append("|".join(_work(sender, one)))
        if one.outcome != "DONE":
            continue
        for which, shown in (("FINAL", one.final), ("FIRST", one.first)):
            lines += [f"RDG|{which}|{register}||{text_of(count)}" for register, count in shown.items()]
            total += sum(Decimal(text_of(count)) for count in shown.values())
    return Sheet("CR", "completions", sender, number, lines, (), ("EXC", "RDG", "PHO"), str(total), has_trailer)


def _work(sender: str, one: Telling) -> list[str]:
    """Return the fields of an EXC line."""
    removed, hung = local_text(one.removed_at), local_text(one.installed_at)
    named = [one.order, one.usage_point, one.name, hung]
    if one.outcome == "UNABLE":
        return ["EXC", "UNABLE", *named, *[""] * 8, one.reason, "", sender, *[""] * 5, hung]
    return [
        "EXC", "DONE", *named, *one.old, removed, *one.new, hung, str(one.factor), "Y", "", "", sender, *[""] * 5, hung,
    ]  # fmt: skip


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
