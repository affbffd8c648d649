"""Plays one business event of the billing day: the clock, the outside systems, the hub's passes, and quiet."""

from rich.console import Console

from simulators.clock import set_business
from simulators.demo_engine import Engine
from simulators.demo_plan import Event
from simulators.demo_processes import Processes
from simulators.demo_settle import BRIEFLY_S, progress, settle
from simulators.local_days import ZONE

RATE = 30.0
"""Business seconds per real second between two events."""


def play(processes: Processes, engine: Engine, event: Event, console: Console) -> None:
    """Go to a business event, let everybody outside do what is due, let the hub make its passes, and wait for quiet."""
    run = processes.run
    set_business(run.clock, event.at, rate=RATE)
    console.print(f"[bold cyan]{event.at.astimezone(ZONE):%a %d %b %H:%M}[/]  {event.text}")
    settle(processes, event.at, quiet_s=BRIEFLY_S)
    words = engine.passes(event.passes)
    settle(processes, event.at)
    console.print(f"               {'; '.join(words)}", highlight=False, style="dim")
    console.print(f"               {progress(run.folder)}", highlight=False)
