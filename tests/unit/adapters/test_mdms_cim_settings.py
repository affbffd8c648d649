"""Settings of the MDMS adapter: what cannot be is refused before anything is asked."""

import pytest

from adapters.registry import load
from canonical.errors import MisconfiguredError

GOOD = {
    "url": "https://mdms.example/cim/GetMeterReadings",
    "events_url": "https://mdms.example/cim/ReceiveMeterReadings",
    "user": "amihub",
    "password": "river",
}


@pytest.mark.parametrize("key", ["url", "events_url"])
def test_an_address_never_carries_user_or_password(key: str) -> None:
    with pytest.raises(MisconfiguredError) as error:
        load("mdms_cim", GOOD | {key: "https://amihub:river@mdms.example/cim"})

    assert key in error.value.reason
    assert "river" not in str(error.value)


@pytest.mark.parametrize("key", ["url", "events_url"])
def test_an_address_without_tls_is_refused(key: str) -> None:
    with pytest.raises(MisconfiguredError):
        load("mdms_cim", GOOD | {key: "http://mdms.example/cim"})


def test_a_key_that_the_adapter_does_not_know_is_refused() -> None:
    with pytest.raises(MisconfiguredError, match="passwort"):
        load("mdms_cim", GOOD | {"passwort": "river"})
