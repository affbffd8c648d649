"""What a NEM12 or NEM13 file holds, channel by channel (NMI and suffix)."""

from typing import BinaryIO

from services.inspection_facts import EXACT, FAULT_LIMIT, ChannelFacts, FileFault, Findings
from sftp.formats import nem
from sftp.formats.nem_index import index_mismatch
from sftp.formats.nem_records import Accumulation, Channel, Day, Fault


def inspect_nem(stream: BinaryIO, findings: Findings) -> None:
    """Collect the channels and faults of a NEM file.

    Meter, unit and interval length are those of the channel's last 200 (250). Qualities count 300 records, `V` among
    them; for NEM13 they count 250 records as `previous>current`.
    """
    for record in nem.records(stream):
        match record:
            case Channel():
                _describe(findings, record).interval_minutes = record.interval_minutes
            case Day():
                facts = _describe(findings, record.channel)
                facts.values += len(record.values)
                facts.sum = EXACT.add(facts.sum, record.total)
                _count(facts, record.quality)
            case Accumulation():
                facts = _describe(findings, record)
                facts.values += 1
                facts.sum = EXACT.add(facts.sum, record.quantity)
                _count(facts, f"{record.previous.quality}>{record.current.quality}")
                if remark := index_mismatch(record):
                    findings.remarks.append(remark)
            case Fault():
                findings.faults.append(FileFault(str(record.code), record.line, record.reason))
                if len(findings.faults) == FAULT_LIMIT:
                    return
            case _:
                pass


def _describe(findings: Findings, record: Channel | Accumulation) -> ChannelFacts:
    """Return the facts of a record's channel, brought up to what the record says of it."""
    facts = findings.channel(record.nmi, record.suffix, usage_point=record.nmi, register=record.suffix)
    facts.meter = record.serial
    facts.unit = record.unit
    return facts


def _count(facts: ChannelFacts, quality: str) -> None:
    """Count one more record of a quality."""
    facts.quality[quality] = facts.quality.get(quality, 0) + 1
