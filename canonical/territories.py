"""Words that stand for a role where each territory of a site has a system of its own."""

from typing import Literal

TerritoryRole = Literal["customer_system", "meter_data"]

OF_TERRITORY: tuple[TerritoryRole, ...] = ("customer_system", "meter_data")
"""Destinations of a route that mean the system of the object's territory."""

BY_TERRITORY = "by territory"
"""Who is asked for readings: the MDMS of each usage point's territory."""
