"""Addresses of partners: never with user or password in them, and never whole where people read of an error."""

import re
from urllib.parse import urlsplit

from canonical.codes.configuration import BAD_ADAPTER_SETTINGS
from canonical.errors import MisconfiguredError

_WHY = re.compile(r"certificate verify failed: ([^(\n]+?) *\(|\[SSL: ([A-Z0-9_]+)\]|alert ([a-z ]+)")


def require_plain(url: str, *, where: str = "") -> None:
    """Refuse an address that carries user or password: it would be shown wherever the address is.

    Raises:
        MisconfiguredError: it does (BAD_ADAPTER_SETTINGS); the message does not repeat it.
    """
    if "@" in url.partition("://")[2].split("/")[0].split("?")[0]:
        reason = "an address must not carry user or password: they belong into settings of their own"
        raise MisconfiguredError(reason, code=BAD_ADAPTER_SETTINGS, where=where)


def place(url: str) -> str:
    """Return an address as it may be shown: without user, password, query and fragment."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "an address that cannot be read"
    host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{host}{f':{port}' if port else ''}{parts.path}" if host else ""


def tls_reason(error: BaseException) -> str:
    """Return why TLS failed, without the address and its query, which the HTTP library writes into its message."""
    found = _WHY.search(str(error))
    return next((text for text in found.groups() if text), "") if found else type(error).__name__
