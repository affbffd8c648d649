"""Who is calling: HTTP Basic, WS-Security digest tokens, signatures; nonces are good once, inside a window."""

import base64
import binascii
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha1
from threading import Lock
from typing import Literal

from lxml import etree

from canonical.codes import message as codes
from canonical.errors import RejectedError
from iec61968.envelope import child_text, local_name
from iec61968.validation import Policy

Tier = Literal["basic", "token", "signature"]
"""How a caller proves itself; TLS, with client certificates where the site asks for them, is below all three."""


@dataclass(frozen=True, slots=True)
class Client:
    """One caller, and what its messages must show."""

    password: str = field(default="", repr=False)
    tier: Tier = "basic"
    certificate: bytes = b""
    """PEM of the pinned certificate of a signing caller."""

    replay_detection: bool = False
    """Whether its headers must carry ReplayDetection."""

    policy: Policy | None = None
    """What is done with its messages that break their schema; None: as the endpoint says."""


Clients = Mapping[str, str | Client]
"""Callers by user; a text is the password of a caller that uses HTTP Basic."""


class NonceCache:
    """Remembers nonces as long as their Created could still be inside the window; usable by many threads."""

    def __init__(self, *, window_s: float = 300.0, capacity: int = 100_000) -> None:
        """Take nonces whose Created is at most `window_s` seconds away from the present, at most `capacity` at once."""
        self._window = timedelta(seconds=window_s)
        self._capacity = capacity
        self._seen: dict[tuple[str, str], datetime] = {}
        self._lock = Lock()

    def take(self, user: str, nonce: str, created: datetime, *, now: datetime, where: str) -> None:
        """Note a nonce of a user; `now` is machine time.

        Raises:
            RejectedError: it came before, its Created is outside the window, or the cache is full (MESSAGE_REPLAYED).
        """
        if not nonce or abs(now - created) > self._window:
            raise RejectedError("Created is outside the window", code=codes.MESSAGE_REPLAYED, where=where)
        with self._lock:
            for key in [key for key, until in self._seen.items() if until < now] if self._is_crowded() else ():
                del self._seen[key]
            if (user, nonce) in self._seen and self._seen[user, nonce] >= now:
                raise RejectedError("the nonce came before", code=codes.MESSAGE_REPLAYED, where=where)
            if len(self._seen) >= self._capacity:
                raise RejectedError("too many nonces at once", code=codes.MESSAGE_REPLAYED, where=where)
            self._seen[user, nonce] = created + self._window

    def _is_crowded(self) -> bool:
        return len(self._seen) >= self._capacity // 2


def client_of(clients: Clients, user: str) -> Client:
    """Return what is known of a caller."""
    found = clients[user]
    return Client(found) if isinstance(found, str) else found


def caller_of(authorization: str, clients: Clients) -> str | None:
    """Return the user that an Authorization header proves, or None; callers of a higher tier are not proven by it.

    Known and unknown users take the same time.
    """
    user, password = _basic(authorization)
    known = client_of(clients, user) if user in clients else None
    # An unknown user is compared too, with itself made wrong, so that time does not tell users apart.
    stored = known.password if known is not None and known.password else password + "x"
    same = hmac.compare_digest(password.encode(), stored.encode())
    return user if same and known is not None and known.tier == "basic" else None


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


def password_digest(password: str, nonce: bytes, created: str) -> str:
    """Return the digest of a UsernameToken (OASIS UsernameToken Profile 1.1, 3.1, which fixes SHA-1)."""
    made = sha1(nonce + created.encode() + password.encode())  # noqa: S324 - the profile names the algorithm
    return base64.b64encode(made.digest()).decode("ascii")


def token_caller(security: etree._Element, clients: Clients, nonces: NonceCache, *, now: datetime) -> str:
    """Return the user that a UsernameToken with a digest proves; `now` is machine time.

    Raises:
        RejectedError: no such user, a wrong digest (WRONG_CREDENTIALS), or one that was used (MESSAGE_REPLAYED).
    """
    where = "/Envelope/Header/Security/UsernameToken"
    token = next((child for child in security if local_name(child) == "UsernameToken"), None)
    if token is None:
        raise RejectedError("no UsernameToken", code=codes.WRONG_CREDENTIALS, where=where)
    user, created = child_text(token, "Username"), child_text(token, "Created")
    given = next((child for child in token if local_name(child) == "Password"), None)
    known = client_of(clients, user) if user in clients else None
    try:
        nonce = base64.b64decode(child_text(token, "Nonce"), validate=True)
        instant = _instant(created)
    except (binascii.Error, ValueError, OverflowError) as error:
        raise RejectedError("unreadable token", code=codes.WRONG_CREDENTIALS, where=where) from error
    is_digest = given is not None and given.get("Type", "").endswith("#PasswordDigest")
    expected = password_digest(known.password if known else "", nonce, created)
    same = hmac.compare_digest(expected, (given.text or "").strip() if given is not None else "")
    if known is None or known.tier != "token" or not known.password or not is_digest or not same:
        raise RejectedError("no valid token", code=codes.WRONG_CREDENTIALS, where=where)
    nonces.take(user, f"token {nonce.hex()}", instant, now=now, where=where)
    return user


def _instant(text: str) -> datetime:
    """Return an instant in UTC.

    Raises:
        ValueError: it is none, or has no offset.
        OverflowError: its offset leads out of the calendar.
    """
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(text)
    return instant.astimezone(UTC)
