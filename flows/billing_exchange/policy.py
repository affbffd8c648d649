"""The business settings of one billing interface: `[billing.<interface>]` of the site file, with their defaults."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Literal

Calculator = Literal["mdms", "hub"]
Rounding = Literal["cumulative", "interval_residual"]
WindowStart = Literal["MidnightOfReceivedDate", "ReceivedDatetime", "NoBillWindow"]
LatePolicy = Literal["next_load", "correction"]
Partial = Literal["allowed", "hold"]
Anchor = Literal["opened", "deadline"]
Ask = Literal["store", "fresh", "backfill", "estimate", "decide"]


@dataclass(frozen=True, slots=True)
class LadderStep:
    """One rung of the missing-read ladder as the site states it (domain 4.3)."""

    name: str
    ask: Ask
    """store: what is there; fresh: read the meter again; backfill: the head-end's gap fill; estimate: accept one;
    decide: answer with what there is."""

    anchor: Anchor
    """Whether `offset` counts from the opening of the window or from its deadline."""

    offset: timedelta
    """Negative before the deadline."""

    role: str
    """Role that carries it out: `mdms` or `hes`; empty for a step of the hub's own."""


DEFAULT_LADDER: tuple[LadderStep, ...] = (
    LadderStep("check", "store", "opened", timedelta(0), "mdms"),
    LadderStep("reread_1", "fresh", "opened", timedelta(minutes=5), "hes"),
    LadderStep("reread_2", "fresh", "opened", timedelta(hours=1), "hes"),
    LadderStep("backfill", "backfill", "opened", timedelta(hours=4), "hes"),
    LadderStep("estimate", "estimate", "deadline", timedelta(hours=-2), "mdms"),
    LadderStep("decide", "decide", "deadline", timedelta(minutes=-30), ""),
)
"""The ladder of domain 4.3."""

DEFAULT_BACK_BILLING: Mapping[str, int] = MappingProxyType({"RESIDENTIAL": 365, "COMMERCIAL": 730, "INDUSTRIAL": 730})
"""Days, by customer class, that a bill may reach back without a person's consent (ruling 12)."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How one billing interface is worked. Every field has the default of domain 4; the site file overrides it."""

    interface: str = "billing"
    """Name of the table in the site file."""

    customer_system: str = "cis"
    """Role that asks and loads."""

    partner: str = ""
    """The customer system's sender code of this interface in file names."""

    inboxes: tuple[str, ...] = ()
    """Roles whose files every pass takes in."""

    meter_data: str = "mdms"
    """Role that is asked for readings."""

    determinants: Calculator = "mdms"
    """Who calculates (ruling 1): `mdms` passes its quantities after a check, `hub` sums itself."""

    zone: str = "UTC"
    """IANA zone in which windows and cut-offs are meant."""

    window_start: WindowStart = "MidnightOfReceivedDate"
    window_hours: Decimal = Decimal(17)
    """Length of the window in wall-clock hours from midnight, or in elapsed hours from receipt."""

    loading_cutoff: time | None = None
    """Local time after which the customer system loads no further part that day; None: no cut-off."""

    rounding: Rounding = "cumulative"
    """Ruling 12: `cumulative` rounds cumulative reads, `interval_residual` rounds sums and carries the rest."""

    decimals: int = 3
    """Decimals of a billed quantity."""

    part_size: int = 2000
    """Determinants in one part file."""

    batch_size: int = 500
    """Items in one mapped task."""

    max_error_percent: Decimal = Decimal(1)
    """Share of bad items above which a request file is refused whole."""

    read_lag_minutes: int = 0
    """How long before the bill instant a read may lie."""

    read_lead_minutes: int = 4320
    """How long after the bill instant a read may lie."""

    manual_sources: frozenset[str] = frozenset({"manual"})
    """Feeds whose reads people took; they rank behind reads of AMI."""

    estimation_allowed: bool = True
    """Whether a value that its source marked as an estimate may be billed."""

    storm_districts: frozenset[str] = frozenset()
    """Districts in storm mode: nothing is billed on estimates there while they are listed (domain 4.3)."""

    storm_days: int = 5
    """Days after which a person is asked whether a district in storm mode goes on without estimates."""

    storm_read_percent: Decimal = Decimal(60)
    """Share of a district's due items with reads below which storm mode is proposed to a person."""

    storm_least_items: int = 20
    """Due items of a district from which that share means anything."""

    partial: Partial = "hold"
    """An item whose total is there, but not every determinant that its rate needs: `allowed` answers it PARTIAL at the
    window's end, `hold` shows it to a person before. The complete version follows either way."""

    consecutive_estimates: int = 2
    """Bills in a row that may rest on estimates; one more is held."""

    ack_hours: Decimal = Decimal(2)
    """Hours after which a part without acknowledgement is asked about."""

    ack_minutes: int = 15
    """Minutes within which a request is acknowledged item by item."""

    gap_hours: Decimal = Decimal(4)
    """Hours for which later files wait behind a gap in the sequence."""

    assume_billed_after: timedelta | None = None
    """For a site without a billed extract: when a loaded determinant counts as billed (ruling 3)."""

    late_policy: LatePolicy = "next_load"
    """What becomes of a part that is ready after the loading cut-off (ruling 5)."""

    tolerance_quantity: Decimal = Decimal(1)
    """kWh or m3 by which two figures of one thing may differ, unless `tolerance_percent` allows more."""

    tolerance_percent: Decimal = Decimal("0.5")
    """Percent of the figure, see `tolerance_quantity`."""

    plausibility_factor: Decimal = Decimal(5)
    """Usage per day above this many times the last bill's is held."""

    plausibility_floor: Decimal = Decimal(50)
    """Usage per day up to which `plausibility_factor` is not asked (a small history makes any factor meaningless)."""

    rollover_share: Decimal = Decimal("0.9")
    """A register may have rolled over only from above this share of its range (domain 2.5)."""

    rollover_cap_share: Decimal = Decimal("0.5")
    """Largest share of its range that a register may have used across a rollover."""

    zero_cycles: int = 2
    """Bills in a row without usage, on an active agreement, from which one is held."""

    back_billing_days: Mapping[str, int] = field(default_factory=lambda: DEFAULT_BACK_BILLING)
    """Days that a bill may reach back, by customer class; a class that is not named has no limit."""

    max_period_days: int = 400
    """Longest bill period that is taken for meant."""

    true_up_percent: Decimal = Decimal(1)
    """A difference up to this percent, or up to `true_up_quantity`, is settled by the next bill."""

    true_up_quantity: Decimal = Decimal(5)
    """kWh or m3, see `true_up_percent`."""

    demand_classes: frozenset[str] = frozenset({"COMMERCIAL", "INDUSTRIAL"})
    """Customer classes whose maximum demand is taken from interval values where no demand register exists."""

    demand_minutes: int = 15
    """Length of the demand interval in minutes; a channel with longer intervals states its own."""

    demand_window: Literal["BLOCK", "ROLLING"] = "BLOCK"
    """BLOCK: consecutive windows of the clock; ROLLING: windows that move by one interval."""

    ladder: tuple[LadderStep, ...] = DEFAULT_LADDER
    """Steps of the missing-read ladder."""

    def tolerance(self, quantity: Decimal) -> Decimal:
        """Return by how much another figure may differ from `quantity`: max(1 kWh, 0.5 %) by default."""
        return max(self.tolerance_quantity, abs(quantity) * self.tolerance_percent / 100)
