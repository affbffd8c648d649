"""Codes of master data that systems tell each other: who is meant, what belongs together, and to whom it goes."""

from canonical.errors import ErrorCode

OBJECT_AMBIGUOUS = ErrorCode(
    "2011",
    "OBJECT_AMBIGUOUS",
    "What a message calls an object stands for more than one: a name used twice, a serial of two manufacturers.",
    "Name it by its mRID, or the meter with its manufacturer.",
)
ALREADY_LINKED = ErrorCode(
    "3010",
    "ALREADY_LINKED",
    "Another meter hangs at the usage point at that time, or the meter hangs at another usage point.",
    "Close the link that stands, effective at or before the new one.",
)
NOT_LINKED_THEN = ErrorCode(
    "3011",
    "NOT_LINKED_THEN",
    "The meter and the usage point are not linked at the time of the message.",
    "Check meter, usage point and effective time.",
)
PERIODS_INTERSECT = ErrorCode(
    "3012",
    "PERIODS_INTERSECT",
    "The link would run into one that begins later at the same usage point, or of the same meter.",
    "Take the later link back first, then send both in the order of their times.",
)
ALREADY_ENDED = ErrorCode(
    "3013",
    "ALREADY_ENDED",
    "The link ended at another time already, as its master told before.",
    "Delete the link and send it again with both of its times, if the first end was wrong.",
)
NOT_VALID_THEN = ErrorCode(
    "3014",
    "NOT_VALID_THEN",
    "The object does not exist at the time from which, or until which, the message speaks of it.",
    "Check the effective time; a later life of the object begins with `create`.",
)
NOT_THE_ORIGIN = ErrorCode(
    "3015",
    "NOT_THE_ORIGIN",
    "This site has another system begin messages of this kind.",
    "Send it from the system that the operator has entered as their origin.",
)
EXCHANGE_INCOHERENT = ErrorCode(
    "3016",
    "EXCHANGE_INCOHERENT",
    "A meter exchange installs before it removes, names one meter twice, or names none.",
    "Correct the meters and the times of the work.",
)
FIELD_NOT_OWNED = ErrorCode(
    "3018",
    "FIELD_NOT_OWNED",
    "A system states a field that another system is the master of here; what it says of it is not applied.",
    "Correct it in one of both systems, or name the other master in [masters.records].",
    acts="operator",
    severity="WARNING",
)
BACKDATED_OVER_BILLED = ErrorCode(
    "3019",
    "BACKDATED_OVER_BILLED",
    "A change takes effect in periods whose figures left the hub on what was believed before.",
    "Look at the periods; `amihub changes correct WORK` has them calculated again and notices sent.",
    acts="operator",
    severity="WARNING",
)
BACKDATED_TOO_FAR = ErrorCode(
    "3020",
    "BACKDATED_TOO_FAR",
    "A change takes effect further back than the site allows without a person's approval.",
    "`amihub changes approve` or `amihub changes refuse` the waiting change.",
    acts="operator",
    severity="WARNING",
)
STILL_IN_USE = ErrorCode(
    "3017",
    "STILL_IN_USE",
    "A usage point, meter or account is to end while a meter hangs or an agreement is open there.",
    "End the agreement and unlink the meter first, effective at or before this end.",
)
TERRITORY_UNKNOWN = ErrorCode(
    "1180",
    "TERRITORY_UNKNOWN",
    "An object lies in no territory of this site, so nobody knows to whom it goes.",
    "Enter its district or its names in [territories]; it is passed on by itself then.",
    acts="operator",
)
TERRITORY_AMBIGUOUS = ErrorCode(
    "1181",
    "TERRITORY_AMBIGUOUS",
    "An object lies in two territories of this site, so nobody knows to whom it goes.",
    "Make the [territories] of the site disjoint; it is passed on by itself then.",
    acts="operator",
)
NOT_SAID_BY_ADAPTER = ErrorCode(
    "1183",
    "NOT_SAID_BY_ADAPTER",
    "A subscriber is to be told of an object for which its adapter has no words.",
    "Take the kind out of the subscriber's `kinds`, or have it told by file.",
    acts="operator",
)
DONE_BY_HAND = ErrorCode(
    "1182",
    "DONE_BY_HAND",
    "This site has no system for a role; a person does what the system would be told.",
    "Do it, then close this work.",
    acts="operator",
    severity="INFO",
)
