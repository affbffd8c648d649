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
