"""The rules of domain 2.4 as one table: what each looks at, what is done when it is broken, what a site may do instead.

Judging is pure: of the facts of one completion follow all its findings, the deciding one first.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from canonical.codes.rollout import EX
from canonical.codes.rollout_corrections import GATEWAY_IN_USE
from canonical.errors import ErrorCode
from flows.meter_rollout.facts import Facts
from flows.meter_rollout.rules_configuration import (
    keys_missing,
    multiplier_mismatch,
    register_mismatch,
    systems_differ,
    tariff_incompatible,
)
from flows.meter_rollout.rules_gateway import gateway_in_use
from flows.meter_rollout.rules_identity import (
    duplicate_serial,
    new_meter_already_installed,
    new_meter_unknown,
    old_meter_mismatch,
)
from flows.meter_rollout.rules_place import premise_mismatch
from flows.meter_rollout.rules_readings import final_read_implausible
from flows.meter_rollout.rules_time import billing_window, date_incoherent, in_flight

Action = Literal["REJECT", "HOLD", "REVIEW", "WAIT", "HOLD_PAIR", "BLOCK", "ALERT", "NOTHING"]
"""REJECT: it has to be told again. HOLD, REVIEW: a person decides. WAIT: it is tried again, then a person decides.
HOLD_PAIR: it is believed, the CIS is told later. BLOCK: it is believed, the meter is not commissioned. ALERT: it is
believed, and a person knows. NOTHING: the site does not mind."""

STOPS: tuple[Action, ...] = ("REJECT", "HOLD", "REVIEW", "WAIT")
"""Actions by which an exchange is not believed, the strictest first."""

ORDER: tuple[Action, ...] = (*STOPS, "HOLD_PAIR", "BLOCK", "ALERT", "NOTHING")


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the table."""

    number: str
    """Such as `EX05`."""

    broken: Callable[[Facts], str]
    """Why a completion breaks it; empty where it does not."""

    action: Action
    instead: tuple[Action, ...] = ()
    """What a site may have done instead (`[rollout] actions`)."""

    can_be_waived: bool = False
    """Whether a person may let a finding pass: the belief holds together without it."""

    @property
    def code(self) -> ErrorCode:
        """Return the entry of the catalogue."""
        return GATEWAY_IN_USE if self.number == "GATEWAY" else EX[self.number]


RULES: tuple[Rule, ...] = (
    Rule("EX10", date_incoherent, "REJECT", ("HOLD",)),
    Rule("EX05", premise_mismatch, "HOLD", ("REVIEW", "ALERT"), can_be_waived=True),
    Rule("EX04", duplicate_serial, "HOLD"),
    Rule("EX01", old_meter_mismatch, "HOLD"),
    Rule("EX02", new_meter_unknown, "WAIT", ("HOLD",)),
    Rule("EX03", new_meter_already_installed, "HOLD"),
    Rule("GATEWAY", gateway_in_use, "HOLD"),
    Rule("EX06", multiplier_mismatch, "HOLD", ("REVIEW",), can_be_waived=True),
    Rule("EX07", register_mismatch, "HOLD", ("REVIEW",), can_be_waived=True),
    Rule("EX08", final_read_implausible, "REVIEW", ("HOLD",), can_be_waived=True),
    Rule("EX12", in_flight, "WAIT", ("HOLD",), can_be_waived=True),
    Rule("EX11", billing_window, "HOLD_PAIR", ("WAIT",)),
    Rule("EX20", keys_missing, "BLOCK", ("HOLD",)),
    Rule("EX19", tariff_incompatible, "ALERT", ("HOLD", "REVIEW"), can_be_waived=True),
)
"""Rules that judge a completion. EX13, EX14, EX18 are seen when it is taken, EX09 follows from several EX01, EX15 to
EX17 from what meters are heard afterwards."""

BY_NUMBER: Mapping[str, Rule] = {rule.number: rule for rule in RULES}


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken rule."""

    rule: Rule
    reason: str
    action: Action

    @property
    def rank(self) -> int:
        """Return how strict it is, 0 for the strictest."""
        return ORDER.index(self.action)


def findings_of(facts: Facts, actions: Mapping[str, str]) -> tuple[Finding, ...]:
    """Return what is wrong with a completion, the strictest first; what a person waived is not.

    At a usage point that nobody told of nothing can be believed, whoever waives it: I1 could not be looked at.
    `actions` are those that the site chose for rules, by number.
    """
    waived = frozenset(facts.row["waived"])
    found = []
    for rule in RULES:
        if facts.point is None and rule.number not in ("EX05", "EX10"):
            continue
        if rule.number in waived and rule.can_be_waived and facts.point is not None:
            continue
        reason = rule.broken(facts)
        # A usage point, like a meter, may be told of after the work there (domain 1.3).
        action = action_of(rule, actions) if facts.point is not None or rule.number != "EX05" else "WAIT"
        if rule.number == "EX06" and _lets_differ(facts):
            action = "ALERT"
        if reason and action != "NOTHING":
            found.append(Finding(rule, reason, action))
    return tuple(sorted(found, key=lambda one: one.rank))


def _lets_differ(facts: Facts) -> bool:
    """Return whether the site believes an exchange whose multipliers differ (EX06, domain 2.4).

    APPLY: the one that was told or seen counts. IGNORE: what a crew saw is noted; but a system that would bill by
    another multiplier than the one that is measured with is never ignored.
    """
    policy = facts.policy.multiplier_policy
    return policy == "APPLY" or (policy == "IGNORE" and not systems_differ(facts))


def action_of(rule: Rule, actions: Mapping[str, str]) -> Action:
    """Return what is done where a rule is broken: as the site chose, where it may."""
    return next((one for one in rule.instead if one == actions.get(rule.number)), rule.action)
