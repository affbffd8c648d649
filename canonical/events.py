"""What happened at devices, as their sources tell it (CIM EndDeviceEvent). Instants are UTC."""

from dataclasses import dataclass
from datetime import datetime

from canonical.event_kinds import EventKind
from canonical.ids import mint
from canonical.metering import MeterReadings


@dataclass(frozen=True, slots=True)
class EndDeviceEvent:
    """One event of one device, with the source's own code beside what the hub understands by it."""

    source: str
    """The system that told it."""

    code: str
    """The source's own code, `type.domain.subDomain.eventOrAction` or whatever it writes."""

    kind: EventKind | None
    """What it means; None: unmapped in the source's dialect."""

    occurred_at: datetime
    """The device's own time of the event (createdDateTime)."""

    mrid: str = ""
    """Id that the source gives the event; empty where it gives none."""

    meter: str = ""
    """mRID of the device: minted from manufacturer and serial where both are told; empty where only a serial is."""

    serial: str = ""
    usage_point: str = ""
    """mRID of the usage point, as far as it is told."""

    severity: str = ""
    """As told, in lower case; by the kind where nothing is told."""

    reason: str = ""
    issuer: str = ""
    tracking_id: str = ""
    """The issuer's own number, such as that of the command or work order that caused it."""

    status: str = ""
    details: tuple[tuple[str, str], ...] = ()
    """Name and value of each detail, in the source's order."""

    @property
    def device(self) -> str:
        """Return by what the source knows the device: mRID, serial or usage point."""
        return self.meter or self.serial or self.usage_point

    @property
    def event_id(self) -> str:
        """Return the hub's id of the event: of source and mRID, else of source, device, code and time (domain 1.5)."""
        if self.mrid:
            return mint("end-device-event", self.source, self.mrid)
        return mint("end-device-event", self.source, self.device, self.code, self.occurred_at)


@dataclass(frozen=True, slots=True)
class EventsTold:
    """Events that one message tells of, as begun or as over."""

    events: tuple[EndDeviceEvent, ...]
    is_over: bool = False
    """Whether the events are closed: what they told is over."""


@dataclass(frozen=True, slots=True)
class ReadingsWithEvents:
    """Readings of a message, and the events that it tells between them."""

    readings: tuple[MeterReadings, ...]
    events: tuple[EndDeviceEvent, ...]
