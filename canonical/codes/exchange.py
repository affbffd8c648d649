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
ILLEGAL_TRANSITION = ErrorCode(
    "1154",
    "ILLEGAL_TRANSITION",
    "A request was to go from one state to another that does not follow it.",
    "Report it: the hub refused to write a state that cannot be.",
    acts="hub",
    severity="FATAL",
)
DEP_NOT_FOUND = ErrorCode(
    "1155",
    "DEP_NOT_FOUND",
    "An object that a message speaks of is known to nobody, and stayed unknown for as long as this site searches.",
    "Check its mRID, or have its master tell of it: ask again then; master data that waits is applied by itself.",
)
REQUEST_EXPIRED = ErrorCode(
    "1156",
    "REQUEST_EXPIRED",
    "The request could not be begun before the time behind which it has no meaning (MaxScheduleTime).",
    "Ask again with a later MaxScheduleTime.",
)
SCHEDULE_REFUSED = ErrorCode(
    "1157",
    "SCHEDULE_REFUSED",
    "The request is to begin later while its caller waits, or is to end before it begins.",
    "Ask for later times with AsyncReplyFlag and a ReplyAddress, ScheduleTime before MaxScheduleTime.",
)
TOO_MANY_PENDING = ErrorCode(
    "1158",
    "TOO_MANY_PENDING",
    "The caller has as many unanswered requests as this site keeps for one caller.",
    "Wait for answers, or cancel requests that are no longer wanted.",
    retryable=True,
)
READING_TYPES_UNAVAILABLE = ErrorCode(
    "1159",
    "READING_TYPES_UNAVAILABLE",
    "The meter data system gave none, or not all, of the reading types that were asked for.",
    "Check which reading types the object has; what there is was given.",
)
READING_TYPE_UNKNOWN = ErrorCode(
    "1160",
    "READING_TYPE_UNKNOWN",
    "A reading type is neither eighteen numbers nor an alias that this site knows.",
    "State the reading type as its eighteen numbers.",
)
PARTS_MISSING = ErrorCode(
    "1162",
    "PARTS_MISSING",
    "The other system said that more of its answer follows, and not all of it came before the deadline.",
    "Ask again for the objects that are named, and look at what the other system sent.",
)
ANSWER_FOLLOWS = ErrorCode(
    "1163",
    "ANSWER_FOLLOWS",
    "The other system took the question and sends its answer, or the rest of it, in messages of its own.",
    "Nothing: the parts are put together as they come.",
    acts="hub",
    severity="INFO",
    retryable=True,
)
PARTLY_CANCELLED = ErrorCode(
    "1161",
    "PARTLY_CANCELLED",
    "Of what was to be cancelled, some had come to its end before, or is not known.",
    "Look at the answers of those that the reply names.",
    severity="WARNING",
)
