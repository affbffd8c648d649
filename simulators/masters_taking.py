"""How a system takes a file of masters from the hub: item by item, with the faults that its knobs want.

Knobs (`knobs.json`), each a list of `TAG key`: `refuse` answers an item with an error and changes nothing, `lose`
answers that all is well and changes nothing, `slow` leaves a file that names the item unanswered while it is there.
Whole files (`FULL`) are taken as they are: what they repeat is held already.
"""

from datetime import datetime
from pathlib import Path

from simulators import masters_sabotage
from simulators.knobs import Knobs
from simulators.masters_books import MastersBook
from simulators.masters_wire import BadFileError, Taken, Version, read

Answer = tuple[str, list[dict[str, object]], str]
"""(verdict of the file, verdicts of its items, reason)."""


def take_file(book: MastersBook, knobs: Knobs, path: Path, now: datetime) -> Answer | None:
    """Take a file into the book and return what is answered; None while no answer is given."""
    try:
        taken = read(path)
    except (BadFileError, ValueError, OSError) as error:
        return "REJECTED", [], str(error)
    slow = _wanted(knobs, "slow", taken)
    if slow & {f"{version.tag} {version.key}" for _, version in taken.versions}:
        return None
    items = _take_items(book, knobs, taken)
    refused = any(item["verdict"] == "REJECTED" for item in items)
    return "ACCEPTED_WITH_ERRORS" if refused else "ACCEPTED", items, ""


def _wanted(knobs: Knobs, knob: str, taken: Taken) -> set[str]:
    return {str(name) for name in knobs.listed(knob)} if taken.mode == "CHANGES" else set()


def _take_items(book: MastersBook, knobs: Knobs, taken: Taken) -> list[dict[str, object]]:
    items: list[dict[str, object]] = []
    refused, lost = (_wanted(knobs, knob, taken) for knob in ("refuse", "lose"))
    for line, version in taken.versions:
        name = f"{version.tag} {version.key}"
        if version.tag not in book.sort.keeps:
            items.append(_verdict(version, line, "REJECTED", "C101", "we keep no such records"))
        elif name in refused:
            items.append(_verdict(version, line, "REJECTED", "C102", "value is not in our code list"))
        else:
            if name not in lost and not masters_sabotage.swallows(book, knobs, version):
                book.put(version)
            items.append(_verdict(version, line, "ACCEPTED"))
    for line, tag, key, at in taken.withdrawn:
        if tag in book.sort.keeps and f"{tag} {key}" not in lost:
            book.drop(tag, key)
        items.append(_verdict(Version(tag, key, at, ""), line, "ACCEPTED"))
    return items


def _verdict(version: Version, line: int, verdict: str, code: str = "", reason: str = "") -> dict[str, object]:
    return {"key": f"{version.tag} {version.key}", "verdict": verdict, "code": code, "reason": reason, "line": line}
