"""What a site file says of its rollout, and what `amihub config check` finds wrong with it."""

from pathlib import Path

import pytest

from canonical.errors import MisconfiguredError
from services.site_file import Site, load_site
from services.site_rollout import rollout_policy, waves_of

SITE = """
[site]
name = "Test"
zone = "America/Toronto"
env = "TEST"
sender = "AMIHUB"

[roles.cis]
adapter = "cis_cim"
kind = "customer_system"
clock = "UTC"
multiplier = "raw"

[roles.mdms]
adapter = "mdms_cim"
kind = "meter_data_system"
clock = "UTC"
multiplier = "raw"

[lacks]
wams = "manual"
oms = "absent"

[rollout]
cis = "cis"
mdms = "mdms"
work_system = "wams"
oms = "oms"
"""
BOOKS = """
[roles.books]
adapter = "masters_flatfile"
kind = "partner"
clock = "UTC"
multiplier = "raw"
"""
CREWS = """
[roles.wams]
adapter = "contractor_file"
kind = "work_system"
clock = "UTC"
multiplier = "raw"
"""
WAVE = """
[rollout.waves.north-1]
first_day = 2026-12-01
last_day = 2026-12-11
capacity_per_day = 5
"""


def site_of(folder: Path, text: str) -> Site:
    file = folder / "site.toml"
    file.write_text(text)
    return load_site(file)


def test_systems_are_roles_or_a_persons_work_or_nobodys(tmp_path: Path) -> None:
    policy = rollout_policy(site_of(tmp_path, SITE).model)

    assert policy.roles == {"cis": "cis", "mdms": "mdms"}
    assert (policy.manual, policy.absent) == (frozenset({"wams"}), frozenset({"oms"}))
    assert policy.zone == "America/Toronto"


def test_crews_that_work_by_files_get_their_orders_and_no_step_of_an_exchange(tmp_path: Path) -> None:
    model = site_of(tmp_path, SITE.replace('wams = "manual"\n', "") + CREWS + WAVE).model

    assert "wams" not in rollout_policy(model).roles
    assert waves_of(model)["north-1"].work_system == "wams"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('hes = "nowhere"', "there is no role 'nowhere'"),
        (WAVE + 'work_system = "nowhere"', "there is no role 'nowhere'"),
        (WAVE + 'zone = "Mars/Olympus"', "no such IANA time zone"),
        (WAVE + 'window = ["17:00", "08:00"]', "window ends before it begins"),
        (WAVE + 'include = ["N1"]\nexclude = { N1 = "opt-out" }', "'N1' stands in include and in exclude"),
        (WAVE + 'exclude = { N1 = " " }', "'N1' is excluded without a reason"),
        (WAVE + "working_days = []", "nobody would ever come"),
        (WAVE.replace("2026-12-11", "2026-11-11"), "is before first_day"),
        ('inboxes = ["crews"]', "there is no role 'crews'"),
        ('origins = { CIS_PEAR = "cis" }', "there is no step 'CIS_PEAR'"),
        ("[subscribers.told]\nrole = \"mdms\"\nkinds = [\"meter\"]", "it would be told twice"),
        ('actions = { EX99 = "HOLD" }', "there is no rule 'EX99'"),
        (WAVE + 'work_system = "books"\n' + BOOKS, "masters_flatfile has no words for field orders"),
        ("routes_ahead_days = 1", "nobody can be handed a route"),
        ('mdsm = "mdms"', "did you mean 'mdms'"),
        ('hes = "books"\n' + BOOKS, "masters_flatfile has no words for an exchange"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_named_with_its_line(tmp_path: Path, more: str, said: str) -> None:
    with pytest.raises(MisconfiguredError, match=said):
        site_of(tmp_path, SITE + more + "\n")
