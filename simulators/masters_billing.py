"""The billing day that follows the masters' morning: the same city, on masters that came by load and changes."""

from rich.console import Console

from simulators.demo_engine import CommandLine
from simulators.demo_plan import events
from simulators.demo_play import play
from simulators.demo_processes import Processes, start_outside
from simulators.script import BUSINESS_DAYS


def bill_one_day(processes: Processes, console: Console) -> None:
    """Start the billing systems and let the hub bill one business day by its command line."""
    start_outside(processes)
    engine = CommandLine(processes)
    for event in events(BUSINESS_DAYS[:1]):
        play(processes, engine, event, console)
