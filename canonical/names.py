"""Foreign identifiers: what another system calls a thing that the hub knows by its mRID."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Name:
    """What one system calls a thing (CIM `Name`)."""

    system: str
    """The system that uses the name, such as `cis` or `mdms`."""

    value: str
    """The name itself, as that system writes it."""

    scheme: str = "mRID"
    """Kind of name: `mRID`, `serial`, `badge`, `nmi`, ..."""


def normal_serial(serial: str) -> str:
    """Return a meter serial as it is compared: trimmed and upper-case; leading zeros count (domain 0.2)."""
    return serial.strip().upper()
