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

NAME_HEADER_DIFFER = ErrorCode(
    "7055",
    "NAME_HEADER_DIFFER",
    "The name of a file and its header say another sender, mode or number.",
    "Write into the header what the name says, and send the file again under a new name.",
)

TRAILER_MISSING = ErrorCode(
    "7003",
    "TRAILER_MISSING",
    "The file ends without its trailer: it was cut.",
    "Send the whole file again under a new name.",
)
TRAILER_MISMATCH = ErrorCode(
    "7004",
    "TRAILER_MISMATCH",
    "Counts or totals of the trailer differ from the records.",
    "Send a file whose trailer agrees.",
)
HEADER_MISSING = ErrorCode(
    "7005", "HEADER_MISSING", "The file does not start with a readable header.", "Send a file that starts with HDR."
)
DATA_AFTER_TRAILER = ErrorCode(
    "7006", "DATA_AFTER_TRAILER", "Something follows the trailer.", "Send one file for each header and trailer."
)
UNKNOWN_LAYOUT = ErrorCode(
    "7007",
    "UNKNOWN_LAYOUT",
    "The header names another layout or version.",
    "Send the layout and version that were agreed.",
)
RECORD_OUT_OF_PLACE = ErrorCode(
    "7008",
    "RECORD_OUT_OF_PLACE",
    "A record stands where the layout does not allow it.",
    "Send records in the layout's order.",
)
UNKNOWN_RECORD = ErrorCode(
    "7009", "UNKNOWN_RECORD", "A line starts with no record type of the layout.", "Correct the line and send it again."
)
FIELD_COUNT = ErrorCode(
    "7010", "FIELD_COUNT", "A line has too many or too few fields.", "Correct the line and send it again."
)
BAD_FIELD = ErrorCode(
    "7011", "BAD_FIELD", "A field cannot be read as what it must be.", "Correct the field and send the line again."
)
FIELD_MISSING = ErrorCode(
    "7012", "FIELD_MISSING", "A mandatory field is empty.", "Fill the field and send the line again."
)
BAD_ENCODING = ErrorCode(
    "7013", "BAD_ENCODING", "Bytes that are not UTF-8.", "Write the file in UTF-8 and send it again."
)
BYTE_ORDER_MARK = ErrorCode(
    "7014", "BYTE_ORDER_MARK", "The file starts with a byte order mark.", "Write UTF-8 without BOM."
)
CARRIAGE_RETURN = ErrorCode("7015", "CARRIAGE_RETURN", "A line ends with CR LF.", "End lines with LF alone.")
CONTROL_CHARACTER = ErrorCode(
    "7016", "CONTROL_CHARACTER", "A control character stands in a line.", "Remove it and send the line again."
)
DECIMAL_COMMA = ErrorCode(
    "7017", "DECIMAL_COMMA", "A number is written with a decimal comma.", "Write a decimal point."
)
THOUSANDS_SEPARATOR = ErrorCode(
    "7018",
    "THOUSANDS_SEPARATOR",
    "A number is written with thousands separators.",
    "Write digits and a decimal point only.",
)
EXPONENT = ErrorCode("7019", "EXPONENT", "A number is written with an exponent.", "Write the number in full.")
QUOTED_FIELD = ErrorCode(
    "7020",
    "QUOTED_FIELD",
    "A quoted field, perhaps with a line break in it.",
    "Write values without quotes and line breaks.",
)
UNKNOWN_VALUE = ErrorCode(
    "7021", "UNKNOWN_VALUE", "A coded field has a value outside its list.", "Use a value of the layout's list."
)
LINE_WIDTH = ErrorCode(
    "7022", "LINE_WIDTH", "A fixed-width line has the wrong length.", "Pad every field to its width."
)
LINE_TOO_LONG = ErrorCode(
    "7023", "LINE_TOO_LONG", "A line is longer than any record can be.", "Check the line ends of the file."
)
REPEATED_IN_FILE = ErrorCode(
    "7024",
    "REPEATED_IN_FILE",
    "The same record stands twice in one file; the second was left out.",
    "Nothing; send each record once.",
    severity="WARNING",
)
CONFLICT_IN_FILE = ErrorCode(
    "7025",
    "CONFLICT_IN_FILE",
    "One key stands twice in a file with different content.",
    "Send the record that holds, once.",
)
UNKNOWN_NAME = ErrorCode(
    "7026", "UNKNOWN_NAME", "A file name follows no agreed pattern.", "Name the file as agreed and send it again."
)
VALUE_TOO_WIDE = ErrorCode(
    "7027",
    "VALUE_TOO_WIDE",
    "A value does not fit its field in the partner's layout.",
    "Widen the field in the layout file, or correct the value.",
    acts="operator",
)
UNWRITABLE_VALUE = ErrorCode(
    "7028",
    "UNWRITABLE_VALUE",
    "A value cannot be said in the partner's layout.",
    "Correct the value at its source, or add it to the layout's code map.",
    acts="operator",
)
DROP_REGISTER = ErrorCode(
    "7030",
    "DROP_REGISTER",
    "Reads and multiplier of a register do not make its quantity.",
    "Compare reads, rollovers, dials and multiplier of the register.",
    acts="billing",
)
DROP_BUCKETS = ErrorCode(
    "7031",
    "DROP_BUCKETS",
    "Time-of-use quantities do not add up to the total.",
    "Find the bucket that is short; a residual never goes into a bucket.",
    acts="billing",
)
DROP_NET = ErrorCode(
    "7032",
    "DROP_NET",
    "A net quantity is not delivered less received.",
    "Compare both flows; the net is never cut off at zero.",
    acts="billing",
)
DROP_EXCHANGE = ErrorCode(
    "7033",
    "DROP_EXCHANGE",
    "An exchange pair is not one meter out and one in at the same instant.",
    "Correct the exchange in the master data.",
    acts="billing",
)
DROP_STATUS = ErrorCode(
    "7034",
    "DROP_STATUS",
    "The status of a determinant contradicts its contents.",
    "Correct the status or the contents.",
    acts="billing",
)
SPOOL_FILE_MISSING = ErrorCode(
    "7029",
    "SPOOL_FILE_MISSING",
    "A file that was ready to be sent is no longer in the spool.",
    "Find out who removed it; restore it from a backup, or let the run be written again.",
    acts="operator",
)
