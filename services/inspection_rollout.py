"""What a file of a meter rollout says of itself and holds: shipment, field orders, completions, route, manual reads."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, BinaryIO

from canonical.codes.shipments import KEY_IN_CLEAR
from canonical.errors import RejectedError
from canonical.messages import Item, Rejection
from canonical.rollout import Completion, FieldOrder, ManualRead, RegisterValue, RouteStop, ShippedLot
from services.inspection_facts import EXACT, FAULT_LIMIT, FileFault, Findings, RolloutFacts
from sftp.formats import completions, field_orders, manual_reads, route, shipment
from sftp.formats.clear_keys import line_with_key_in_clear
from sftp.formats.item_file import open_reading
from sftp.layout import Layout

Items = Iterator[Item[Any] | Rejection]
Said = tuple[str, tuple[Decimal, ...]]
"""What a person calls a thing, and the values of registers that it brings."""


@dataclass(frozen=True, slots=True)
class _Reader:
    """How a format is read and what its things are called."""

    layout: Callable[[], Layout]
    items: Callable[[BinaryIO], Items]
    say: Callable[[Any], Said]


def inspect_rollout(kind: str, stream: BinaryIO, findings: Findings) -> None:
    """Count what a file holds by its kind, and add up its registers; a line refused alone does not refuse the file.

    Raises:
        RejectedError: the file must be refused whole; of a shipment with a key in clear nothing is shown.
    """
    reader = READERS[kind]
    if kind == "shipment" and (line := line_with_key_in_clear(stream, shipment.layout())):
        raise RejectedError("it carries a security key in clear", code=KEY_IN_CLEAR, where=f"line {line}")
    head = _header(stream, reader.layout())
    held: Counter[str] = Counter()
    readings, total, rejected = 0, Decimal(0), 0
    for found in reader.items(stream):
        if isinstance(found, Rejection):
            rejected += found.verdict == "REJECTED"
            if len(findings.faults) < FAULT_LIMIT:
                findings.faults.append(FileFault(found.code, found.line, found.reason))
            continue
        word, values = reader.say(found.payload)
        held[word] += 1
        readings += len(values)
        for value in values:
            total = EXACT.add(total, value)
    findings.rollout = RolloutFacts(
        sender=head["sender"],
        receiver=head["receiver"],
        file_id=head["file_id"],
        business_date=head["business_date"],
        zone=head["zone"],
        held=dict(sorted(held.items())),
        readings=readings,
        sum=total,
        rejected=rejected,
    )
    findings.is_refused = False


def _header(stream: BinaryIO, layout: Layout) -> Mapping[str, str]:
    """Return the header's texts by field; the stream is left at its start."""
    reading = open_reading(layout, stream, "")
    first = next(reading.groups())
    stream.seek(0)
    record = reading.compiled.records[first.tag]
    return {name: text.strip() for name, text in zip(record.record.names, record.texts(first.raw), strict=True)}


def _shipped(thing: Any) -> Said:
    if isinstance(thing, ShippedLot):
        return f"lot {thing.result}", ()
    return f"meter {thing.test_result}{'' if thing.has_keys else ' without keys'}", ()


def _order(thing: FieldOrder) -> Said:
    return f"order {thing.verb}", ()


def _completion(thing: Completion) -> Said:
    return thing.outcome, tuple(map(_value, (*thing.final_readings, *thing.first_readings)))


def _value(one: RegisterValue) -> Decimal:
    return one.value


def _stop(_thing: RouteStop) -> Said:
    return "stop", ()


def _read(thing: ManualRead) -> Said:
    return ("skipped", ()) if thing.value is None else ("read", (thing.value,))


READERS: Mapping[str, _Reader] = {
    "shipment": _Reader(shipment.layout, shipment.items, _shipped),
    "field-orders": _Reader(field_orders.layout, field_orders.items, _order),
    "completions": _Reader(completions.layout, completions.items, _completion),
    "route": _Reader(route.layout, route.items, _stop),
    "manual-reads": _Reader(manual_reads.layout, manual_reads.items, _read),
}
"""Formats by the name of `--format`."""
