"""Codes of reconciliation: what systems hold differently, and what a person asks about it."""

from canonical.errors import ErrorCode

SNAPSHOT_OLDER = ErrorCode(
    "9001",
    "SNAPSHOT_OLDER",
    "An extract of masters is older than the one that the system sent before.",
    "Send a new extract; the last one stays in force until then.",
)
SNAPSHOT_AGED = ErrorCode(
    "9002",
    "SNAPSHOT_AGED",
    "A system has not sent an extract of its masters for longer than the site allows.",
    "Find out why it writes none; what it holds is compared as of its last one.",
    acts="operator",
    severity="WARNING",
)
HELD_NOT = ErrorCode(
    "9010",
    "HELD_NOT",
    "A system lacks things that the system of record holds.",
    "Look at the cause in `amihub reconcile report`; `amihub reconcile repair` tells them to the system.",
    acts="operator",
)
HELD_TOO_MUCH = ErrorCode(
    "9011",
    "HELD_TOO_MUCH",
    "A system holds things that the system of record does not hold.",
    "Ask the system's owner to take them back, or have the system of record enter them.",
    acts="operator",
)
HELD_OTHERWISE = ErrorCode(
    "9012",
    "HELD_OTHERWISE",
    "A system holds other values than the system of record.",
    "Look at the cause in `amihub reconcile report`; `amihub reconcile repair` tells the right values.",
    acts="operator",
)
HELD_SINCE_OTHER = ErrorCode(
    "9013",
    "HELD_SINCE_OTHER",
    "A system holds things from or until another time than the system of record.",
    "Look at the cause in `amihub reconcile report`; a bill may hang on it.",
    acts="operator",
)
METER_WITHOUT_AGREEMENT = ErrorCode(
    "9014",
    "METER_WITHOUT_AGREEMENT",
    "A meter hangs where no agreement is in force: what it measures is billed to nobody (NO_SA).",
    "Find the customer, or have the service ended.",
    acts="billing",
)
AGREEMENT_WITHOUT_METER = ErrorCode(
    "9015",
    "AGREEMENT_WITHOUT_METER",
    "An agreement is in force where no meter hangs: it cannot be billed (NO_METER).",
    "Find the meter, or have the agreement ended.",
    acts="billing",
)
LINKED_TWICE = ErrorCode(
    "9016",
    "LINKED_TWICE",
    "Two meters of one commodity hang at a usage point, or one meter hangs at two.",
    "Find out which is true, and close the other link.",
    acts="operator",
)
DIFFERENCE_NOT_FOUND = ErrorCode(
    "9020",
    "DIFFERENCE_NOT_FOUND",
    "No difference, or more than one, answers to an id.",
    "List them by `amihub reconcile report --list`, and give more of the id.",
    acts="operator",
)
NOT_REPAIRABLE = ErrorCode(
    "9021",
    "NOT_REPAIRABLE",
    "A difference cannot be repaired by a message: it is closed, on its way, or the system has no words for it.",
    "Look at it by `amihub reconcile report`; repair it in the system itself, or waive it with a reason.",
    acts="operator",
)
REPAIR_NOT_ALLOWED = ErrorCode(
    "9022",
    "REPAIR_NOT_ALLOWED",
    "The site does not allow this kind of difference to be repaired without a person.",
    "Give your name and a reason, or add it to [[reconcile.repair]].",
    acts="operator",
)
