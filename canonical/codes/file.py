"""Codes of 7xxx: files and how they travel."""

from canonical.errors import ErrorCode

NEM_HEADER = ErrorCode(
    "7040",
    "NEM_HEADER",
    "A NEM12/NEM13 file does not begin with exactly one good 100 record.",
    "Ask the provider for the whole file; concatenated or headerless files are not MDFF.",
)
NEM_END = ErrorCode(
    "7041",
    "NEM_END",
    "A NEM12/NEM13 file does not end with exactly one 900 record: it was cut, or files were joined.",
    "Ask the provider to send the file again, one body in one file.",
)
NEM_ORDER = ErrorCode(
    "7042",
    "NEM_ORDER",
    "A record stands where the MDFF order does not allow it.",
    "Ask the provider to correct the sequence 100, 200/300/400/500 (or 250/550), 900.",
)
NEM_INTERVAL_COUNT = ErrorCode(
    "7043",
    "NEM_INTERVAL_COUNT",
    "A 300 record does not hold 1440 / interval length values.",
    "Ask the provider for the day again; look for a broken line or a wrong interval length in the 200.",
)
NEM_FIELD = ErrorCode(
    "7044",
    "NEM_FIELD",
    "A field of a NEM12/NEM13 record is missing or unreadable.",
    "Ask the provider to correct the field named in the reason.",
)
NEM_QUALITY = ErrorCode(
    "7045",
    "NEM_QUALITY",
    "A quality and method code is not one of A, N, V or E, S, F with two digits.",
    "Ask the provider to correct the quality.",
)
NEM_QUALITY_COVER = ErrorCode(
    "7046",
    "NEM_QUALITY_COVER",
    "The 400 records of a day do not cover its intervals from first to last exactly once.",
    "Ask the provider for the day again with complete 400 records.",
)
NEM_REASON_MISSING = ErrorCode(
    "7047",
    "NEM_REASON_MISSING",
    "A substituted or final substituted value has no reason code.",
    "Ask the provider for the reason code.",
)
NEM_DAY_REPEATED = ErrorCode(
    "7048",
    "NEM_DAY_REPEATED",
    "The same day of one channel stands twice in a file.",
    "Ask the provider which of the two holds; adding them up would bill the day twice.",
)
NEM_UNKNOWN_RECORD = ErrorCode(
    "7049",
    "NEM_UNKNOWN_RECORD",
    "A line begins with no record indicator of NEM12/NEM13, such as the rest of a broken line.",
    "Ask the provider for the file again, unbroken.",
)
NEM_INDEX_MISMATCH = ErrorCode(
    "7050",
    "NEM_INDEX_MISMATCH",
    "The Quantity of a 250 record is not its current minus its previous index read.",
    "Nothing if the cause is a rollover or a multiplier; otherwise ask the provider. The Quantity governs.",
    severity="WARNING",
)
NEM_TEXT = ErrorCode(
    "7051",
    "NEM_TEXT",
    "A line is not plain text: not UTF-8, too long, or with a control character or an open quote in it.",
    "Ask the provider for the file as plain ASCII or UTF-8 with LF or CRLF line ends.",
)
NEM_CHANNEL_UNKNOWN = ErrorCode(
    "7052",
    "NEM_CHANNEL_UNKNOWN",
    "The suffix or unit of a NEM channel is none that the hub can bill or keep.",
    "Add the suffix or unit to the translator if it must be kept; other channels of the file are taken.",
)
FORMAT_UNKNOWN = ErrorCode(
    "7053",
    "FORMAT_UNKNOWN",
    "A file looks like none of the formats that can be inspected.",
    "Name the format with --format, or look at the first lines of the file.",
)
NEM_DAY_CLOCK = ErrorCode(
    "7054",
    "NEM_DAY_CLOCK",
    "The zone of a NEM feed changes its offset, but a NEM day always has 1440 minutes.",
    "Give the feed a fixed zone such as Etc/GMT+5 or Etc/GMT-10.",
    acts="administrator",
)
