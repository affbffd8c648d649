"""Settings of a role that is spoken to over IEC 61968-100, as the site file gives them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args
from urllib.parse import urlsplit

from canonical.codes.configuration import BAD_ADAPTER_SETTINGS
from canonical.errors import MisconfiguredError
from iec61968.bindings import BINDINGS, StringOperation
from iec61968.canonical_nouns.conventions import SETTINGS as READING_SETTINGS
from iec61968.canonical_nouns.conventions import master_data_reading
from iec61968.canonical_nouns.outgoing import Form, Speech
from iec61968.editions import EDITIONS
from iec61968.message_client import Peer
from iec61968.partner import Partner
from iec61968.partner_replies import ALREADY
from iec61968.security import Tier
from iec61968.validation import Policy

_DEFAULTS: Mapping[str, Any] = {
    **{"urls": {}, "user": "", "password": "", "ca_file": "", "client_certificate": "", "signing_key": ""},
    **{"signing_certificate": "", "edition": "2011", "binding": "typed", "tier": "basic", "policy": "strict"},
    **{"form": "request", "sender": "AMIHUB", "context": "", "operation": {}, "already": {}, "machine_now": None},
}
_TEXTS = (
    "user",
    "password",
    "ca_file",
    "client_certificate",
    "signing_key",
    "signing_certificate",
    "sender",
    "context",
)

SETTINGS = ("url", *_DEFAULTS, *READING_SETTINGS)
"""Every setting of which a Partner is made."""

SPEECH = ("edition", "form", "sender", "context", *READING_SETTINGS)
"""Settings that say how a partner is spoken to, whatever carries the messages."""


def speech_from(given: Mapping[str, object], *, where: str) -> Speech:
    """Return how a role is spoken to; settings that say nothing of that are not looked at.

    Raises:
        MisconfiguredError: one has no meaning; `where` names the section.
    """
    values: dict[str, Any] = {**_DEFAULTS, **given}
    for name, known in (("edition", tuple(EDITIONS)), ("form", get_args(Form))):
        if values[name] not in known:
            raise wrong(f"{name} {values[name]!r}, known are {', '.join(known)}", where)
    for name in ("sender", "context"):
        if not isinstance(values[name], str):
            raise wrong(f"{name} {values[name]!r} is no text", where)
    conventions = master_data_reading(given, where=where)
    return Speech(EDITIONS[values["edition"]], values["sender"], conventions, values["form"], values["context"])


def partner_from(given: Mapping[str, object], *, where: str) -> Partner:
    """Return the partner that a role's settings describe; `where` names the section in errors.

    Raises:
        MisconfiguredError: a setting is missing or has no meaning; an address is not https or carries a user.
    """
    values: dict[str, Any] = {**_DEFAULTS, **given}
    _check_words(values, where)
    url = https_address(values.get("url"), "url", where)
    urls = {str(name): https_address(one, f"urls.{name}", where) for name, one in dict(values["urls"]).items()}
    tier, binding = values["tier"], values["binding"]
    if tier == "basic" and not (values["client_certificate"] or (values["user"] and values["password"])):
        raise wrong("user and password, or client_certificate, are missing", where)
    if tier == "token" and not (values["user"] and values["password"]):
        raise wrong("tier `token` needs user and password", where)
    if tier != "basic" and binding == "bare":
        raise wrong(f"tier {tier!r} needs SOAP, which binding `bare` is not", where)
    if tier != "basic" and values["machine_now"] is None:
        raise wrong(f"tier {tier!r} needs the machine's time", where)
    edition = EDITIONS[values["edition"]]
    peer = Peer(
        url,
        edition,
        binding,
        user=values["user"],
        password=values["password"],
        ca_file=values["ca_file"],
        client_certificate=values["client_certificate"],
        signing_key=_pem(values["signing_key"], "signing_key", tier, where),
        signing_certificate=_pem(values["signing_certificate"], "signing_certificate", tier, where),
        operation=StringOperation(**values["operation"]),
        policy=values["policy"],
        tier=tier,
    )
    speech = speech_from(given, where=where)
    already = {**ALREADY, **{str(verb): tuple(numbers) for verb, numbers in values["already"].items()}}
    return Partner(peer, speech, urls, already, values["machine_now"])


def _check_words(values: Mapping[str, Any], where: str) -> None:
    """Refuse words that are none of those a setting knows, and tables that are none."""
    words: dict[str, tuple[str, ...]] = {
        "edition": tuple(EDITIONS),
        "binding": BINDINGS,
        "tier": get_args(Tier),
        "policy": get_args(Policy),
        "form": get_args(Form),
    }
    for name, known in words.items():
        if values[name] not in known:
            raise wrong(f"{name} {values[name]!r}, known are {', '.join(known)}", where)
    for name in _TEXTS:
        if not isinstance(values[name], str):
            raise wrong(f"{name} {values[name]!r} is no text", where)
    for name in ("urls", "operation", "already"):
        if not isinstance(values[name], Mapping):
            raise wrong(f"{name} {values[name]!r} is no table", where)
    unknown = sorted(set(values["operation"]) - set(StringOperation.__slots__))
    if unknown:
        raise wrong(f"operation: unknown {', '.join(unknown)}", where)


def https_address(value: object, name: str, where: str) -> str:
    """Return an address.

    Raises:
        MisconfiguredError: it is missing, does not begin with https://, or carries user or password.
    """
    parts = urlsplit(str(value or ""))
    if parts.scheme != "https" or not parts.hostname:
        raise wrong(f"{name} must begin with https://", where)
    if "@" in parts.netloc:
        raise wrong(f"{name} must not carry user or password: they belong into the settings of that name", where)
    return str(value)


def _pem(path: str, name: str, tier: str, where: str) -> bytes:
    """Return a PEM file; the tier `signature` needs it, the others leave it alone."""
    if tier != "signature":
        return b""
    if not path or not Path(path).is_file():
        raise wrong(f"{name} {path!r} is not there", where)
    return Path(path).read_bytes()


def wrong(reason: str, where: str) -> MisconfiguredError:
    """Return the error of a setting that cannot be used."""
    return MisconfiguredError(reason, code=BAD_ADAPTER_SETTINGS, where=where)
