"""Who is calling: HTTP Basic over TLS, compared in constant time."""

import base64
import binascii
import hmac
from collections.abc import Mapping


def caller_of(authorization: str, clients: Mapping[str, str]) -> str | None:
    """Return the user that an Authorization header proves, or None.

    `clients` maps user to password. Known and unknown users take the same time.
    """
    user, password = _basic(authorization)
    expected = clients.get(user)
    # An unknown user is compared too, with itself made wrong, so that time does not tell users apart.
    stored = expected if expected is not None else password + "x"
    same = hmac.compare_digest(password.encode(), stored.encode())
    return user if same and expected is not None else None


def _basic(authorization: str) -> tuple[str, str]:
    """Return user and password of a Basic header; empty ones when there is none or it cannot be read."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    user, _, password = text.partition(":")
    return user, password
