"""What a billing drop holds, register by register."""

from decimal import Decimal
from typing import BinaryIO

from services.inspection_facts import ChannelFacts, FileFault, Findings
from sftp.formats import billing_drop


def inspect_drop(stream: BinaryIO, findings: Findings) -> None:
    """Collect what the format's own inspection finds; a determinant that is refused alone does not refuse the file."""
    found = billing_drop.inspect(stream)
    faults = [FileFault(e["code"], e["line"] or None, e["reason"]) for e in found["errors"]]
    findings.is_refused = not found["accepted"]
    findings.faults.extend(faults)
    for number, channel in enumerate(found["channels"]):
        facts = {**channel, "sum": Decimal(channel["sum"])}
        findings.channels[(str(number),)] = ChannelFacts(**facts)
