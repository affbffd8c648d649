"""Codes of the mass meter rollout: EX01 to EX20 of domain 2.4, and those of waves, orders, shipments and routes."""

from canonical.errors import ErrorCode

OLD_METER_MISMATCH = ErrorCode(
    "8001",
    "OLD_METER_MISMATCH",
    "The meter that the field says it removed is not the one that hangs at the usage point (EX01).",
    "Look at photo and plate; what was reported at a wrong place goes where it belongs by `amihub rollout correct`.",
    acts="operator",
)
NEW_METER_UNKNOWN = ErrorCode(
    "8002",
    "NEW_METER_UNKNOWN",
    "The installed meter is in no shipment and no inventory (EX02).",
    "Wait for its shipment file, or have the serial read again.",
)
NEW_METER_ALREADY_INSTALLED = ErrorCode(
    "8003",
    "NEW_METER_ALREADY_INSTALLED",
    "The installed meter hangs at another usage point already (EX03).",
    "Find out at which of the two named it really hangs; `amihub rollout correct --premise` moves a completion.",
    acts="operator",
)
DUPLICATE_SERIAL = ErrorCode(
    "8004",
    "DUPLICATE_SERIAL",
    "The serial names more than one meter (EX04).",
    "Name the manufacturer.",
)
PREMISE_MISMATCH = ErrorCode(
    "8005",
    "PREMISE_MISMATCH",
    "Where the crew was and where the usage point is do not fit (EX05).",
    "Compare place and photo; if it is right, `amihub rollout confirm RESULT --rule EX05`, else `correct --premise`.",
    acts="operator",
)
MULTIPLIER_MISMATCH = ErrorCode(
    "8006",
    "MULTIPLIER_MISMATCH",
    "The multiplier that was seen, or that the CIS holds, is not the one of the meter data system (EX06).",
    "Check the transformers' plates; have the wrong side corrected, or let it pass by `amihub rollout confirm`.",
    acts="operator",
)
REGISTER_MISMATCH = ErrorCode(
    "8007",
    "REGISTER_MISMATCH",
    "Registers, units, interval or direction of the new meter do not fit the tariff and the usage point (EX07).",
    "Hang a meter of the right configuration, have the master corrected, or let it pass by `amihub rollout confirm`.",
    acts="operator",
)
FINAL_READ_IMPLAUSIBLE = ErrorCode(
    "8008",
    "FINAL_READ_IMPLAUSIBLE",
    "A final reading is missing, below the last billed one without a rollover, or above what is possible (EX08).",
    "Look at the photo; if it is right, `amihub rollout confirm RESULT --rule EX08`, else have it told again.",
    acts="operator",
)
CROSS_INSTALLED = ErrorCode(
    "8009",
    "CROSS_INSTALLED",
    "Meters were reported at each other's usage points (EX09).",
    "Look at the preview of the correction and confirm it: `amihub rollout correct --cross`.",
    acts="operator",
)
DATE_INCOHERENT = ErrorCode(
    "8010",
    "DATE_INCOHERENT",
    "Removal, installation, shipment and today do not follow each other (EX10).",
    "Have the completion sent again with the right times.",
)
BILLING_WINDOW_LOCK = ErrorCode(
    "8011",
    "BILLING_WINDOW_LOCK",
    "The usage point is being billed; what the CIS must be told waits for the bill (EX11).",
    "Nothing, unless the bill does not come: then a person releases it.",
    acts="operator",
)
INFLIGHT_CONFLICT = ErrorCode(
    "8012",
    "INFLIGHT_CONFLICT",
    "Another order is open at the usage point: a move, a disconnection, a change of tariff, a correction (EX12).",
    "Finish the other order first; if the exchange goes first, `amihub rollout confirm RESULT --rule EX12`.",
    acts="operator",
)
DUPLICATE_RESULT = ErrorCode(
    "8013",
    "DUPLICATE_RESULT",
    "The same completion came again (EX13).",
    "Nothing.",
    severity="INFO",
)
CONTRADICTORY_RESULT = ErrorCode(
    "8014",
    "CONTRADICTORY_RESULT",
    "A completion says something else than an earlier one of the same exchange (EX14).",
    "Find out which is right, and say so by `amihub rollout correct --accept RESULT`; nothing is overwritten.",
    acts="operator",
)
NOT_HEARD = ErrorCode(
    "8015",
    "NOT_HEARD",
    "The new meter has not been heard in time (EX15).",
    "Send a crew, or look at the head-end's network.",
    acts="operator",
)
HEARD_UNINSTALLED = ErrorCode(
    "8016",
    "HEARD_UNINSTALLED",
    "A meter is heard that nobody installed (EX16).",
    "Find it: a completion is missing, or it lies in a stock with power.",
    acts="operator",
)
OLD_METER_STILL_READING = ErrorCode(
    "8017",
    "OLD_METER_STILL_READING",
    "Readings of a removed meter come from after its removal (EX17).",
    "Check whether the right meter was removed; the readings are in quarantine.",
    acts="operator",
)
EXCLUDED_INSTALLED = ErrorCode(
    "8018",
    "EXCLUDED_INSTALLED",
    "A meter was exchanged where none should be (EX18).",
    "Speak to whoever excluded the usage point; the exchange stands.",
    acts="operator",
)
TARIFF_INCOMPATIBLE = ErrorCode(
    "8019",
    "TARIFF_INCOMPATIBLE",
    "The tariff needs what the new meter does not measure (EX19).",
    "Have the tariff or the meter changed; until then it is unbilled.",
    acts="operator",
)
KEYS_MISSING = ErrorCode(
    "8020",
    "KEYS_MISSING",
    "Nobody holds the security keys of the meter: it cannot be commissioned (EX20).",
    "Ask the manufacturer for the keys of its lot.",
    acts="operator",
)

EX = {
    "EX01": OLD_METER_MISMATCH,
    "EX02": NEW_METER_UNKNOWN,
    "EX03": NEW_METER_ALREADY_INSTALLED,
    "EX04": DUPLICATE_SERIAL,
    "EX05": PREMISE_MISMATCH,
    "EX06": MULTIPLIER_MISMATCH,
    "EX07": REGISTER_MISMATCH,
    "EX08": FINAL_READ_IMPLAUSIBLE,
    "EX09": CROSS_INSTALLED,
    "EX10": DATE_INCOHERENT,
    "EX11": BILLING_WINDOW_LOCK,
    "EX12": INFLIGHT_CONFLICT,
    "EX13": DUPLICATE_RESULT,
    "EX14": CONTRADICTORY_RESULT,
    "EX15": NOT_HEARD,
    "EX16": HEARD_UNINSTALLED,
    "EX17": OLD_METER_STILL_READING,
    "EX18": EXCLUDED_INSTALLED,
    "EX19": TARIFF_INCOMPATIBLE,
    "EX20": KEYS_MISSING,
}
"""Validation rules by their number in domain 2.4."""
