"""In which territory does an object lie: by what its master says of its usage point, else by who created it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from canonical.codes.linkage import TERRITORY_AMBIGUOUS, TERRITORY_UNKNOWN
from canonical.errors import ErrorCode
from canonical.metering import UsagePoint
from flows.routing.routes import Facts, Routes, Territory
from store import master_origins, reference_book
from store.reference_book import ReferenceBook
from store.session import Session


@dataclass(frozen=True, slots=True)
class Subject:
    """One object of a message, as far as routing looks at it."""

    usage_points: tuple[str, ...] = ()
    """mRIDs of the usage points that it is about."""

    meters: tuple[str, ...] = ()
    """mRIDs of meters: where they hang counts where no usage point is named."""

    kind: str = ""
    """Master that it belongs to, such as `customer`, where it has no usage point."""

    object_id: str = ""

    @property
    def label(self) -> str:
        """Return what people know it by."""
        return next((one for one in (*self.usage_points, *self.meters, self.object_id) if one), "")


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why nobody can say to whom an object goes."""

    code: ErrorCode
    reason: str
    is_work: bool = True
    """False: it lies nowhere yet, such as a meter in stock, and nobody need look at it."""


@dataclass(frozen=True, slots=True)
class Atlas:
    """What masters say of some usage points, and who created them: looked up once for all objects of a message."""

    points: frozenset[str]
    book: ReferenceBook
    creators: Mapping[tuple[str, str], str]
    gone: Mapping[str, UsagePoint]
    """Usage points that were taken back: whoever was told of them is told that, too."""

    def version(self, usage_point: str, at: datetime) -> UsagePoint | None:
        """Return the version of a usage point at an instant, else the nearest, else what was known of it last."""
        versions = self.book.usage_points.get(usage_point, ())
        begun = [one for one in versions if one.valid_from <= at]
        if not versions:
            return self.gone.get(usage_point)
        return begun[-1] if begun else versions[0]


def open_atlas(session: Session, usage_points: Iterable[str]) -> Atlas:
    """Return what is known now of some usage points."""
    points = frozenset(usage_points)
    book = reference_book.open_book(session, points)
    gone = reference_book.last_known(session, points - book.usage_points.keys())
    return Atlas(points, book, master_origins.creators(session, points), gone)


def territories_of(
    session: Session, usage_points: Sequence[str], *, routes: Routes, at: datetime, atlas: Atlas | None = None
) -> dict[str, Territory | Trouble]:
    """Return the territory of each usage point at an instant, by mRID; where it is none or two, why."""
    known = atlas or open_atlas(session, usage_points)
    return {
        one: _territory(one, known.version(one, at), known.creators.get(("usage_point", one), ""), routes)
        for one in usage_points
    }


def facts_of(
    session: Session, subject: Subject, *, routes: Routes, source: str, at: datetime, atlas: Atlas | None = None
) -> Facts | Trouble:
    """Return what routes may ask of an object; `source` is who tells of it.

    An object of several usage points lies where all of them lie. An `atlas` that has them all saves looking them up.
    """
    points = subject.usage_points or _hung(session, subject.meters, at)
    if not points:
        return _without_usage_point(session, subject, routes, source)
    known = atlas if atlas is not None and atlas.points.issuperset(points) else open_atlas(session, points)
    found = territories_of(session, points, routes=routes, at=at, atlas=known)
    homes = {one.name for one in found.values() if isinstance(one, Territory)}
    troubles = [one for one in found.values() if isinstance(one, Trouble)]
    if routes.territories and troubles:
        return troubles[0]
    if len(homes) > 1:
        return Trouble(TERRITORY_AMBIGUOUS, f"{subject.label} reaches over {', '.join(sorted(homes))}")
    return _facts(points, known, next(iter(homes), ""), at)


def _facts(points: Sequence[str], atlas: Atlas, home: str, at: datetime) -> Facts:
    """Return what masters say of the usage points of one object."""
    versions = [one for one in (atlas.version(point, at) for point in points) if one is not None]
    agreements = [agreement for point in points for agreement in atlas.book.agreements.get(point, ())]
    return Facts(
        territory=home,
        districts=frozenset(one.district for one in versions if one.district),
        customer_classes=frozenset(
            one.customer_class for one in agreements if one.valid_to is None or one.valid_to > at
        ),
        commodities=frozenset(one.commodity for one in versions),
    )


def _hung(session: Session, meters: Sequence[str], at: datetime) -> tuple[str, ...]:
    """Return the usage points at which meters hang at an instant, or hung last before it."""
    found: dict[str, None] = {}
    for installations in reference_book.installations_of_meters(session, set(meters)).values():
        begun = [one for one in installations if one.installed_at <= at] or list(installations)
        found.setdefault(begun[-1].usage_point)
    return tuple(found)


def _without_usage_point(session: Session, subject: Subject, routes: Routes, source: str) -> Facts | Trouble:
    """Return the facts of a customer, an account, a premise or a meter in stock: who created it decides."""
    name = subject.object_id or next(iter(subject.meters), "")
    creator = master_origins.creators(session, {name}).get((subject.kind, name), source)
    homes = [one.name for one in routes.territories if one.is_home_of(routes.role_of(creator))]
    if len(homes) > 1:
        return Trouble(TERRITORY_AMBIGUOUS, f"{creator} belongs to {', '.join(homes)}")
    if not homes and routes.territories:
        return Trouble(TERRITORY_UNKNOWN, f"{subject.label} is at no usage point", is_work=False)
    return Facts(territory=homes[0] if homes else "")


def _territory(usage_point: str, known: UsagePoint | None, creator: str, routes: Routes) -> Territory | Trouble:
    """Return the one territory: by its name, else its district, else who created it; the first that says anything."""
    if known is None:
        return Trouble(TERRITORY_UNKNOWN, f"no master has told of usage point {usage_point}")
    rules: Mapping[str, list[Territory]] = {
        "name": [one for one in routes.territories if one.has_name(usage_point, known.name)],
        "district": [one for one in routes.territories if known.district and known.district in one.districts],
        "creator": [one for one in routes.territories if routes.role_of(creator) in one.created_by],
    }
    for rule, found in rules.items():
        if len(found) > 1:
            both = ", ".join(one.name for one in found)
            return Trouble(TERRITORY_AMBIGUOUS, f"usage point {usage_point} lies in {both} by its {rule}")
        if found:
            return found[0]
    return Trouble(TERRITORY_UNKNOWN, f"usage point {usage_point} of district {known.district!r} lies in no territory")
