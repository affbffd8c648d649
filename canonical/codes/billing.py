"""Codes of 6xxx: readings and billing."""

from canonical.errors import ErrorCode

NO_DATA_SOURCE = ErrorCode(
    "6001", "NO_DATA_SOURCE", "Nothing measures this usage point and no system states its usage.",
    "Name a read source in the reference data, or bill by agreement.", acts="billing",
)  # fmt: skip
WRONG_PERIOD = ErrorCode(
    "6002", "WRONG_PERIOD", "The bill period is empty, too long, not over, or does not begin and end at midnight.",
    "Ask again with the right period.", acts="billing",
)  # fmt: skip
COMMODITY_MISMATCH = ErrorCode(
    "6003", "COMMODITY_MISMATCH", "The request names another commodity than the usage point delivers.",
    "Correct the request, or the reference data.",
)  # fmt: skip
DUPLICATE_PERIOD = ErrorCode(
    "6004", "DUPLICATE_PERIOD", "The period was asked for before under another request id, and that was not cancelled.",
    "Cancel the earlier request and name it in `replaces`, or withdraw this one.", acts="billing",
)  # fmt: skip
PERIOD_OVERLAP = ErrorCode(
    "6005", "PERIOD_OVERLAP", "The period begins before the last bill ended: energy would be billed twice.",
    "Cancel the earlier bill first, or correct the period.", acts="billing",
)  # fmt: skip
PERIOD_GAP = ErrorCode(
    "6006", "PERIOD_GAP", "The period begins after the last bill ended: energy in between stays unbilled.",
    "Bill the time in between, or declare why it is not billed.", acts="billing",
)  # fmt: skip
NO_READ = ErrorCode(
    "6007", "NO_READ", "No usable read, interval value or determinant came before the window closed.",
    "Bill it in the next cycle, or send someone to read the meter.", acts="billing",
)  # fmt: skip
NO_BILL_WINDOW = ErrorCode(
    "6008", "NO_BILL_WINDOW", "The interface has no bill window and the request states no deadline.",
    "Decide at once: export what is ready, or state a deadline.", acts="operator", severity="FATAL",
)  # fmt: skip
METERS_OVERLAP = ErrorCode(
    "6010", "METERS_OVERLAP", "Two meters are installed at the usage point at the same time.",
    "Correct the installation dates.", acts="operator",
)  # fmt: skip
UNKNOWN_REGISTER = ErrorCode(
    "6011", "UNKNOWN_REGISTER", "A meter has no register that measures what is to be billed.",
    "Complete the meter's registers in the reference data.", acts="operator",
)  # fmt: skip
NO_METER = ErrorCode(
    "6012", "NO_METER", "No meter is installed at the usage point in the period.",
    "Complete the installation history.", acts="operator",
)  # fmt: skip
METER_GAP = ErrorCode(
    "6013", "METER_GAP", "For a part of the period no meter hung at the usage point.",
    "Nothing; usage of that time was not measured.", acts="billing", severity="WARNING",
)  # fmt: skip
READ_BEYOND_DIALS = ErrorCode(
    "6014", "READ_BEYOND_DIALS", "A read has more digits than the register has dials.",
    "Check the register's dials and whether the feed applies the multiplier.", acts="operator",
)  # fmt: skip
IMPLAUSIBLE_ROLLOVER = ErrorCode(
    "6015", "IMPLAUSIBLE_ROLLOVER", "The stop read is below the start read and a rollover would mean too much usage.",
    "Check both reads.", acts="billing",
)  # fmt: skip
NEGATIVE_USAGE = ErrorCode(
    "6016", "NEGATIVE_USAGE", "The usage of the period is negative.",
    "Check the reads; after an estimate that was too high, cancel and rebill.", acts="billing",
)  # fmt: skip
CONTINUITY_BROKEN = ErrorCode(
    "6017", "CONTINUITY_BROKEN", "The start read is not the stop read of the last bill.",
    "Find out which of the two is right; correct the last bill if need be.", acts="billing",
)  # fmt: skip
TRUE_UP = ErrorCode(
    "6018", "TRUE_UP", "The bill begins at the billed stop read and so settles its difference to a better one.",
    "Nothing.", acts="billing", severity="INFO",
)  # fmt: skip
TOU_SUM_MISMATCH = ErrorCode(
    "6019", "TOU_SUM_MISMATCH", "The time-of-use quantities do not add up to the total.",
    "Check the registers or the determinants of the source.", acts="billing",
)  # fmt: skip
TOU_NOT_READY = ErrorCode(
    "6020", "TOU_NOT_READY", "A part of the period has no split by time of use.",
    "Bill the flat rate for that part, or split it by hand.", acts="billing",
)  # fmt: skip
INTERVAL_MISALIGNED = ErrorCode(
    "6021", "INTERVAL_MISALIGNED", "Intervals cross the boundary of the period or of a time-of-use window.",
    "Check the clock of the feed and the length of its intervals.", acts="operator",
)  # fmt: skip
REGISTER_INTERVAL_MISMATCH = ErrorCode(
    "6022", "REGISTER_INTERVAL_MISMATCH", "Register difference and interval sum differ by more than the tolerance.",
    "Check the reads, the intervals and the multiplier.", acts="billing",
)  # fmt: skip
DETERMINANT_MISMATCH = ErrorCode(
    "6023", "DETERMINANT_MISMATCH", "The determinant of the meter data system does not follow from the reads.",
    "Compare both figures with the meter data system.", acts="billing",
)  # fmt: skip
ZERO_USAGE = ErrorCode(
    "6024", "ZERO_USAGE", "An active agreement shows no usage for several bills in a row.",
    "Check the meter, or confirm that the premise is empty.", acts="billing",
)  # fmt: skip
USAGE_WITHOUT_AGREEMENT = ErrorCode(
    "6025", "USAGE_WITHOUT_AGREEMENT", "Usage was measured where no agreement is active.",
    "Find the customer, or disconnect.", acts="billing",
)  # fmt: skip
AGREEMENT_NOT_COVERING = ErrorCode(
    "6026", "AGREEMENT_NOT_COVERING", "The agreement does not cover the whole bill period.",
    "Correct the period, or the dates of the agreement.", acts="billing",
)  # fmt: skip
IMPLAUSIBLE_USAGE = ErrorCode(
    "6027", "IMPLAUSIBLE_USAGE", "Usage per day is far above that of the last bill.",
    "Check the reads and the multiplier.", acts="billing",
)  # fmt: skip
BACK_BILLING_LIMIT = ErrorCode(
    "6028", "BACK_BILLING_LIMIT", "The bill reaches further back than the customer's class allows.",
    "Limit the period, or have it approved.", acts="billing",
)  # fmt: skip
CONSECUTIVE_ESTIMATES = ErrorCode(
    "6029", "CONSECUTIVE_ESTIMATES", "Too many bills in a row rest on estimates.",
    "Have the meter read before this is billed.", acts="billing",
)  # fmt: skip
CORRECTION_NOTICE = ErrorCode(
    "6030", "CORRECTION_NOTICE", "Better reads exist for a determinant that was billed.",
    "Cancel the bill and ask again naming it in `replaces`, or let it stand.", acts="billing", severity="WARNING",
)  # fmt: skip
PARTIAL_INTERVAL = ErrorCode(
    "6031", "PARTIAL_INTERVAL", "A meter was exchanged inside an interval; both meters' values are summed.",
    "Nothing.", acts="billing", severity="INFO",
)  # fmt: skip
CALENDAR_UNKNOWN = ErrorCode(
    "6032", "CALENDAR_UNKNOWN", "The agreement names a time-of-use calendar that is not known.",
    "Send the calendar with the reference data.",
)  # fmt: skip
CALENDAR_INCOMPLETE = ErrorCode(
    "6033", "CALENDAR_INCOMPLETE", "A minute of a day lies in no window of the time-of-use calendar, or in several.",
    "Correct the calendar.",
)  # fmt: skip
REQUEST_ID_REUSED = ErrorCode(
    "6040", "REQUEST_ID_REUSED", "The request id was used before for other content.",
    "Ask again under a new request id.", acts="sender",
)  # fmt: skip
REQUEST_REPEATED = ErrorCode(
    "6041", "REQUEST_REPEATED", "The same request was taken in before; nothing was done again.",
    "Nothing.", acts="sender", severity="INFO",
)  # fmt: skip
CANCEL_NOT_FOUND = ErrorCode(
    "6042", "CANCEL_NOT_FOUND", "The request to be cancelled is not known.",
    "Check the request id.", acts="sender",
)  # fmt: skip
CANCEL_AMBIGUOUS = ErrorCode(
    "6043", "CANCEL_AMBIGUOUS", "More than one item answers to what is to be cancelled.",
    "Name one request id.", acts="sender",
)  # fmt: skip
CANCEL_TOO_LATE = ErrorCode(
    "6044", "CANCEL_TOO_LATE", "The request is already in a final state, or its answer was handed on.",
    "Cancel the bill in the CIS, then ask again with `replaces`.", acts="sender",
)  # fmt: skip
CANCEL_IN_WORK = ErrorCode(
    "6045", "CANCEL_IN_WORK", "The answer is being handed on at this moment and its acknowledgement is open.",
    "Cancel again once the part is acknowledged.", acts="sender", retryable=True,
)  # fmt: skip
REPLACES_UNKNOWN = ErrorCode(
    "6046", "REPLACES_UNKNOWN", "The request names a predecessor that the hub does not know.",
    "Check `replaces`.", acts="sender",
)  # fmt: skip
UNKNOWN_PARTNER = ErrorCode(
    "6047", "UNKNOWN_PARTNER", "No billing interface of this site serves the file's sender.",
    "Check the sender code in the file's name, or add the interface to the site file.", acts="operator",
)  # fmt: skip
PART_NOT_ACKNOWLEDGED = ErrorCode(
    "6048", "PART_NOT_ACKNOWLEDGED", "A part was delivered and its acknowledgement is overdue.",
    "Ask the receiver what became of the file; the hub never sends it again by itself.", acts="integration",
)  # fmt: skip
PART_REFUSED = ErrorCode(
    "6049", "PART_REFUSED", "The receiver refused a whole part; a revision of it was formed.",
    "Read the receiver's reason before the revision is refused again.", acts="integration",
)  # fmt: skip
ITEM_REFUSED = ErrorCode(
    "6050", "ITEM_REFUSED", "The receiver refused a determinant of an accepted part.",
    "Read the receiver's reason; release the work item to send it again, or cancel it.", acts="billing",
)  # fmt: skip
BILLED_UNKNOWN = ErrorCode(
    "6051", "BILLED_UNKNOWN", "The billed extract names a determinant version that the hub never handed on.",
    "Check the determinant id and version in the CIS.", acts="billing",
)  # fmt: skip
BILLED_MISMATCH = ErrorCode(
    "6052", "BILLED_MISMATCH", "The CIS billed another quantity than the determinant states.",
    "Find out which figure is right; cancel and rebill if it is ours.", acts="billing",
)  # fmt: skip
ACKNOWLEDGEMENT_UNKNOWN = ErrorCode(
    "6053", "ACKNOWLEDGEMENT_UNKNOWN", "An acknowledgement names a file that the hub did not send.",
    "Check the file name.", acts="integration",
)  # fmt: skip
RUN_DOES_NOT_BALANCE = ErrorCode(
    "6054", "RUN_DOES_NOT_BALANCE", "A run is over and its closing equations do not hold.",
    "Look at `amihub billing status`; close the run by waiving it under your name once it is explained.",
    acts="billing", severity="FATAL",
)  # fmt: skip
WINDOW_CLOSED = ErrorCode(
    "6055", "WINDOW_CLOSED", "The window closed while the item was held by billing validation.",
    "Release or cancel the work item; a release goes as a correction.", acts="billing",
)  # fmt: skip
MASTER_DATA_AWAITED = ErrorCode(
    "6056", "MASTER_DATA_AWAITED", "The item waits for reference data that has not come.",
    "Send the usage point in the reference data.", acts="sender", severity="WARNING", retryable=True,
)  # fmt: skip
WITHDRAWN = ErrorCode(
    "6057", "WITHDRAWN", "The item was cancelled before it was answered.",
    "Nothing.", acts="sender", severity="INFO",
)  # fmt: skip
METER_DATA_AWAY = ErrorCode(
    "6058", "METER_DATA_AWAY", "The meter data system does not answer; items wait and are asked again.",
    "Check the meter data system; nothing is lost.", acts="integration", severity="WARNING", retryable=True,
)  # fmt: skip
BILLED_TWICE = ErrorCode(
    "6059", "BILLED_TWICE", "The CIS reports one determinant as billed on two bills.",
    "Cancel one of the bills.", acts="billing",
)  # fmt: skip
PERIOD_GAP_DECLARED = ErrorCode(
    "6034", "PERIOD_GAP_DECLARED", "Between the last bill and this one nobody had an agreement.",
    "Nothing; usage of that time belongs to no customer.", acts="billing", severity="INFO",
)  # fmt: skip
PART_NOT_DELIVERED = ErrorCode(
    "6060", "PART_NOT_DELIVERED", "A part could not be brought to its receiver; its delivery is parked.",
    "Look at the parked delivery; replay it once the cause is gone.", acts="integration",
)  # fmt: skip
PARTIAL_DETERMINANT = ErrorCode(
    "6036", "PARTIAL_DETERMINANT", "The total of the period is there, but not every determinant that the rate needs.",
    "Release it to bill the total as PARTIAL, or wait: the complete version follows by itself.", acts="billing",
    severity="WARNING",
)  # fmt: skip
STORM_DECISION = ErrorCode(
    "6037", "STORM_DECISION", "Storm mode of a district has lasted so long that a person must decide.",
    "Allow estimates with `amihub billing storm override DISTRICT`, end it with `off`, or waive this to go on waiting.",
    acts="billing", severity="WARNING",
)  # fmt: skip
STORM_PROPOSED = ErrorCode(
    "6038", "STORM_PROPOSED", "So few meters of a district were read that estimates there would be guesses.",
    "Look at the outage; `amihub billing storm on DISTRICT` stops estimates there.", acts="billing",
    severity="WARNING",
)  # fmt: skip
STORM_NOT_POSSIBLE = ErrorCode(
    "6039", "STORM_NOT_POSSIBLE", "The district is not known, or its storm mode is not what the command needs.",
    "Look at `amihub billing storm list`.", acts="operator",
)  # fmt: skip
REGISTERS_AMBIGUOUS = ErrorCode(
    "6035", "REGISTERS_AMBIGUOUS", "Two registers of a meter have the same reading type.",
    "Give each register its own reading type in the reference data.", acts="operator",
)  # fmt: skip
UNBILLED_NOT_COUNTED = ErrorCode(
    "6061", "UNBILLED_NOT_COUNTED", "The unbilled-revenue register has no entries of the day.",
    "Run `amihub unbilled run`, or name a day that was counted.", acts="operator",
)  # fmt: skip
