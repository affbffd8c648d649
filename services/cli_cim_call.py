"""`amihub cim call` and `amihub cim support`: one message to a partner by hand, and who takes what at this site."""

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
    binding: Annotated[str, typer.Option(help="typed, generic, string or bare.")] = "typed",
    edition: Annotated[str, typer.Option(help="2011, www or 2017; a role's own where it has one.")] = "",
    user: Annotated[str, typer.Option(help="User; a role's own where it has one.")] = "",
    password: Annotated[str, typer.Option(envvar="AMIHUB_CALL_PASSWORD", help="Taken from the environment.")] = "",
    ca_file: Annotated[str, typer.Option(help="PEM of who may vouch for the server.")] = "",
    timeout_s: Annotated[float, typer.Option("--timeout", help="Seconds.")] = 30.0,
) -> None:
    """Send one message to ENDPOINT and print the reply; exit code 0 for OK, 1 for anything else."""
    from lxml import etree

    from iec61968.message_client import exchange
    from iec61968.message_writer import message_to_xml
    from services.clock import machine_now

    given = {"edition": edition, "user": user, "password": password, "ca_file": ca_file}
    peer = _peer(endpoint, noun, binding, verb, {name: value for name, value in given.items() if value})
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


def _peer(endpoint: str, noun: str, binding: str, verb: str, given: dict[str, str]) -> "Peer":
    """Return whom to call: an address, or a role of the site with its settings.

    Raises:
        MisconfiguredError: the site has no such role, or the role has no address.
    """
    from iec61968.editions import EDITIONS
    from iec61968.message_client import Peer
    from services.site_file import load_site

    if "://" in endpoint and not endpoint.startswith("https://"):
        raise typer.BadParameter("an address must begin with https://")
    settings: dict[str, str] = {}
    url = endpoint
    if not endpoint.startswith("https://"):
        site = load_site()
        role = site.model.roles.get(endpoint)
        if role is None:
            raise MisconfiguredError(f"no role {endpoint!r}", code=ROLE_ABSENT, where=site.where(("roles",)))
        settings = {
            name: str(value) for name, value in site.secret(role.settings, ("roles", endpoint, "settings")).items()
        }
        if settings.get("ca_file"):
            settings["ca_file"] = str((site.folder / settings["ca_file"]).resolve())
        url = settings.get("url" if verb == "get" else "events_url") or settings.get("url", "")
        if not url:
            raise MisconfiguredError(f"role {endpoint!r} has no url", code=ROLE_ABSENT)
    own = {**settings, **given}
    chosen = own.get("edition", "2011")
    if binding not in ("typed", "generic", "string", "bare") or chosen not in EDITIONS:
        raise typer.BadParameter(f"binding {binding!r}, edition {chosen!r}")
    words: Any = binding
    return Peer(
        url,
        EDITIONS[chosen],
        words,
        own.get("user", ""),
        own.get("password", ""),
        own.get("ca_file", ""),
    )
