"""Codes of 3080 to 3099: the first-time load of masters."""

from canonical.errors import ErrorCode

LOAD_OPEN = ErrorCode(
    "3080",
    "LOAD_OPEN",
    "A first-time load is open already; there is one at a time.",
    "Wait for its end, or end it by `amihub load abort`.",
    acts="operator",
)
LOAD_UNKNOWN = ErrorCode(
    "3081",
    "LOAD_UNKNOWN",
    "There is no such first-time load, or none is open.",
    "Look at `amihub load status` and name one that it shows.",
    acts="operator",
)
LOAD_STATE = ErrorCode(
    "3082",
    "LOAD_STATE",
    "A first-time load is not in a state in which this can be done.",
    "Look at `amihub load status`: only a paused load is resumed, only a loading one is paused or finished.",
    acts="operator",
)
LOAD_ABOVE_CEILING = ErrorCode(
    "3083",
    "LOAD_ABOVE_CEILING",
    "More items of a first-time load are errors than this site allows; the load is paused.",
    "Look at `amihub load report`; then `amihub load resume` with your reason, or `amihub load abort`.",
    acts="operator",
)
LOAD_EXCEPTIONS = ErrorCode(
    "3084",
    "LOAD_EXCEPTIONS",
    "A first-time load ended with items that are not in the masters.",
    "Look at `amihub load report`; have their senders send what is missing or wrong as CHANGES.",
    acts="operator",
    severity="WARNING",
)
LOAD_PAUSED = ErrorCode(
    "3085",
    "LOAD_PAUSED",
    "The first-time load that takes a file is paused; the file goes on behind its last chunk when it is resumed.",
    "Decide about the load: `amihub load resume` or `amihub load abort`.",
    acts="operator",
    severity="WARNING",
    retryable=True,
)
LOAD_ABORTED = ErrorCode(
    "3086",
    "LOAD_ABORTED",
    "The first-time load was aborted before this item was taken.",
    "Send the whole again when a new load is started.",
    acts="operator",
)
PARENT_MISSING = ErrorCode(
    "3087",
    "PARENT_MISSING",
    "An item of a first-time load belongs to something that no file of the load holds and nobody has told of.",
    "Have the system that holds the parent send it; then send the item again.",
)
ENDS_OTHERWISE = ErrorCode(
    "3088",
    "ENDS_OTHERWISE",
    "A file of a first-time load ends an installation at another time than the hub was told before.",
    "Find out which end is right and send it by a message, taking the other one back first.",
)
WITHDRAWN_IN_LOAD = ErrorCode(
    "3089",
    "WITHDRAWN_IN_LOAD",
    "A file of a first-time load withdraws something: it tells what is held, and nothing was held before.",
    "Leave it out, or send it as CHANGES when the load is done.",
)
LOAD_HISTORY = ErrorCode(
    "3090",
    "LOAD_HISTORY",
    "A first-time load was to be started with a depth of history that there is not.",
    "Say `current`, `since last bill read` or `full`.",
    acts="operator",
)
