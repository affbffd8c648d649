"""The reply addresses that a site knows: asynchronous answers go to these and nowhere else."""

from collections.abc import Mapping

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
        ca_file = str((site.folder / one.ca_file).resolve()) if one.ca_file else ""
        found[f"{REPLY}{name}"] = Peer(
            one.address,
            EDITIONS[one.edition],
            one.binding,
            one.user,
            secret,
            ca_file,
            packed=one.compressed,
            part_objects=one.part_objects,
        )
    return found


def reply_destinations(site: Site) -> Mapping[str, Destination]:
    """Return the ports of the site's reply addresses, for the relay."""
    return {name: ReplyAddress(peer) for name, peer in reply_peers(site).items()}
