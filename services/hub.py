"""The only composition root: a site becomes ports, transactions, clocks and interfaces.

with open_hub() as hub:
    flow.advance(hub.billing("mass"), batch, meter_data=hub.port("mdms"), transaction=hub.transaction, now=hub.now())
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from adapters import registry
from canonical.codes.configuration import INTERFACE_UNKNOWN, ROLE_ABSENT
from canonical.errors import MisconfiguredError
from canonical.ports import Destination
from canonical.territories import BY_TERRITORY
from flows.billing_exchange import Interface
from flows.delivery import DeliveryPolicy
from services.billing_interfaces import billing_interface
from services.clock import Clock, demo_clock, machine_now
from services.delivery_policy import delivery_policy
from services.site_file import Site, load_site
from services.site_queues import messaging_of
from store.session import Transaction, open_engine, transactions

PATH_SETTINGS = (
    *("private_key", "ca_file", "client_certificate", "layout_file"),
    *("signing_key", "signing_certificate"),
)
"""Adapter settings that name files: relative ones start at the site file's folder."""


class Hub:
    """What one process of the hub works with. Ports are made when first asked for and kept."""

    def __init__(self, site: Site) -> None:
        """Compose the hub of a site; nothing is opened before it is used."""
        self.site = site
        self._ports: dict[str, Any] = {}

    @cached_property
    def transaction(self) -> Transaction:
        """Opener of short write transactions on the hub's database."""
        self._engine = open_engine(self.site.store_url)
        return transactions(self._engine)

    @cached_property
    def spool(self) -> Path:
        """Folder of archived files, drops and whatever is too large for the database."""
        folder = self.site.data / "spool"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @cached_property
    def _clock(self) -> Clock:
        named = self.site.model.site.demo_clock
        return demo_clock(self.site.folder / named) if named else machine_now

    def now(self) -> datetime:
        """Return business time: wall time, or the demo's."""
        return self._clock()

    def machine_now(self) -> datetime:
        """Return the machine's time, always real."""
        return machine_now()

    def port(self, role: str) -> Any:
        """Return the adapter that speaks for a role.

        Raises:
            MisconfiguredError: the site has no such role, its adapter cannot be built, or a secret is missing.
        """
        if role not in self._ports:
            section = self.site.model.roles.get(role)
            if section is None:
                raise MisconfiguredError(
                    f"this site has no role {role!r}; it has {', '.join(self.site.model.roles)}",
                    code=ROLE_ABSENT,
                    where=self.site.where(("roles",)),
                )
            settings = self.site.secret(section.settings, ("roles", role, "settings"))
            for key in PATH_SETTINGS:
                if settings.get(key):
                    settings[key] = str((self.site.folder / str(settings[key])).resolve())
            keys = settings.get("pgp")
            if isinstance(keys, dict) and keys.get("home"):
                keys["home"] = str((self.site.folder / str(keys["home"])).resolve())
            if settings.get("tier") in ("token", "signature"):
                settings["machine_now"] = machine_now
            if settings.get("queue"):
                settings["messaging"] = messaging_of(self.site)
            self._ports[role] = registry.load(section.adapter, settings)
        return self._ports[role]

    def meter_data(self, name: str) -> Any:
        """Return who is asked for readings: a role's port, or the MDMS of each usage point's territory.

        Raises:
            MisconfiguredError: as `port` does.
        """
        if name != BY_TERRITORY:
            return self.port(name)
        from services.site_routing import questions_by_territory

        return questions_by_territory(self.site.model, port=self.port, transaction=self.transaction, now=self.now)

    def destinations(self) -> Mapping[str, Destination]:
        """Return every role's port, and every reply address of the site, for the relay."""
        from services.cim_reply_addresses import reply_destinations

        return {**{role: self.port(role) for role in self.site.model.roles}, **reply_destinations(self.site)}

    def delivery_policies(self) -> Mapping[str, DeliveryPolicy]:
        """Return how each role's deliveries are paced and retried, as `[roles.NAME.delivery]` says."""
        return {role: delivery_policy(section.delivery) for role, section in self.site.model.roles.items()}

    def billing(self, interface: str) -> Interface:
        """Return one billing interface with its policy.

        Raises:
            MisconfiguredError: the site defines no such interface.
        """
        if interface not in self.site.model.billing:
            raise MisconfiguredError(
                f"no billing interface {interface!r}; this site has {', '.join(self.site.billing_interfaces)}",
                code=INTERFACE_UNKNOWN,
                where=self.site.where(("billing",)),
            )
        return billing_interface(self.site, interface)

    def close(self) -> None:
        """Give the database's connections back."""
        if "transaction" in self.__dict__:
            self._engine.dispose()


@contextmanager
def open_hub(site: Site | None = None) -> Iterator[Hub]:
    """Open the hub of `site`, or of the file that AMIHUB_SITE names.

    Raises:
        MisconfiguredError: the site file is missing or wrong.
    """
    hub = Hub(site or load_site())
    try:
        yield hub
    finally:
        hub.close()
