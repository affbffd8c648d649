"""Reading everything that the hub keeps about one usage point and what belongs to it or ever did, by index alone."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from canonical.holdings import FIELDS
from canonical.ids import mint
from store import (
    belief_sources,
    master_changes,
    master_origins,
    master_statements,
    recon_holdings,
    reference,
    reference_masters,
)
from store.rows import Row
from store.session import Session

ORDER = tuple(kind for kind in FIELDS if kind != "bill_cycle_day")
"""Kinds of a history, in the order in which they depend on each other."""

TABLES = (
    ("usage_point", reference.USAGE_POINT, "usage_point"),
    ("usage_point", reference_masters.USAGE_POINT_LOCATION, "usage_point"),
    ("topology", reference_masters.TOPOLOGY, "usage_point"),
    ("installation", reference.INSTALLATION, "usage_point"),
    ("meter", reference_masters.METER, "meter"),
    ("agreement", reference.AGREEMENT, "agreement"),
    ("account", reference_masters.CUSTOMER_ACCOUNT, "account"),
    ("customer", reference_masters.CUSTOMER, "customer"),
    ("location", reference_masters.SERVICE_LOCATION, "location"),
)
"""Kind, table, and the column by which its rows are found."""


@dataclass(slots=True)
class Books:
    """What was read."""

    usage_point: str
    rows: dict[str, list[Row]] = field(default_factory=dict)
    """Every version that the hub ever held, by name of the table."""

    said: list[Row] = field(default_factory=list)
    """What was said by message or file, in order."""

    changes: list[Row] = field(default_factory=list)
    extracts: list[Row] = field(default_factory=list)
    """What systems ever stated in extracts of theirs, by system and time."""

    files: dict[tuple[str, datetime], str] = field(default_factory=dict)
    """Ids of those extracts, by system and watermark."""

    snapshots: list[Row] = field(default_factory=list)
    """The first and the present extract of each system."""

    loads: list[Row] = field(default_factory=list)
    """Files of first-time loads, with role and watermark."""

    origins: dict[tuple[str, str], str] = field(default_factory=dict)
    """Who told of a thing first, by name of the table and id."""

    deliveries: dict[str, Row] = field(default_factory=dict)
    things: tuple[tuple[str, str], ...] = ()
    """Kind and id of all that belongs to the usage point."""


def read(session: Session, usage_point: str, *, systems: Collection[str]) -> Books:
    """Return everything about a usage point; each step finds the ids that the next one asks for.

    `systems` are the roles of the site, whose extracts may say everything of some kinds.
    """
    books = Books(usage_point)
    things = {("usage_point", usage_point), ("topology", usage_point)}
    things |= {("installation", one) for one in belief_sources.hung_in_extracts(session, usage_point)}
    about = [*master_statements.about(session, usage_point, ()), *_served(session, usage_point)]
    things |= _named(about, usage_point)
    # Agreements name accounts, and accounts customers: what names them may change over time.
    for _ in range(3):
        fresh = _of_rows(session, things) + master_statements.about(session, "", _ids(things))
        known, things = things, things | _named([*about, *fresh], usage_point)
        if known == things:
            break
    books.things = tuple(sorted(things, key=lambda one: (ORDER.index(one[0]), one[1])))
    _fill(session, books)
    _extracts(session, books, systems)
    return books


def _fill(session: Session, books: Books) -> None:
    """Read every book for the things that belong to the usage point."""
    things = set(books.things)
    ids = _ids(things)
    for kind, table, column in TABLES:
        wanted = {one for of, one in things if of == kind} if kind != "installation" else {books.usage_point}
        books.rows[table.name] = belief_sources.versions(session, table, column, wanted)
    said = master_statements.about(session, books.usage_point, ids)
    books.said = [row for row in said if (row["kind"], row["object_id"]) in things]
    books.changes = master_changes.of_usage_point(session, books.usage_point, objects=ids)
    _settle_waiting(session, books.said)
    books.loads = belief_sources.load_files(session)
    books.origins = master_origins.creators(session, ids) if books.loads else {}
    sent = {row["delivery_id"] for row in books.said if row["delivery_id"]}
    books.deliveries = belief_sources.deliveries(session, sent)


def _settle_waiting(session: Session, said: list[Row]) -> None:
    """Say of what waited how its wait ended."""
    waited = {mint("waiting", row["system"], row["message_id"], row["place"]): row for row in said if _waits(row)}
    for waiting_id, found in belief_sources.waits(session, waited).items():
        row = waited[waiting_id]
        row["disposition"] = {"done": "APPLIED", "refused": "REJECTED"}.get(found["state"], "WAITING")
        row["code"], row["reason"] = found["code"], found["reason"]


def _waits(row: Row) -> bool:
    return bool(row["disposition"] == "WAITING")


def _extracts(session: Session, books: Books, systems: Collection[str]) -> None:
    """Read what extracts of systems said of the things, and of which kinds they say everything."""
    things = set(books.things)
    rows = recon_holdings.versions(session, _ids(things))
    books.extracts = [row for row in rows if (row["kind"], row["object_id"]) in things]
    instants = {at for row in books.extracts for at in (row["seen_at"], row["replaced_at"]) if at is not None}
    named = {row["system"] for row in books.extracts}
    books.files = belief_sources.extract_files(session, named, instants)
    books.snapshots = belief_sources.snapshots(session, {*named, *systems})


def _served(session: Session, usage_point: str) -> list[Row]:
    """Return the agreements and installations that ever were at a usage point, as statements are shaped."""
    agreements = belief_sources.versions(session, reference.AGREEMENT, "usage_point", {usage_point})
    hung = belief_sources.versions(session, reference.INSTALLATION, "usage_point", {usage_point})
    lies = belief_sources.versions(session, reference_masters.USAGE_POINT_LOCATION, "usage_point", {usage_point})
    return [
        *({"kind": "agreement", "object_id": row["agreement"], "facts": row} for row in agreements),
        *({"kind": "installation", "object_id": f"{usage_point}/{row['meter']}", "facts": row} for row in hung),
        *({"kind": "usage_point", "object_id": usage_point, "facts": row} for row in lies),
    ]


def _of_rows(session: Session, things: Collection[tuple[str, str]]) -> list[Row]:
    """Return what the hub's versions of agreements and accounts name, as statements are shaped."""
    found: list[Row] = []
    for kind, table, column in (TABLES[5], TABLES[6]):
        ids = {one for of, one in things if of == kind}
        rows = belief_sources.versions(session, table, column, ids)
        found += [{"kind": kind, "object_id": row[column], "facts": row} for row in rows]
    return found


def _named(rows: Iterable[Row], usage_point: str) -> set[tuple[str, str]]:
    """Return the things that rows are about, and those that their facts name, as far as they belong here."""
    found: set[tuple[str, str]] = set()
    for row in rows:
        kind, object_id, facts = row["kind"], row["object_id"], row["facts"]
        if kind not in ORDER or (kind == "installation" and not object_id.startswith(f"{usage_point}/")):
            continue
        if kind in ("usage_point", "topology") and object_id != usage_point:
            continue
        found.add((kind, object_id))
        if kind == "installation":
            found.add(("meter", object_id.partition("/")[2]))
        for named, by in NAMES.get(kind, {}).items():
            if facts.get(named):
                found.add((by, str(facts[named])))
    return found


NAMES = {
    "agreement": {"account": "account"},
    "account": {"customer": "customer"},
    "usage_point": {"location": "location"},
}
"""Which field of which kind names a thing of another kind that belongs to the usage point too."""


def _ids(things: Collection[tuple[str, str]]) -> set[str]:
    return {object_id for _, object_id in things}
