"""What a site file may say: sections, keys, types and the rules between them."""

import zoneinfo
from datetime import time
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from canonical.event_kinds import EventKind
from services.files_section import FilesSection
from services.masters_section import MastersSection
from services.masters_section import keys_of as masters_keys
from services.messaging_section import MessagingSection
from services.reconcile_section import ReconcileSection
from services.reconcile_section import keys_of as reconcile_keys
from services.reply_section import ReplySection
from services.role_section import DeliverySection, RoleSection
from services.rollout_section import RolloutSection
from services.rollout_section import keys_of as rollout_keys
from services.routing_sections import SECTIONS as ROUTING
from services.routing_sections import MasterDataSection, RouteSection, SystemKind, TerritorySection
from services.routing_sections import keys_of as routing_keys
from services.subscribers_section import SubscriberSection
from services.subscribers_section import keys_of as subscriber_keys
from services.unbilled_section import UnbilledSection
from services.unbilled_section import keys_of as unbilled_keys


def _zone(name: str) -> str:
    """Return the name of an IANA zone.

    Raises:
        ValueError: there is no such zone.
    """
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"no such IANA time zone: {name!r}") from error
    return name


Zone = Annotated[str, AfterValidator(_zone)]


class _Section(BaseModel):
    """A section whose unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SiteSection(_Section):
    """Who this utility is, and where the hub keeps its own files."""

    name: str
    zone: Zone
    env: Literal["TEST", "PROD", "DEMO"]
    sender: str = Field(pattern=r"^[A-Z0-9]{1,16}$")
    data: str = "var"
    demo_clock: str = ""
    """File of the demo's business clock; a site that names one is a demo."""


class StoreSection(_Section):
    """The hub's database."""

    url: str = "sqlite:///hub.db"


class ClientSection(_Section):
    """A caller of the hub's web services, and how it proves itself."""

    password: str = ""
    tier: Literal["basic", "token", "signature"] = "basic"
    """HTTP Basic, WS-Security digest token, or X.509 signature; all over TLS."""

    certificate: str = ""
    """PEM file of the pinned certificate of a signing caller."""

    replay_detection: bool = False
    """Whether its headers must carry Nonce and Created."""

    policy: Literal["strict", "report", "off"] | None = None
    """What is done with messages that break their schema; as the endpoint says where it is not given."""

    event_dialect: Literal["edition2", "mesh", "firmware", "legacy"] = "edition2"
    """How it tells events of devices: one of the tables of `iec61968/dialects/events.toml`."""

    role: str = ""
    """Role of the site that this caller is; its own name where it is not given."""

    system: SystemKind | Literal[""] = ""
    """Kind of system that it is, for who begins what; that of its role where it is not given."""

    master_data: dict[str, Any] = Field(default_factory=dict)
    """How its master data is to be read, where no role of its own says so (docs/adapters/cis_cim.md)."""

    event_codes: dict[str, EventKind] = Field(default_factory=dict)
    """Event codes of its own, and what they mean; they go before its dialect."""


class ServeSection(_Section):
    """What the hub offers: its web services, always over TLS."""

    host: str = "127.0.0.1"
    port: int = Field(8443, ge=1, le=65535)
    certificate: str
    private_key: str
    client_ca: str = ""
    """PEM file of who vouches for client certificates; given, every caller must show one (mTLS)."""

    edition: Literal["2011", "www", "2017"] = "2011"
    policy: Literal["strict", "report", "off"] = "strict"
    bulk_limit_bytes: int = Field(4 * 1024**3, ge=1)
    """How large a message of readings may be: it is read from a file of the spool, never held."""

    clients: dict[str, ClientSection] = Field(default_factory=dict)
    replies: dict[str, ReplySection] = Field(default_factory=dict)


class OnDemandSection(_Section):
    """Readings that others ask the hub for."""

    meter_data: str
    """Role that is asked."""

    sync_limit: int = Field(20, ge=1)
    bulk_limit: int = Field(5000, ge=1)
    deadline_seconds: float = Field(3600.0, gt=0)
    timeout_seconds: float = Field(30.0, gt=0)
    from_store: bool = False
    """Whether the hub's own store may answer, with source and time, while the role is away."""

    pending_limit: int = Field(1000, ge=1)
    """Unanswered asynchronous requests of one caller."""

    coalesce_seconds: float = Field(60.0, ge=0)
    """How long an answer also serves whoever asks the same; 0: never."""

    search_attempts: int = Field(6, ge=1)
    """How often an object is asked for that nobody knows, where nobody waits."""

    search_interval_seconds: float = Field(600.0, gt=0)


class BillingSection(_Section):
    """One billing interface: its roles, and whatever of its policy differs from the defaults."""

    model_config = ConfigDict(extra="allow", frozen=True)

    customer_system: str
    partner: str = Field(pattern=r"^[A-Z0-9]{1,16}$")
    inboxes: tuple[str, ...]
    meter_data: str = ""
    zone: Zone
    sync_wait_hours: float = Field(0.0, ge=0)
    """How long an item of an unknown usage point waits for reference data; 0: it is rejected at once."""

    timeout_seconds: float = Field(120.0, gt=0)
    """Patience with one question to the meter data system."""

    @property
    def policy_values(self) -> dict[str, Any]:
        """What the interface says of its policy, for `flows.billing_exchange.policy.Policy`."""
        return {**(self.model_extra or {}), "zone": self.zone}


class WorkSection(_Section):
    """Who owns what must be done by a person."""

    owners: dict[str, str] = Field(default_factory=dict)


class SiteModel(_Section):
    """A whole site file."""

    site: SiteSection
    store: StoreSection = StoreSection()
    roles: dict[str, RoleSection]
    serve: ServeSection | None = None
    on_demand_read: OnDemandSection | None = None
    messaging: MessagingSection | None = None
    files: FilesSection | None = None
    billing: dict[str, BillingSection] = Field(default_factory=dict)
    work: WorkSection = WorkSection()
    master_data: MasterDataSection | None = None
    masters: MastersSection | None = None
    reconcile: ReconcileSection | None = None
    subscribers: dict[str, SubscriberSection] = Field(default_factory=dict)
    """Who is told of changes of masters by cursor."""

    territories: dict[str, TerritorySection] = Field(default_factory=dict)
    routes: tuple[RouteSection, ...] = ()
    unbilled: UnbilledSection | None = None
    rollout: RolloutSection | None = None
    lacks: dict[str, Literal["absent", "manual"]] = Field(default_factory=dict)
    """Roles that this site has not: nobody is told, or a person does it and closes the work."""

    @model_validator(mode="after")
    def _roles_exist(self) -> "SiteModel":
        """Check that interfaces name roles of the right kind, and that no two share a partner code."""
        partners: dict[str, str] = {}
        for name, billing in self.billing.items():
            wanted = [("customer_system", billing.customer_system)]
            wanted += [("inboxes", role) for role in billing.inboxes]
            for key, role in wanted:
                if role not in self.roles:
                    raise ValueError(f"billing.{name}.{key} names the role {role!r}, which [roles] does not have")
            if billing.partner in partners:
                raise ValueError(
                    f"billing.{name} and billing.{partners[billing.partner]} share the partner {billing.partner!r}"
                )
            partners[billing.partner] = name
        return self


def known_keys(path: tuple[str, ...]) -> list[str]:
    """Return the keys that may stand in the section at `path`, for "did you mean"."""
    top: dict[str, type[BaseModel]] = {
        "site": SiteSection, "store": StoreSection, "roles": RoleSection, "serve": ServeSection,
        "on_demand_read": OnDemandSection, "messaging": MessagingSection, "files": FilesSection,
        "billing": BillingSection, "work": WorkSection,
    }  # fmt: skip
    if not path:
        return list(SiteModel.model_fields)
    own = {
        "unbilled": unbilled_keys, "rollout": rollout_keys, "subscribers": subscriber_keys, "masters": masters_keys,
        "reconcile": reconcile_keys,
    }  # fmt: skip
    if path[0] in own:
        return own[path[0]](path)
    if path[0] in ROUTING:
        return routing_keys(path[0], path)
    if path[0] == "roles" and path[2:] == ("delivery",):
        return list(DeliverySection.model_fields)
    return list(top.get(path[0], SiteModel).model_fields)


def minutes_of(clock: str) -> int:
    """Return the minutes since midnight of a local `HH:MM`.

    Raises:
        ValueError: not a time of day.
    """
    parsed = time.fromisoformat(clock)
    return parsed.hour * 60 + parsed.minute
