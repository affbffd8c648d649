"""A head-end is told to begin or to end talking to a meter (domain 2.3, step 5)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class Commissioning:
    """One meter that a head-end takes into service, or out of it; the payload of a message of MeterConfig.

    How it is said is the head-end's: as a change of the meter's status, or as a link to its usage point.
    """

    act: Literal["COMMISSION", "DECOMMISSION"]
    meter: str
    """mRID."""

    manufacturer: str
    serial: str
    usage_point: str
    """mRID of where it hangs, or hung."""

    at: datetime
    """UTC: from when on; the instant of the exchange, whenever it is told."""

    usage_point_name: str = ""
    """NMI or other name, for a head-end that keeps no mRIDs."""
