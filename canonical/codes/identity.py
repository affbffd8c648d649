"""Codes of 2xxx identity and 3xxx linkage."""

from canonical.errors import ErrorCode

UNKNOWN_USAGE_POINT = ErrorCode(
    "2001", "UNKNOWN_USAGE_POINT", "No master has told the hub of this usage point for the time asked for.",
    "Send it in the reference data, then ask again under a new request id.", acts="sender",
)  # fmt: skip
UNKNOWN_AGREEMENT = ErrorCode(
    "2002", "UNKNOWN_AGREEMENT", "No master has told the hub of this agreement.",
    "Send it in the reference data, then ask again under a new request id.", acts="sender",
)  # fmt: skip
UNKNOWN_ACCOUNT = ErrorCode(
    "2003", "UNKNOWN_ACCOUNT", "No agreement of this account is known for the commodity and the period.",
    "Send its agreement in the reference data, or name the usage point.", acts="sender",
)  # fmt: skip
UNKNOWN_METER = ErrorCode(
    "2004", "UNKNOWN_METER", "No installation of this meter is known for the period.",
    "Check manufacturer and serial, or name the usage point.", acts="sender",
)  # fmt: skip
AMBIGUOUS_SUBJECT = ErrorCode(
    "2005", "AMBIGUOUS_SUBJECT", "What the item names stands for more than one usage point.",
    "Name the usage point by its mRID, or the meter with its manufacturer.", acts="sender",
)  # fmt: skip
READINGS_UNRESOLVED = ErrorCode(
    "2006", "READINGS_UNRESOLVED", "The readings name a usage point or meter that no master has told the hub of.",
    "Send it in the reference data, then send the readings again.", acts="operator",
)  # fmt: skip
SUBJECTS_DISAGREE = ErrorCode(
    "2007", "SUBJECTS_DISAGREE", "The usage point, agreement, account or meter of the item do not belong together.",
    "Correct the item: all that it names must stand for one usage point.", acts="sender",
)  # fmt: skip
ID_MANGLED = ErrorCode(
    "2008",
    "ID_MANGLED",
    "A serial was changed by a spreadsheet: scientific notation, or leading zeros gone.",
    "Write serials as text and send the line again.",
)
UNNAMED_OBJECT = ErrorCode(
    "2009",
    "UNNAMED_OBJECT",
    "An object of a message has neither an mRID nor a name by which it could be known.",
    "Give it its mRID, or a Name with a NameType; a meter its serial.",
)

# Linkage: what belongs together, and from when

LINKAGE_TIME_MISSING = ErrorCode(
    "3001",
    "LINKAGE_TIME_MISSING",
    "A message that links, unlinks or ends something does not say from which instant on.",
    "State effectiveDateTime and createdDateTime of the ConfigurationEvent, equal.",
)
LINKAGE_TIME_UNCLEAR = ErrorCode(
    "3002",
    "LINKAGE_TIME_UNCLEAR",
    "effectiveDateTime and createdDateTime differ, and the site does not state which of them this system means.",
    "Send both equal, or have the operator set `linkage_time` of the role.",
)
LINK_UNCLEAR = ErrorCode(
    "3003",
    "LINK_UNCLEAR",
    "What a message links cannot be told: the numbers of objects do not pair, or the hub keeps no such link.",
    "Link meters, agreements or locations with as many usage points, in the same order.",
)
MULTIPLIER_UNCLEAR = ErrorCode(
    "3004",
    "MULTIPLIER_UNCLEAR",
    "The multipliers that a message states contradict each other, are not positive, or stand at the usage point.",
    "State the ratios at the meter; the multiplier is applied exactly once.",
)
