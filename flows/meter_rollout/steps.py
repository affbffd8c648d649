"""The sequence of an exchange as data: who is told what, behind which step, and how it is taken back (domain 2.3).

Nothing here runs. What is next follows from what is so (`flows.meter_rollout.sequence`), never from a script.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from canonical.ports import HeldNoun
from canonical.rollout import OrderState
from flows.meter_rollout.policy import System

StepState = Literal[
    "PENDING", "HELD", "AWAITED", "SENT", "CONFIRMED", "SEEN", "REFUSED", "UNCONFIRMED", "COMPENSATED", "MANUAL",
    "NOT_NEEDED",
]  # fmt: skip
"""Where one step stands. HELD waits for a bill (EX11), AWAITED for another origin's message (ruling 8) or for the
meter, MANUAL for a person; CONFIRMED is what a system said, SEEN what it holds when it is asked."""

DONE: frozenset[str] = frozenset({"CONFIRMED", "SEEN", "NOT_NEEDED"})
"""The step is so, as far as anybody can tell."""

LETS_PASS: frozenset[str] = DONE | {"HELD", "MANUAL"}
"""Steps behind it go on: a held pair holds nothing else up (ruling 9), nor does a person who is still to do it."""

Needs = Literal["removed", "installed", "either"]
"""Which meter an exchange must have for a step to mean anything."""

Says = Literal[
    "exchange", "exchange_undone", "link_closed", "link_opened", "link_reopened", "link_undone", "readings",
    "commissioned", "decommissioned", "uncommissioned", "recommissioned", "point_linked", "point_relinked",
    "read_by_ami", "read_by_hand", "returned", "not_returned", "",
]  # fmt: skip
"""What is said, by its name in `flows.meter_rollout.saying`; empty: nothing."""

WITH_READINGS: frozenset[Says] = frozenset({"exchange", "exchange_undone", "readings"})
"""What is said with the final and first readings."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the sequence."""

    name: str
    system: System | None
    """Who is told; None: the hub itself looks."""

    says: Says
    after: tuple[str, ...] = ()
    """Steps that must be so before."""

    needs: Needs = "either"
    undo: Says = ""
    """What takes it back; empty where nothing has to be."""

    asks: HeldNoun | None = None
    """Noun by which the system is asked whether it is so; None: no question tells."""

    outlives_hold: bool = True
    """Whether it may go before a step that is held, or still a person's: the CIS's last word waits for the pair, and
    nobody leaves a manual route before that word is said."""


STEPS: tuple[Step, ...] = (
    Step("CIS_PAIR", "cis", "exchange", undo="exchange_undone", asks="UsagePointConfig"),
    Step("MDMS_CLOSE", "mdms", "link_closed", ("CIS_PAIR",), "removed", "link_reopened"),
    Step(
        "MDMS_CREATE",
        "mdms",
        "link_opened",
        ("CIS_PAIR", "MDMS_CLOSE"),
        "installed",
        "link_undone",
        asks="UsagePointConfig",
    ),
    Step("MDMS_READINGS", "mdms", "readings", ("MDMS_CLOSE", "MDMS_CREATE")),
    Step("HES_COMMISSION", "hes", "commissioned", ("MDMS_CREATE",), "installed", "uncommissioned", asks="MeterConfig"),
    Step("HES_DECOMMISSION", "hes", "decommissioned", ("MDMS_CLOSE",), "removed", "recommissioned", asks="MeterConfig"),
    Step("OMS_METER", "oms", "point_linked", ("MDMS_CLOSE", "MDMS_CREATE"), undo="point_relinked"),
    Step("HEARD", None, "", ("HES_COMMISSION",), "installed"),
    Step("VERIFIED", None, "", ("HEARD", "MDMS_READINGS"), "installed"),
    Step(
        "CIS_AMI",
        "cis",
        "read_by_ami",
        ("VERIFIED", "CIS_PAIR"),
        "installed",
        "read_by_hand",
        asks="UsagePointConfig",
        outlives_hold=False,
    ),
    Step("ROUTE", "route_reader", "", ("CIS_AMI",), "installed", outlives_hold=False),
    Step("WAMS_STOCK", "wams", "returned", ("MDMS_CLOSE", "HES_DECOMMISSION"), "removed", "not_returned"),
)
"""Every step, in an order in which each stands behind those that it needs."""

BY_NAME: Mapping[str, Step] = {step.name: step for step in STEPS}

REACHED: tuple[tuple[OrderState, tuple[str, ...]], ...] = (
    ("CIS_EXCHANGED", ("CIS_PAIR",)),
    ("MDM_SYNCED", ("MDMS_CLOSE", "MDMS_CREATE", "MDMS_READINGS")),
    ("HES_COMMISSIONED", ("HES_COMMISSION",)),
    ("HEARD", ("HEARD",)),
    ("VERIFIED", ("VERIFIED",)),
    ("CERTIFIED", ("CIS_PAIR", "CIS_AMI")),
    ("CLOSED", tuple(step.name for step in STEPS)),
)
"""Which steps bring an order into which state (domain 2.2); states that a held pair leaves out are passed over."""

MARKS: Mapping[OrderState, tuple[str, ...]] = {"CERTIFIED": ("CIS_AMI",)}
"""Steps by which a state is worth a line of history, where not every one of its own is."""

NEEDS_HEAD_END: frozenset[str] = frozenset({"HES_COMMISSION", "HEARD", "VERIFIED", "CIS_AMI", "ROUTE"})
"""Steps that mean nothing at a site whose meters nobody hears."""


OWN_BELIEF: frozenset[str] = frozenset({"CIS_AMI", "WAMS_STOCK"})
"""Steps by which the hub's own belief changes, whoever is told: who is read by AMI, which meters came back."""


def reached(states: Mapping[str, str]) -> OrderState:
    """Return the state of an order whose steps stand as `states` says by name; a step that it lacks is not needed."""
    found: OrderState = "VALIDATED"
    for state, names in REACHED:
        own = [states.get(name, "NOT_NEEDED") for name in names]
        passes = DONE if state in ("CIS_EXCHANGED", "CERTIFIED", "CLOSED") else LETS_PASS
        if all(one in passes for one in own):
            found = state
        elif state != "CIS_EXCHANGED" or own[0] not in LETS_PASS:
            break
    return found
