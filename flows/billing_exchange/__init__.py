"""Billing exchange: from a CIS's request to a determinant that it billed (domain 4).

One pass calls, in this order: `take_in` (files of all inboxes), `plan` (what is due), `advance` for each batch,
`hand_on` (parts, corrections, notices) and `verdict`. `readings_arrived` takes what an MDMS tells in between.
"""

from flows.billing_exchange.advance import advance, plan
from flows.billing_exchange.arrivals import readings_arrived
from flows.billing_exchange.closing import verdict
from flows.billing_exchange.due import is_due
from flows.billing_exchange.hand_on import hand_on
from flows.billing_exchange.intake import take_in
from flows.billing_exchange.interface import Advanced, HandedOn, Interface, TakenIn, Verdict

__all__ = [
    "Advanced",
    "HandedOn",
    "Interface",
    "TakenIn",
    "Verdict",
    "advance",
    "hand_on",
    "is_due",
    "plan",
    "readings_arrived",
    "take_in",
    "verdict",
]
