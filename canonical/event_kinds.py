"""What happened at a device, in the hub's words: each source's own codes are mapped to these."""

from enum import StrEnum


class EventKind(StrEnum):
    """Kinds of device events that flows decide by."""

    POWER_LOST = "POWER_LOST"
    """The device's supply failed."""

    LAST_GASP = "LAST_GASP"
    """The radio's last message before it lost power."""

    LAST_GASP_BLOCKED = "LAST_GASP_BLOCKED"
    """The radio will not send last gasps."""

    POWER_RESTORED = "POWER_RESTORED"
    PHASE_LOST = "PHASE_LOST"
    SAG_STARTED = "SAG_STARTED"
    SAG_ENDED = "SAG_ENDED"
    SWELL_STARTED = "SWELL_STARTED"
    SWELL_ENDED = "SWELL_ENDED"
    OVER_VOLTAGE = "OVER_VOLTAGE"
    UNDER_VOLTAGE = "UNDER_VOLTAGE"
    VOLTAGE_NORMAL = "VOLTAGE_NORMAL"
    TAMPER = "TAMPER"
    COVER_OPENED = "COVER_OPENED"
    REVERSE_ROTATION = "REVERSE_ROTATION"
    MAGNET = "MAGNET"
    LOAD_SIDE_VOLTAGE = "LOAD_SIDE_VOLTAGE"
    """Voltage behind an open switch."""

    CONNECTED = "CONNECTED"
    DISCONNECTED = "DISCONNECTED"
    CONNECT_FAILED = "CONNECT_FAILED"
    DISCONNECT_FAILED = "DISCONNECT_FAILED"
    REGISTERING = "REGISTERING"
    REGISTERED = "REGISTERED"
    INSTALLED = "INSTALLED"
    REMOVED = "REMOVED"
    CHANGED_OUT = "CHANGED_OUT"
    FIRMWARE_CHANGED = "FIRMWARE_CHANGED"
    COMMUNICATION_FAILED = "COMMUNICATION_FAILED"
    BATTERY_LOW = "BATTERY_LOW"
    CLOCK_ERROR = "CLOCK_ERROR"
    DEMAND_OVERLOAD = "DEMAND_OVERLOAD"
