"""Codes of the correction of exchanges: what a person asked to be corrected, and cannot be."""

from canonical.errors import ErrorCode

CORRECTION_FAILS = ErrorCode(
    "8021",
    "CORRECTION_FAILS",
    "The exchanges as a person wants them corrected cannot be believed either; nothing was changed.",
    "Look at what is named, correct all members at once, or find out what is really so.",
    acts="operator",
)
NOT_CROSSED = ErrorCode(
    "8022",
    "NOT_CROSSED",
    "The usage points do not have one exchange each that could have been reported at the others'.",
    "Name every usage point of the cycle, in its order; `amihub rollout explain` shows their completions.",
    acts="operator",
)
RESULT_UNKNOWN = ErrorCode(
    "8023",
    "RESULT_UNKNOWN",
    "No completion has this id, or it is not one that a person may decide on.",
    "Look at `amihub rollout explain` for the completions of a usage point, and at its open work.",
    acts="operator",
)
GATEWAY_IN_USE = ErrorCode(
    "8024",
    "GATEWAY_IN_USE",
    "A meter was removed for good by which other meters are still read.",
    "Hang a meter in its place, or tell by what the others are read from now on.",
    acts="operator",
)
