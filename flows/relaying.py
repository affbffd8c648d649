"""Carrying to one destination without standing still: the next batch is leased while one is being confirmed.

thread of the destination   lease 1 | lease 2          | record 1 | lease 3 ...        | record 2
its carrier                         | carry 1 ........ | carry 2 ................... | carry 3

A relay that dies leaves two batches to the next one instead of one; a destination that is away costs one batch more.
"""

from collections.abc import Callable
from concurrent.futures import Executor
from datetime import datetime

from flows.way_out import RelayReport, Way

__all__ = ["carry_on"]


def carry_on(
    way: Way,
    *,
    carrier: Executor,
    now: Callable[[], datetime],
    machine_now: Callable[[], datetime],
    stopped: Callable[[], bool] = lambda: False,
) -> RelayReport:
    """Carry what is due for one destination, batch by batch, until nothing is due or `stopped` says so.

    `carrier` has one thread: a port is used by one at a time. `now` tells business time, `machine_now` the machine's.
    What was leased is carried and recorded whatever `stopped` says.
    """
    report = RelayReport()
    leased = way.lease(now=now(), machine_now=machine_now())
    under_way = carrier.submit(way.carry, leased) if leased else None
    while under_way is not None:
        ahead = [] if stopped() else way.lease(now=now(), machine_now=machine_now(), ahead=True)
        found = under_way.result()
        under_way = carrier.submit(way.carry, ahead) if ahead else None
        way.record(leased, found, report, now=now(), machine_now=machine_now())
        leased = ahead
    return report
