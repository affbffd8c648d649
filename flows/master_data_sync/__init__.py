"""Master data that systems tell each other: taken, versioned, linked, waited for, and told on (domain 1.3, 2.6)."""

from flows.master_data_sync.policy import Origin, Policy
from flows.master_data_sync.take import take
from flows.master_data_sync.waking import advance, waiting

__all__ = ["Origin", "Policy", "advance", "take", "waiting"]
