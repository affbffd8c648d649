"""Meters that manufacturers ship: taken into stock and masters, told to systems, blocked, released, brought back."""

from flows.shipments.answers import follow
from flows.shipments.disposal import dispose
from flows.shipments.ending import ended
from flows.shipments.handler import ShipmentHandler
from flows.shipments.policy import ShipmentPolicy
from flows.shipments.releasing import release
from flows.shipments.returns import returned

__all__ = ["ShipmentHandler", "ShipmentPolicy", "dispose", "ended", "follow", "release", "returned"]
