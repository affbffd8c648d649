"""`amihub cim call` and `amihub cim support`: one message to a partner by hand, and who takes what at this site."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from canonical.codes.configuration import ROLE_ABSENT
from canonical.errors import MisconfiguredError
from canonical.ids import mint

if TYPE_CHECKING:
    from iec61968.message_client import Peer
    from iec61968.wire import WireMessage


def support_command() -> None:
    """Print noun, verb and owner: OK is only said for what a flow or a route takes, all else is refused by code."""
    from services.cim_owners import table
    from services.site_checks import sections_of
    from services.site_file import load_site
    from services.site_routing import routed

    model = load_site().model
    for noun, verb, owner in table(sections_of(model), routed(model)):
        typer.echo(f"{noun:28} {verb:9} {owner}")


def call_command(
    endpoint: Annotated[str, typer.Argument(help="A role of the site, or an https:// address.", show_default=False)],
    noun: Annotated[str, typer.Option(help="Such as MeterReadings; for a query without Get.")],
    verb: Annotated[str, typer.Option(help="Verb of IEC 61968-100, such as get or created.")],
    payload: Annotated[Path | None, typer.Option(help="File with the payload or query element.")] = None,
    binding: Annotated[str, typer.Option(help="typed, generic, string or bare; a role's own where it has one.")] = "",
    edition: Annotated[str, typer.Option(help="2011, www or 2017; a role's own where it has one.")] = "",
    user: Annotated[str, typer.Option(help="User; a role's own where it has one.")] = "",
    password: Annotated[str, typer.Option(envvar="AMIHUB_CALL_PASSWORD", help="Taken from the environment.")] = "",
    ca_file: Annotated[str, typer.Option(help="PEM of who may vouch for the server.")] = "",
    timeout_s: Annotated[float, typer.Option("--timeout", help="Seconds.")] = 30.0,
) -> None:
    """Send one message to ENDPOINT and print the reply; exit code 0 for OK, 1 for anything else."""
    from lxml import etree

    from iec61968.bindings import BINDINGS
    from iec61968.editions import EDITIONS
    from iec61968.message_client import exchange
    from iec61968.message_writer import message_to_xml
    from services.clock import machine_now

    if binding not in ("", *BINDINGS) or edition not in ("", *EDITIONS):
        raise typer.BadParameter(f"binding {binding!r}, edition {edition!r}")
    given: dict[str, Any] = {"binding": binding, "edition": EDITIONS.get(edition), "user": user, "password": password}
    own = {name: value for name, value in {**given, "ca_file": ca_file}.items() if value}
    peer = replace(_peer(endpoint, noun, verb), **own)
    now = machine_now()
    message, typed = _message(noun, verb, payload, now)
    answer = exchange(peer, message, typed=typed, timeout_s=timeout_s, machine_now=now)
    root = message_to_xml(answer, edition=peer.edition)
    typer.echo(etree.tostring(root, pretty_print=True, encoding="unicode").rstrip())
    if answer.reply is None or answer.reply.result != "OK":
        raise typer.Exit(1)


def _message(noun: str, verb: str, payload: Path | None, now: datetime) -> "tuple[WireMessage, str]":
    """Return the message to send and the noun of its typed messages."""
    from iec61968 import safe_xml
    from iec61968.inbound import PARTICIPLES
    from iec61968.spoken_nouns import QUERY_MESSAGES
    from iec61968.wire import WireHeader, WireMessage, WirePayload, WireRequest

    parts: tuple[Any, ...] = ()
    if payload is not None:
        parts = (safe_xml.parse(payload.read_bytes(), where=payload.name),)
    identity = mint("call-by-hand", noun, verb, now.isoformat())
    plain = noun.removeprefix("Get") if verb == "get" else noun
    header = WireHeader(verb, plain, identity, identity, now, source="AMIHUB")
    if verb == "get":
        query = f"Get{plain}"
        typed = query if query in QUERY_MESSAGES else plain
        return WireMessage("request", header, query, WireRequest(parts=parts)), typed
    name = f"{verb.capitalize()}{noun}"
    kind: Any = "event" if verb in PARTICIPLES else "request"
    return WireMessage(kind, header, name, payload=WirePayload(parts)), noun


def _peer(endpoint: str, noun: str, verb: str) -> "Peer":
    """Return whom to call: an address, or a role of the site with its settings.

    Raises:
        MisconfiguredError: the site has no such role, or the role has no address.
    """
    from iec61968.editions import EDITIONS
    from iec61968.message_client import Peer

    if endpoint.startswith("https://"):
        return Peer(endpoint, EDITIONS["2011"])
    if "://" in endpoint:
        raise typer.BadParameter("an address must begin with https://")
    return _role(endpoint, noun, verb)


def _role(name: str, noun: str, verb: str) -> "Peer":
    """Return a role of the site at the address of the service that takes the message.

    Raises:
        MisconfiguredError: there is no such role, or it is not spoken to over IEC 61968-100.
    """
    from iec61968.editions import EDITIONS
    from iec61968.message_client import Peer
    from iec61968.partner import address_of
    from iec61968.partner_settings import partner_from
    from services.clock import machine_now
    from services.hub import PATH_SETTINGS
    from services.site_file import load_site

    site = load_site()
    role = site.model.roles.get(name)
    if role is None:
        raise MisconfiguredError(f"no role {name!r}", code=ROLE_ABSENT, where=site.where(("roles",)))
    settings: dict[str, Any] = dict(site.secret(role.settings, ("roles", name, "settings")))
    for key in PATH_SETTINGS:
        if settings.get(key):
            settings[key] = str((site.folder / str(settings[key])).resolve())
    if not settings.get("url"):
        raise MisconfiguredError(f"role {name!r} has no url", code=ROLE_ABSENT)
    if "events_url" not in settings:
        partner = partner_from({**settings, "machine_now": machine_now}, where=f"roles.{name}.settings")
        return replace(partner.peer, url=address_of(_service(noun, verb), partner))
    url = str(settings["url" if verb == "get" else "events_url"])
    words: dict[str, Any] = {key: str(settings.get(key, "")) for key in ("user", "password", "ca_file")}
    return Peer(url, EDITIONS[str(settings.get("edition", "2011"))], **words)


def _service(noun: str, verb: str) -> str:
    """Return the service that takes a verb of a noun."""
    from iec61968.inbound import PARTICIPLES

    if verb == "get":
        return f"Get{noun.removeprefix('Get')}"
    return f"{'Receive' if verb in PARTICIPLES else 'Execute'}{noun}"
