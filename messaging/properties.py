"""Letters as AMQP bodies with properties, and back: a pair."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pika import BasicProperties

from canonical.codes import messaging as codes
from messaging.letters import Letter, Priority

PERSISTENT = 2

RETRIES = "amihub_retries"
"""Header that counts how often a letter was put off."""

CODE, REASON = "amihub_code", "amihub_reason"
"""Headers of a parked letter: why."""

RETURNS, OWN_RETURNS = "x-delivery-count", "amihub_returns"
"""Headers that count how often a letter came back: the quorum queue's own, and ours from before it was moved."""

_BROKERS_WORDS = {"expired": str(codes.LETTER_EXPIRED), "delivery_limit": str(codes.DELIVERED_TOO_OFTEN)}

TEXTS = ("source", "causation_id", "verb", "noun", "schema_version", "lane")
INSTANTS = ("created_at", "effective_at", "expires_at")


def properties_of(letter: Letter) -> BasicProperties:
    """Return the properties with which a letter is published: persistent, and known by its ids."""
    headers: dict[str, Any] = {name: value for name in TEXTS if (value := getattr(letter, name))}
    headers |= {name: value.isoformat() for name in INSTANTS if (value := getattr(letter, name))}
    useful = letter.useful_ms
    return BasicProperties(
        content_type=letter.content_type,
        content_encoding=letter.content_encoding or None,
        headers=headers,
        delivery_mode=PERSISTENT,
        correlation_id=letter.correlation_id or None,
        reply_to=letter.reply_to or None,
        expiration=None if useful is None else str(useful),
        message_id=letter.message_id,
        timestamp=int(letter.created_at.timestamp()) if letter.created_at else None,
    )


def letter_of(body: bytes, properties: BasicProperties, *, priority: Priority) -> Letter:
    """Return the letter that came; total: whatever a stranger put into headers, what cannot be read is left empty."""
    headers: Mapping[str, Any] = properties.headers or {}
    known: dict[str, Any] = {}
    for name, value in headers.items():
        if name in TEXTS:
            known[name] = _text(value)
        elif name in INSTANTS:
            known[name] = _instant(value)
    if known.get("created_at") is None and isinstance(properties.timestamp, int):
        known["created_at"] = _from_seconds(properties.timestamp)
    return Letter(
        body=body,
        message_id=_text(properties.message_id),
        correlation_id=_text(properties.correlation_id),
        reply_to=_text(properties.reply_to),
        content_type=_text(properties.content_type),
        content_encoding=_text(properties.content_encoding).lower(),
        priority=priority,
        **known,
    )


def count(properties: BasicProperties, header: str) -> int:
    """Return a header that counts; 0 where it is not there or no number."""
    value = (properties.headers or {}).get(header, 0)
    return int(value) if isinstance(value, int) and value > 0 else 0


def why_parked(properties: BasicProperties) -> tuple[str, str]:
    """Return code and reason of a parked letter: the hub's, else what the broker's word for why it gave it up means."""
    headers: Mapping[str, Any] = properties.headers or {}
    if headers.get(CODE):
        return _text(headers[CODE]), _text(headers.get(REASON))
    word = _text(headers.get("x-first-death-reason"))
    return _BROKERS_WORDS.get(word, word), _text(headers.get("x-first-death-queue"))


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else ""


def _instant(value: object) -> datetime | None:
    """Return an instant in UTC; None for what is none, or has no offset."""
    try:
        found = datetime.fromisoformat(_text(value))
        return found.astimezone(UTC) if found.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _from_seconds(value: int) -> datetime | None:
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        return None
