"""Subscribers and masters of fields in a site file: what they become, and every mistake with its line."""

from datetime import timedelta
from pathlib import Path

import pytest

from canonical.errors import MisconfiguredError
from canonical.granularity import Grain
from services.site_file import load_site
from services.site_routing import master_data_policy
from services.site_subscribers import subscribers_of

ROLE = """
[roles.{name}]
adapter = "{adapter}"
kind = "{kind}"
clock = "UTC"
multiplier = "raw"
"""
HEAD = """
[site]
name = "Two Towns"
zone = "America/Toronto"
env = "TEST"
sender = "AMIHUB"
"""
ROLES = "".join(
    ROLE.format(name=name, adapter=adapter, kind=kind)
    for name, adapter, kind in (
        ("cis", "cis_cim", "customer_system"),
        ("mdms", "mdms_cim", "meter_data_system"),
        ("gis", "masters_flatfile", "partner"),
    )
)
REST = """
[lacks]
oms = "manual"
[master_data]
[masters]
inboxes = ["gis"]
granularity = { gis = "day" }
systems = { gis = "gis" }
[masters.records]
"usage_point.route" = "mdms"
[subscribers.meters]
role = "mdms"
kinds = ["usage_point", "meter"]
fields = ["route", "multiplier"]
[subscribers.maps]
role = "gis"
mode = "batch"
interval_minutes = 30
begin = "full"
[subscribers.outages]
role = "oms"
"""
GOOD = HEAD + ROLES + REST


def site(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "site.toml"
    path.write_text(text)
    return path


def test_subscribers_are_what_the_site_says_with_the_usual_values(tmp_path: Path) -> None:
    meters, maps, outages = subscribers_of(load_site(site(tmp_path, GOOD)).model)

    assert (meters.kinds, meters.fields) == (frozenset({"usage_point", "meter"}), frozenset({"route", "multiplier"}))
    assert (meters.mode, maps.mode, maps.interval) == ("realtime", "batch", timedelta(minutes=30))
    assert (maps.begins_full, maps.grain) == (True, Grain("day", "new", "America/Toronto"))
    assert "topology" in maps.kinds
    assert outages.kinds == maps.kinds - {"topology", "bill_cycle_day"}


def test_masters_of_fields_are_the_usual_ones_but_for_what_the_site_says(tmp_path: Path) -> None:
    records = master_data_policy(load_site(site(tmp_path, GOOD)).model).records

    assert records.owns("mdms", "usage_point", "route")
    assert not records.owns("cis", "usage_point", "route")
    assert records.owns("cis", "usage_point", "district")
    assert not records.owns("mdms", "topology", "feeder")
    assert records.owns("mdms", "meter", "model")  # the usual master, a WAMS, is not of this site


def test_without_the_table_of_records_anybody_may_state_anything(tmp_path: Path) -> None:
    text = GOOD.replace('[masters.records]\n"usage_point.route" = "mdms"\n', "")

    policy = master_data_policy(load_site(site(tmp_path, text)).model)

    assert policy.records.owns("mdms", "agreement", "tariff")
    assert policy.max_backdate == timedelta(days=60)


MISTAKES = [
    ('role = "mdms"', 'role = "mdmss"', "did you mean 'mdms'"),
    ('fields = ["route"', 'fields = ["rout"', "did you mean 'route'"),
    ('kinds = ["usage_point", "meter"]', 'kinds = ["usage_point", "meters"]', "meter"),
    ('[subscribers.outages]\nrole = "oms"', '[subscribers.outages]\nrole = "oms"\nbegin = "full"', "by file only"),
    ('role = "oms"', 'role = "mdms"', "tells 'mdms' of"),
    ('kinds = ["usage_point", "meter"]', 'kinds = ["usage_point", "meter", "topology"]', "no message tells"),
    ("interval_minutes", "interval_minuts", "did you mean 'interval_minutes'"),
    ('role = "oms"', 'role = "cis"\nmode = "batch"', "takes no files of masters"),
    ('"usage_point.route" = "mdms"', '"usage_point.rout" = "mdms"', "did you mean 'usage_point.route'"),
    ('"usage_point.route" = "mdms"', '"usage_point.route" = "mdm"', "did you mean 'mdms'"),
    ('systems = { gis = "gis" }', 'systems = { gsi = "gis" }', "did you mean 'gis'"),
    ("[lacks]", '[[routes]]\nnouns = ["MeterConfig"]\nto = ["mdms"]\n[lacks]', "told twice"),
    ("[lacks]", '[[routes]]\nto = ["oms"]\n[lacks]', "told twice"),
]


@pytest.mark.parametrize(("old", "new", "said"), MISTAKES, ids=[new[:40] for _, new, _ in MISTAKES])
def test_a_mistake_is_explained_with_its_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in GOOD
    with pytest.raises(MisconfiguredError) as caught:
        load_site(site(tmp_path, GOOD.replace(old, new, 1)))

    assert said in str(caught.value)
    assert "site.toml" in str(caught.value)


def test_a_route_of_other_nouns_to_the_same_role_is_fine(tmp_path: Path) -> None:
    text = GOOD.replace("[lacks]", '[[routes]]\nnouns = ["EndDeviceControls"]\nto = ["mdms"]\n[lacks]')

    assert len(load_site(site(tmp_path, text)).model.routes) == 1
