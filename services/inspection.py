"""What a file holds, format by format: the facts behind `amihub inspect`."""

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from canonical.codes.file import FORMAT_UNKNOWN
from canonical.errors import RejectedError
from services.inspection_facts import ChannelFacts, FileFault, Findings, HoldingFacts, MessageFacts, RolloutFacts
from services.inspection_source import ROLLOUT, guess_format, guess_format_by_name, open_content


@dataclass(frozen=True, slots=True)
class Inspection:
    """What a file is, and whether it is accepted; a refused file has no channels."""

    format: str
    errors: tuple[FileFault, ...]
    channels: tuple[ChannelFacts, ...]
    accepted: bool
    """Whether the hub would take the file; single items of a drop may be refused all the same."""

    remarks: tuple[str, ...] = ()
    """What a person should know although the file is accepted."""

    message: MessageFacts | None = None
    """For a CIM message: what it says of itself."""

    objects: int = 0
    """For a CIM message: the objects that its noun is about."""

    extensions: tuple[str, ...] = ()
    """For a CIM message: places of vendor extensions and other elements that are not of the profile."""

    tolerated: tuple[str, ...] = ()
    """For a CIM message: where it breaks the standard and was read all the same; an endpoint takes it by its policy."""

    holdings: HoldingFacts | None = None
    """For a file of masters or topology: what it says of itself and holds."""

    rollout: RolloutFacts | None = None
    """For a file of a meter rollout: what it says of itself and holds."""

    def as_json(self) -> dict[str, Any]:
        """Return the published form (`amihub inspect --json`)."""
        about_message = {
            "message": asdict(self.message) if self.message else None,
            "objects": self.objects,
            "extensions": list(self.extensions),
            "tolerated": list(self.tolerated),
        }
        return {
            "format": self.format,
            "accepted": self.accepted,
            "errors": [{"code": e.code, "line": e.line, "reason": e.reason} for e in self.errors],
            "channels": [
                {
                    "usage_point": c.usage_point,
                    "register": c.register,
                    "meter": c.meter,
                    "unit": c.unit,
                    "interval_minutes": c.interval_minutes,
                    "values": c.values,
                    "sum": plain(c.sum),
                    "quality": c.quality,
                }
                for c in self.channels
            ],
            **(about_message if self.format == "cim" else {}),
            **({"holdings": asdict(self.holdings)} if self.holdings else {}),
            **({"rollout": {**asdict(self.rollout), "sum": plain(self.rollout.sum)}} if self.rollout else {}),
        }


def inspect_file(path: Path, *, format: str = "auto") -> Inspection:
    """Read a file whole, once, in bounded memory, and say what it holds.

    Args:
        path: the file, or a zip or gzip file with it as its single member.
        format: `nem`, `billing-drop`, `masters`, `topology`, `shipment`, `field-orders`, `completions`, `route`,
            `manual-reads`, `cim`, or `auto` to tell by the content.

    Raises:
        OSError: the file cannot be opened.
    """
    findings = Findings()
    chosen = guess_format_by_name(path.name) if format == "auto" else format
    try:
        with open_content(path) as stream:
            chosen = guess_format(stream, otherwise=chosen) if format == "auto" else format
            _inspector(chosen)(stream, findings)
    except RejectedError as error:
        findings.faults.append(fault_of(error))
        findings.is_refused = True
    is_refused = bool(findings.faults) if findings.is_refused is None else findings.is_refused
    channels = () if is_refused else tuple(findings.channels.values())
    return Inspection(
        chosen,
        tuple(findings.faults),
        channels,
        not is_refused,
        tuple(findings.remarks),
        findings.message,
        findings.objects,
        tuple(findings.extensions),
        tuple(findings.tolerated),
        findings.holdings,
        findings.rollout,
    )


def fault_of(error: RejectedError) -> FileFault:
    """Return a refusal as a fault, with the line that its place names (`file:12` or `line 12`)."""
    line = re.search(r"(?:line |:)(\d+)$", error.where)
    return FileFault(str(error.code), int(line[1]) if line else None, error.reason)


def plain(number: Decimal) -> str:
    """Return a number as plain decimal text without trailing zeros: `5133`, `-5.1`, `0`."""
    if not number:
        return "0"
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _inspector(chosen: str) -> Callable[[BinaryIO, Findings], None]:
    """Return the inspector of a format; only its own reader is imported."""
    if chosen == "nem":
        from services.inspection_nem import inspect_nem

        return inspect_nem
    if chosen == "billing-drop":
        from services.inspection_drop import inspect_drop

        return inspect_drop
    if chosen in ("masters", "topology"):
        from services.inspection_masters import inspect_masters, inspect_topology

        return inspect_masters if chosen == "masters" else inspect_topology
    if chosen == "cim":
        from services.inspection_cim import inspect_cim

        return inspect_cim
    if chosen in ROLLOUT:
        from services.inspection_rollout import inspect_rollout

        return partial(inspect_rollout, chosen)
    raise RejectedError(f"no format fits the content ({chosen})", code=FORMAT_UNKNOWN)
