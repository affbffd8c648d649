"""The demo's chapters: each in a city, with systems and with an auditor of its own, each runnable alone."""

import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from rich.console import Console

from simulators import billing_demo, masters_demo, masters_sabotage, rollout_demo, rollout_sabotage, sabotage
from simulators.demo_processes import DemoError

ALL, MAIN = "all", "rollout"
"""Words of `CHAPTER=`: every chapter one after the other, and the one that is played without a word."""


class Play(Protocol):
    """Plays a chapter to its end."""

    def __call__(self, console: Console, *, folder: Path | None = None) -> int:
        """Return 0 when its auditor finds nothing wrong; `folder` is the run folder to make."""
        ...


@dataclass(frozen=True, slots=True)
class Chapter:
    """One chapter."""

    play: Play
    sabotages: Collection[str]
    """What `SABOTAGE=` may be in it; its auditor must then turn red."""


CHAPTERS = {
    "masters": Chapter(masters_demo.demo, masters_sabotage.KINDS),
    "rollout": Chapter(rollout_demo.demo, rollout_sabotage.KINDS),
    "billing": Chapter(billing_demo.demo, sabotage.KINDS),
}
"""Every chapter, in the order in which they are played; that of billing stays up at its end."""


def chosen_chapters() -> dict[str, Chapter]:
    """Return the chapters that `CHAPTER=` asks for, the main one without it; of these, those that know the sabotage.

    A sabotage without a chapter is done wherever it is known.

    Raises:
        DemoError: there is no such chapter, or none that is asked for knows the sabotage.
    """
    damage = os.environ.get("SABOTAGE", "")
    wanted = os.environ.get("CHAPTER", "") or (ALL if damage else MAIN)
    if wanted != ALL and wanted not in CHAPTERS:
        raise DemoError(f"CHAPTER={wanted} is unknown; it may be {', '.join((*CHAPTERS, ALL))}")
    asked = CHAPTERS if wanted == ALL else {wanted: CHAPTERS[wanted]}
    fitting = {name: one for name, one in asked.items() if not damage or damage in one.sabotages}
    if not fitting:
        known = ", ".join(kind for one in asked.values() for kind in one.sabotages)
        raise DemoError(f"SABOTAGE={damage} is unknown; it may be {known}")
    return fitting
