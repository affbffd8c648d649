"""The site file: what it says, and how each mistake in it is named."""

from dataclasses import replace
from pathlib import Path

import pytest

from canonical.errors import MisconfiguredError
from flows.delivery import DeliveryPolicy
from services.delivery_policy import delivery_policy
from services.hub import Hub
from services.role_section import DeliverySection
from services.site_file import load_site

ROOT = Path(__file__).parents[3]

GOOD = """
[site]
name = "Small Town"
zone = "America/Toronto"
env = "TEST"
sender = "AMIHUB"

[roles.cis]
adapter = "cis_flatfile"
kind = "customer_system"
clock = "OFFSET_IN_MESSAGE"
multiplier = "raw"
  [roles.cis.settings]
  password = "env:SMALL_TOWN_PASSWORD"

[billing.mass]
customer_system = "cis"
partner = "CISMASS"
inboxes = ["cis"]
zone = "America/Toronto"
"""


def _site(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "site.toml"
    path.write_text(text)
    return path


def test_the_example_site_is_well_formed() -> None:
    site = load_site(ROOT / "site.example.toml")

    assert site.billing_interfaces == ("mass", "interval")
    assert site.model.roles["cis"].multiplier == "raw"


def test_deliveries_are_paced_as_the_role_says_and_otherwise_by_the_defaults(tmp_path: Path) -> None:
    told = GOOD + "[roles.cis.delivery]\nbatch = 5\nper_minute = 60\nbackoff_seconds = 2.5\n"

    policy = Hub(load_site(_site(tmp_path, told))).delivery_policies()["cis"]

    assert (policy.batch, policy.per_minute, policy.base_s) == (5, 60, 2.5)
    # A site's own patience outlives an hour; whoever makes a policy by hand says how long it shall be.
    assert delivery_policy(DeliverySection()) == replace(DeliveryPolicy(), attempts=DeliverySection().attempts)


@pytest.mark.parametrize(
    ("said", "mistake"),
    [
        ("bach = 5", "site.toml:23: roles.cis.delivery.bach: unknown key; did you mean 'batch'?"),
        ("batch = 0", "site.toml:23: roles.cis.delivery.batch: Input should be greater than or equal to 1"),
        ("timeout_seconds = 60", "site.toml:22: roles.cis.delivery: lease_seconds 900 must be longer than batch x"),
        ("backoff_seconds = 1000", "site.toml:22: roles.cis.delivery: backoff_seconds is above backoff_cap_seconds"),
    ],
)
def test_a_delivery_setting_that_cannot_be_is_named_with_its_line(tmp_path: Path, said: str, mistake: str) -> None:
    with pytest.raises(MisconfiguredError) as error:
        load_site(_site(tmp_path, f"{GOOD}\n[roles.cis.delivery]\n{said}\n"))

    assert mistake in error.value.reason


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('multiplier = "raw"', "", "site.toml:8: roles.cis.multiplier: is missing"),
        ('clock = "OFFSET_IN_MESSAGE"', "", "site.toml:8: roles.cis.clock: is missing"),
        ('zone = "America/Toronto"\nenv', 'zone = "America/Torronto"\nenv', "site.toml:4: site.zone: no such IANA"),
        ('name = "Small Town"', 'nam = "Small Town"', "site.toml:3: site.nam: unknown key; did you mean 'name'?"),
        ('inboxes = ["cis"]', 'inboxes = ["mdms"]', "names the role 'mdms', which [roles] does not have"),
        ('kind = "customer_system"', 'kind = "crm"', "site.toml:10: roles.cis.kind:"),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in GOOD

    with pytest.raises(MisconfiguredError) as error:
        load_site(_site(tmp_path, GOOD.replace(old, new, 1)))

    assert said in error.value.reason
    assert error.value.code.name == "SITE_FILE_INVALID"


def test_every_mistake_is_named_not_only_the_first(tmp_path: Path) -> None:
    text = GOOD.replace('multiplier = "raw"', "").replace('env = "TEST"', 'env = "STAGE"')

    with pytest.raises(MisconfiguredError) as error:
        load_site(_site(tmp_path, text))

    assert len(error.value.reason.splitlines()) == 2


def test_text_that_is_not_toml_is_named_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(MisconfiguredError) as error:
        load_site(_site(tmp_path, "[site\n"))

    assert error.value.code.name == "SITE_FILE_SYNTAX"
    assert "line 1" in error.value.reason


def test_a_missing_file_says_which(tmp_path: Path) -> None:
    with pytest.raises(MisconfiguredError) as error:
        load_site(tmp_path / "nowhere.toml")

    assert error.value.code.name == "SITE_FILE_MISSING"


def test_a_secret_is_taken_from_the_environment_when_it_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = load_site(_site(tmp_path, GOOD))
    path = ("roles", "cis", "settings")
    settings = site.model.roles["cis"].settings

    with pytest.raises(MisconfiguredError) as error:
        site.secret(settings, path)
    monkeypatch.setenv("SMALL_TOWN_PASSWORD", "river")

    assert "SMALL_TOWN_PASSWORD" in error.value.reason
    assert error.value.where == "site.toml:14"
    assert site.secret(settings, path) == {"password": "river"}
