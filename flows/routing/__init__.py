"""Who gets which message: territories and routes of the site file as data, deliveries, and questions by territory."""

from flows.routing.by_territory import ByTerritory
from flows.routing.deliver import Encode, Sending, send
from flows.routing.documents import Parts, pass_on
from flows.routing.routes import Route, Routes, Territory
from flows.routing.territories import Subject, Trouble, territories_of

__all__ = [
    "ByTerritory",
    "Encode",
    "Parts",
    "Route",
    "Routes",
    "Sending",
    "Subject",
    "Territory",
    "Trouble",
    "pass_on",
    "send",
    "territories_of",
]
