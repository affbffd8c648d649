"""Routes that people walk to read meters: handed out by day, read back, and never taken for the new meter's reads."""

from flows.manual_route.calendar import hand_out, routes_due
from flows.manual_route.certification import certified
from flows.manual_route.extraction import Extraction, extract
from flows.manual_route.policy import RoutePolicy
from flows.manual_route.reads import ManualReadsHandler

__all__ = ["Extraction", "ManualReadsHandler", "RoutePolicy", "certified", "extract", "hand_out", "routes_due"]
