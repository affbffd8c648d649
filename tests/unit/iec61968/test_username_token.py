"""The UsernameToken that we show: good once, for whoever knows the password, inside its window."""

from datetime import UTC, datetime, timedelta

import pytest
from lxml import etree

from canonical.errors import RejectedError
from iec61968.envelope import local_name
from iec61968.security import Client, NonceCache, token_caller
from iec61968.soap import envelope
from iec61968.username_token import add_token

NOW = datetime(2026, 3, 1, 6, tzinfo=UTC)
WORD = "river-of-nine"
CLIENTS = {"amihub": Client(WORD, "token")}


def security(word: str = WORD) -> etree._Element:
    root = etree.fromstring(envelope(etree.Element("body")))
    add_token(root, user="amihub", password=word, now=NOW)
    assert b"river" not in etree.tostring(root)
    return next(element for element in root.iter() if local_name(element) == "Security")


def test_a_token_proves_its_user_once() -> None:
    shown, nonces = security(), NonceCache()

    assert token_caller(shown, CLIENTS, nonces, now=NOW) == "amihub"
    with pytest.raises(RejectedError, match="MESSAGE_REPLAYED"):
        token_caller(shown, CLIENTS, nonces, now=NOW)


def test_two_tokens_of_the_same_moment_differ() -> None:
    nonces = NonceCache()

    assert [token_caller(security(), CLIENTS, nonces, now=NOW) for _ in range(2)] == ["amihub"] * 2


def test_a_token_of_another_password_or_time_proves_nothing() -> None:
    with pytest.raises(RejectedError, match="WRONG_CREDENTIALS"):
        token_caller(security("sea"), CLIENTS, NonceCache(), now=NOW)
    with pytest.raises(RejectedError, match="MESSAGE_REPLAYED"):
        token_caller(security(), CLIENTS, NonceCache(), now=NOW + timedelta(hours=1))


def test_a_token_made_outside_the_calendar_proves_nothing() -> None:
    shown = security()
    created = next(element for element in shown.iter() if local_name(element) == "Created")
    created.text = "0001-01-01T00:00:00+01:00"

    with pytest.raises(RejectedError, match="WRONG_CREDENTIALS"):
        token_caller(shown, CLIENTS, NonceCache(), now=NOW)


def test_only_a_soap_envelope_bears_a_token() -> None:
    with pytest.raises(RejectedError, match="EXPORT_IMPOSSIBLE"):
        add_token(etree.Element("EventMessage"), user="u", password="p", now=NOW)
