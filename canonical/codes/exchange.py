"""Codes of 1150 to 1179: requests in their life, events of devices, deliveries in parts."""

from canonical.errors import ErrorCode

UNMAPPED_EVENT = ErrorCode(
    "1150",
    "UNMAPPED_EVENT",
    "A source told an event whose code its dialect does not know; the event is kept with its own code.",
    "Find out what the source means by the code and enter it in its dialect; look at `amihub events list --unmapped`.",
    acts="operator",
    severity="WARNING",
)
EVENT_CONTRADICTS = ErrorCode(
    "1151",
    "EVENT_CONTRADICTS",
    "An event came again under the same id with another code, device or time; the first one stands.",
    "Give each event an id of its own, or send `changed` with a new id.",
)
EVENT_NOT_ALARM = ErrorCode(
    "1153",
    "EVENT_NOT_ALARM",
    "Only alarms have an end; the event that is closed was told with another severity.",
    "Tell events that will be closed with the severity `alarm`.",
)
