"""Ways to damage one thing of the masters behind everybody's back, for the proof that the auditor sees it.

swallow-repair   a system says that a repair is taken in, and leaves its book as it was
edit-book        a difference that nobody seeded: one value in one book is changed by hand
hide-difference  a seeded difference is mended by hand before anybody could see it
"""

from simulators.knobs import Knobs
from simulators.masters_books import MastersBook
from simulators.masters_wire import Version

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
