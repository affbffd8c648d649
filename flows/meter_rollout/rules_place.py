"""Where the work was done: EX05 of domain 2.4."""

import re
from decimal import Decimal
from math import asin, cos, radians, sin, sqrt

from flows.meter_rollout.facts import Facts

EARTH_M = 6_371_000
"""Mean radius of the earth."""


def premise_mismatch(facts: Facts) -> str:
    """EX05: usage point, order, name, address or position of the completion do not belong together."""
    done = facts.completion
    if facts.point is None:
        return f"nobody has told of a usage point {facts.usage_point}"
    named = facts.named_order
    if named is not None and named["usage_point"] != facts.usage_point:
        return f"order {done.order} is for usage point {named['usage_point']}"
    if done.usage_point and done.usage_point_name and done.usage_point_name != facts.point["name"]:
        return f"usage point {done.usage_point} is called {facts.point['name']}, not {done.usage_point_name}"
    return _address(facts) or _position(facts)


def _address(facts: Facts) -> str:
    """Return that house number or street are not those of the premise; the addresses themselves are personal."""
    place = facts.place
    if place is None or not facts.completion.address or not place.street:
        return ""
    said = set(_words(facts.completion.address))
    if place.number and not set(_words(place.number)) <= said:
        return "the house number that the crew wrote is not that of the premise"
    long_words = [word for word in _words(place.street) if len(word) > 2] or _words(place.street)
    if not said.intersection(long_words):
        return "the street that the crew wrote is not that of the premise"
    return ""


def _position(facts: Facts) -> str:
    place, done = facts.place, facts.completion
    if place is None or place.seen is None or done.latitude is None or done.longitude is None:
        return ""
    apart = meters_between((done.latitude, done.longitude), place.seen)
    if apart <= facts.policy.gps_meters:
        return ""
    return f"the crew was {apart} m away from where the usage point was found before"


def meters_between(one: tuple[Decimal, Decimal], other: tuple[Decimal, Decimal]) -> int:
    """Return the distance of two positions (latitude, longitude in WGS 84 degrees) on the sphere, in whole meters."""
    lat1, lon1, lat2, lon2 = (radians(float(one)) for one in (*one, *other))
    half = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin((lon2 - lon1) / 2) ** 2
    return round(2 * EARTH_M * asin(sqrt(min(half, 1))))


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())
