"""Routes and territories as values: what the site file says of who gets what. Nothing here asks anybody."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from canonical.territories import OF_TERRITORY
from flows.routing.verbs import imperative


@dataclass(frozen=True, slots=True)
class Territory:
    """A part of the site that has systems of its own."""

    name: str
    customer_system: str = ""
    """Role of its CIS; empty where it has none."""

    meter_data: str = ""
    """Role of its MDMS."""

    districts: frozenset[str] = frozenset()
    """Districts of the usage points that lie in it."""

    names: tuple[str, ...] = ()
    """Patterns (`N-*`) of mRIDs and names of the usage points that lie in it."""

    created_by: frozenset[str] = frozenset()
    """Roles whose usage points lie in it."""

    def has_name(self, usage_point: str, name: str) -> bool:
        """Return whether one of its patterns is the name of a usage point."""
        return any(fnmatchcase(one, pattern) for one in (usage_point, name) if one for pattern in self.names)

    def is_home_of(self, role: str) -> bool:
        """Return whether what a role creates without a usage point belongs here."""
        return bool(role) and role in {self.customer_system, self.meter_data, *self.created_by}


@dataclass(frozen=True, slots=True)
class Facts:
    """What routes may ask of one object."""

    territory: str = ""
    districts: frozenset[str] = frozenset()
    customer_classes: frozenset[str] = frozenset()
    commodities: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Route:
    """One rule of the chain: what is alike in all that it names goes to its destinations."""

    to: tuple[str, ...]
    """Roles, or `customer_system` and `meter_data` for those of the object's territory."""

    nouns: frozenset[str] = frozenset()
    """Empty here and below: any."""

    verbs: frozenset[str] = frozenset()
    """Imperatives; an announcement (`created`) is meant with them."""

    sources: frozenset[str] = frozenset()
    """Roles that it comes from."""

    territories: frozenset[str] = frozenset()
    districts: frozenset[str] = frozenset()
    customer_classes: frozenset[str] = frozenset()
    commodities: frozenset[str] = frozenset()
    is_last: bool = False
    """Whether routes behind it are not looked at for what it took."""

    def carries(self, noun: str, verb: str, source: str) -> bool:
        """Return whether messages of that kind go by this route at all."""
        return (
            (not self.nouns or noun in self.nouns)
            and (not self.verbs or imperative(verb) in self.verbs)
            and (not self.sources or source in self.sources)
        )

    def fits(self, facts: Facts) -> bool:
        """Return whether an object is one that it carries."""
        return (
            _any(self.territories, (facts.territory,))
            and _any(self.districts, facts.districts)
            and _any(self.customer_classes, facts.customer_classes)
            and _any(self.commodities, facts.commodities)
        )

    @property
    def needs_territory(self) -> bool:
        """Return whether it can be followed only where the object's territory is known."""
        return bool(self.territories) or any(one in OF_TERRITORY for one in self.to)


def _any(wanted: Collection[str], given: Collection[str]) -> bool:
    return not wanted or any(one in wanted for one in given)


@dataclass(frozen=True, slots=True)
class Routes:
    """All that a site says of who gets what."""

    routes: tuple[Route, ...] = ()
    """In the order in which they are looked at."""

    territories: tuple[Territory, ...] = ()
    roles: Mapping[str, str] = field(default_factory=dict)
    """Role that a caller is; who is not in it is its own role."""

    manual: frozenset[str] = frozenset()
    """Roles that the site lacks and a person stands in for."""

    absent: frozenset[str] = frozenset()
    """Roles that the site lacks: nobody is told."""

    queue: str = "integration"
    """Owner of the work that routing makes."""

    def role_of(self, source: str) -> str:
        """Return the role that a sender is."""
        return self.roles.get(source, source)

    def of(self, noun: str, verb: str, source: str) -> tuple[Route, ...]:
        """Return the routes that messages of that kind go by."""
        role = self.role_of(source)
        return tuple(route for route in self.routes if route.carries(noun, verb, role))

    def destinations(self, noun: str, verb: str, source: str, facts: Facts) -> tuple[str, ...]:
        """Return the roles that get an object, each once, in the order of the routes; never where it came from."""
        home = next((one for one in self.territories if one.name == facts.territory), Territory(""))
        own = {"customer_system": home.customer_system, "meter_data": home.meter_data}
        found: dict[str, None] = {}
        for route in self.of(noun, verb, source):
            if not route.fits(facts):
                continue
            found.update(dict.fromkeys(own.get(one, one) for one in route.to))
            if route.is_last:
                break
        return tuple(one for one in found if one and one != self.role_of(source) and one not in self.absent)
