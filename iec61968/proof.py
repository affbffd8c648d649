"""Proof of who sent a message, where it is in the message itself: tokens, signatures, ReplayDetection."""

from datetime import datetime

from lxml import etree

from canonical.codes import message as codes
from canonical.errors import RejectedError
from iec61968 import safe_xml
from iec61968.bindings import unwrap_tree
from iec61968.security import Clients, NonceCache, client_of, token_caller
from iec61968.signature import DSIG, verify
from iec61968.soap_call import Call


def prove(raw: bytes, call: Call, clients: Clients, nonces: NonceCache, *, machine_now: datetime) -> None:
    """Fill in the call's caller from the message's own proof, with its policy; else why there is none, as `refused`.

    HTTP Basic was looked at before; what it proved stays.
    """
    if call.caller is None and not call.too_large:
        try:
            call.caller = _caller(raw, call, clients, nonces, machine_now)
        except RejectedError as error:
            call.refused = error if error.code in _SAID else None
    if call.caller is None:
        return
    known = client_of(clients, call.caller)
    call.policy = known.policy or call.policy
    if known.replay_detection:
        call.proof = lambda checked: _fresh(checked, nonces, machine_now)


_SAID = (codes.WRONG_CREDENTIALS, codes.MESSAGE_REPLAYED, codes.SIGNATURE_REFUSED)


def _caller(raw: bytes, call: Call, clients: Clients, nonces: NonceCache, now: datetime) -> str | None:
    """Return the user that the Security header proves, None where there is no such header or nobody uses one."""
    tiers = {client_of(clients, user).tier for user in clients}
    if tiers <= {"basic"} or b"Security" not in raw:
        return None
    root = safe_xml.parse(raw, limits=call.limits)
    if "signature" in tiers and next(root.iter(f"{{{DSIG}}}Signature"), None) is not None:
        user = _signer(root, clients, nonces, now)
        if user is not None:
            return user
    security = unwrap_tree(root, limits=call.limits).security
    return None if security is None else token_caller(security, clients, nonces, now=now)


def _signer(root: etree._Element, clients: Clients, nonces: NonceCache, now: datetime) -> str | None:
    """Return the user with whose pinned certificate a message is signed, None where nobody signs.

    Raises:
        RejectedError: it is nobody's signature, or one that was seen.
    """
    refused: RejectedError | None = None
    for user in clients:
        client = client_of(clients, user)
        if client.tier != "signature":
            continue
        try:
            verify(root, certificate=client.certificate, client=user, nonces=nonces, now=now)
        except RejectedError as error:
            refused = error
            if error.code is codes.MESSAGE_REPLAYED:
                break
        else:
            return user
    if refused is not None:
        raise refused
    return None


def _fresh(call: Call, nonces: NonceCache, now: datetime) -> None:
    """Refuse a header whose ReplayDetection is missing or was used (IEC 61968-100, Header)."""
    wire, where = call.wire, "Header/ReplayDetection"
    if wire is None or not wire.nonce or wire.nonce_created is None:
        raise RejectedError("no Nonce and Created", code=codes.MESSAGE_REPLAYED, where=where)
    nonces.take(call.caller or "", f"header {wire.nonce}", wire.nonce_created, now=now, where=where)
