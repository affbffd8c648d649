"""Who a caller is: the role of the site for which somebody calls a web service or writes into a queue."""

from services.site_model import SiteModel


def role_of(model: SiteModel, caller: str) -> str:
    """Return the role that a caller is; its own name where the site says no other.

    Who writes into an inbound queue is the role that is told by the outbound queue of the same name.
    """
    client = model.serve.clients.get(caller) if model.serve else None
    if client is not None and client.role:
        return client.role
    if caller in model.roles or model.messaging is None or caller not in model.messaging.inbound:
        return caller
    return next((role for role, one in model.roles.items() if one.settings.get("queue") == caller), caller)
