"""The reply addresses that a site knows: asynchronous answers go to these and nowhere else."""

from collections.abc import Mapping
from pathlib import Path

from canonical.codes.configuration import SECRET_MISSING
from canonical.errors import MisconfiguredError
from canonical.ports import Destination
from iec61968.editions import EDITIONS
from iec61968.message_client import Peer
from services.cim_replies import ReplyAddress
from services.cim_requests import REPLY
from services.site_file import Site


def reply_peers(site: Site) -> dict[str, Peer]:
    """Return the reply addresses of the site by the name of their destination."""
    section = site.model.serve
    found = {}
    for name, one in (section.replies if section else {}).items():
        secret = str(site.secret(one.password, ("serve", "replies", name, "password")))
        path = ("serve", "replies", name)
        key, shown = (_pem(site, word, (*path, "signing_key")) for word in (one.signing_key, one.signing_certificate))
        found[f"{REPLY}{name}"] = Peer(
            one.address,
            EDITIONS[one.edition],
            one.binding,
            one.user,
            secret,
            _file(site, one.ca_file),
            client_certificate=_file(site, one.client_certificate),
            signing_key=key,
            signing_certificate=shown,
            tier=one.tier,
            packed=one.compressed,
            part_objects=one.part_objects,
        )
    return found


def _file(site: Site, name: str) -> str:
    """Return where a file of the site lies, empty where none is named."""
    return str((site.folder / name).resolve()) if name else ""


def _pem(site: Site, name: str, path: tuple[str, ...]) -> bytes:
    """Return a PEM file of the site, nothing where none is named.

    Raises:
        MisconfiguredError: it cannot be read, or the variable that names it is not set.
    """
    file = _file(site, str(site.secret(name, path)))
    try:
        return Path(file).read_bytes() if file else b""
    except OSError as error:
        reason = f"{'.'.join(path)}: {error.strerror}"
        raise MisconfiguredError(reason, code=SECRET_MISSING, where=site.where(path)) from error


def reply_destinations(site: Site) -> Mapping[str, Destination]:
    """Return the ports of the site's reply addresses, for the relay."""
    return {name: ReplyAddress(peer) for name, peer in reply_peers(site).items()}
