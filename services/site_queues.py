"""The queues of a site: from the words of its site file to what `messaging` works with."""

from canonical.codes.messaging import MESSAGING_ABSENT
from canonical.errors import MisconfiguredError
from messaging.settings import Messaging
from messaging.topology import Direction, QueueSet, Topology
from services.messaging_section import MessagingSection, Queues
from services.site_file import Site
from services.site_model import ClientSection, ServeSection


def section_of(site: Site) -> MessagingSection:
    """Return the site's section.

    Raises:
        MisconfiguredError: it has none.
    """
    if site.model.messaging is None:
        raise MisconfiguredError("the site file has no [messaging]", code=MESSAGING_ABSENT, where=site.path.name)
    return site.model.messaging


def messaging_of(site: Site) -> Messaging:
    """Return how the site's queues are set up.

    Raises:
        MisconfiguredError: it has none, or the broker's address is not in the environment.
    """
    own = section_of(site)
    topology = Topology(
        sets=tuple(_sets(own)),
        retry_s=own.retry_seconds,
        retries=own.retries,
        delivery_limit=own.delivery_limit,
        queue_type=own.queue_type,
    )
    return Messaging(
        topology=topology,
        url="" if own.broker == "embedded" else str(site.secret(own.broker, ("messaging", "broker"))),
        file=(site.data / own.file).resolve(),
        ca_file=str((site.folder / own.ca_file).resolve()) if own.ca_file else "",
        window=own.window,
        prefetch=own.prefetch,
        workers=own.workers,
        timeout_s=own.timeout_seconds,
    )


def _sets(own: MessagingSection) -> list[QueueSet]:
    named: list[tuple[Direction, str, Queues]] = [("in", name, one) for name, one in own.inbound.items()]
    named += [("out", name, one) for name, one in own.outbound.items()]
    return [
        QueueSet(name, direction, {"high": one.useful_seconds_high, "normal": one.useful_seconds}, one.longest)
        for direction, name, one in named
    ]


def callers_of(site: Site) -> ServeSection:
    """Return the partners of the inbound queues as callers, as the endpoint's receiver knows them.

    Their queue has proven who they are, so none has a secret. Addresses for asynchronous answers are the endpoint's.
    """
    own, serve = section_of(site), site.model.serve
    clients = {
        name: ClientSection(policy=one.policy, event_dialect=one.event_dialect, event_codes=one.event_codes)
        for name, one in own.inbound.items()
    }
    return ServeSection(
        certificate="",
        private_key="",
        edition=own.edition,
        policy=own.policy,
        clients=clients,
        replies=serve.replies if serve else {},
    )
