"""Codes of the sequence of an exchange: what a system refused, did not confirm, or holds otherwise than it was told."""

from canonical.errors import ErrorCode

STEP_REFUSED = ErrorCode(
    "8060",
    "STEP_REFUSED",
    "A system refused a step of an exchange; the steps behind it wait.",
    "Read its reason; mend the cause and replay the delivery, or take the exchange back.",
    acts="operator",
)
STEP_UNCONFIRMED = ErrorCode(
    "8061",
    "STEP_UNCONFIRMED",
    "A system did not answer a step in time, and what it holds could not be read; nothing is sent again by itself.",
    "Look at the system whether it is so; close this work when it is, else replay the delivery.",
    acts="operator",
)
STEP_DIFFERS = ErrorCode(
    "8062",
    "STEP_DIFFERS",
    "A system confirmed a step, but holds something else when it is asked.",
    "Compare both; correct the system, then close this work, or replay the delivery.",
    acts="operator",
)
STEP_BY_HAND = ErrorCode(
    "8063",
    "STEP_BY_HAND",
    "The site has no interface to a system: a person does this step of an exchange.",
    "Do it there, then close this work as resolved: the exchange goes on.",
    acts="operator",
    severity="INFO",
)
ORIGIN_SILENT = ErrorCode(
    "8064",
    "ORIGIN_SILENT",
    "The system that begins a step at this site has not begun it in time.",
    "Ask whoever runs it; the exchange goes on as soon as its message comes.",
    acts="operator",
)
ORIGIN_CONTRADICTS = ErrorCode(
    "8065",
    "ORIGIN_CONTRADICTS",
    "The system that begins a step says something else than the exchange that the field reported.",
    "Find out which is right; nothing was passed on.",
    acts="operator",
)
HEARD_BY_TWO = ErrorCode(
    "8066",
    "HEARD_BY_TWO",
    "Two head-ends say that they hear one and the same new meter.",
    "Find out which of them it belongs to, and have the other one forget it.",
    acts="operator",
    severity="WARNING",
)
