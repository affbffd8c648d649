"""The closing account of every run against the CIS's own count: requested = delivered + unanswered + cancelled."""

from collections import Counter
from collections.abc import Iterator

from simulators.audit_books import Books
from simulators.audit_items import Finding


def audit_runs(books: Books) -> Iterator[Finding]:
    """Yield every on-cycle run whose closing account is missing, does not add up, or counts other requests."""
    accepted = Counter(
        (request.interface, request.business_date)
        for request in books.requests.values()
        if request.verdict == "ACCEPTED" and request.reason == "CYCLE"
    )
    closings: dict[tuple[str, str], list[tuple[str, int]]] = {}
    for file, kind, _code, count in books.closing:
        fields = str(file).split("_")
        if fields[4] != "ON":
            continue
        day = f"{fields[6][:4]}-{fields[6][4:6]}-{fields[6][6:]}"
        closings.setdefault((fields[2], day), []).append((kind, count))
    for (interface, day), count in accepted.items():
        who = f"(run {interface} {day})"
        rows = closings.get((interface, day))
        if rows is None:
            yield Finding(who, "closing account", "no closing account came")
            continue
        said = Counter[str]()
        for kind, number in rows:
            said[kind] += number
        parts = said["DELIVERED"] + said["NO_READ"] + said["HELD"] + said["CANCELLED"]
        if said["REQUESTED"] != count or parts != said["REQUESTED"]:
            yield Finding(
                who, "closing account", f"the CIS has {count} accepted requests, the account says {dict(said)}"
            )
