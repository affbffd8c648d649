"""Ways to damage one thing of the masters behind everybody's back, for the proof that the auditor sees it.

swallow-repair   a system says that a repair is taken in, and leaves its book as it was
edit-book        a difference that nobody seeded: one value in one book is changed by hand
hide-difference  a seeded difference is mended by hand before anybody could see it
"""

from typing import TYPE_CHECKING

from simulators.knobs import Knobs
from simulators.masters_books import MastersBook
from simulators.masters_wire import Version

if TYPE_CHECKING:
    from simulators.masters_plan import Day

KINDS = ("swallow-repair", "edit-book", "hide-difference")


def swallows(book: MastersBook, knobs: Knobs, version: Version) -> bool:
    """Return whether a told version is to vanish: the first one after the differences are there, once in a run."""
    if knobs.text("sabotage") != "swallow-repair" or not book.done("differences"):
        return False
    spent = next((str(name) for name in knobs.listed("swallowed")), "")
    mine = f"{version.tag} {version.key}"
    if not spent:
        knobs.write({**knobs.all(), "swallowed": [mine]})
    return spent in ("", mine)


def tamper(day: "Day", kind: str) -> None:
    """Change the plan of a day as the sabotage wants, leaving the truth as it is."""
    step = next(step for step in day.steps["oms"] if step["name"] == "differences")
    edits = step["put"]
    if not isinstance(edits, list):
        return
    if kind == "hide-difference":
        del edits[0]
    elif kind == "edit-book":
        victim = day.truth.points[0].usage_point
        edits.append(
            {
                "tag": "UPT", "key": victim, "start": edits[0]["start"], "end": "",
                "facts": {"name": "SOMEBODY"},
            }
        )  # fmt: skip
