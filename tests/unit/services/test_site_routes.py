"""Territories and routes of a site file: every mistake is explained with its line."""

from pathlib import Path

import pytest

from canonical.errors import MisconfiguredError
from services.cim_owners import NOBODY, table
from services.site_checks import sections_of
from services.site_file import load_site
from services.site_routing import master_data_policy, routed, routes_of

GOOD = """
[site]
name = "Two Towns"
zone = "America/Toronto"
env = "TEST"
sender = "AMIHUB"
[roles.cis_north]
adapter = "cis_cim"
kind = "customer_system"
clock = "UTC"
multiplier = "raw"
[roles.mdms_north]
adapter = "mdms_cim"
kind = "meter_data_system"
clock = "UTC"
multiplier = "raw"
[roles.mdms_south]
adapter = "mdms_cim"
kind = "meter_data_system"
clock = "UTC"
multiplier = "applied"
settings = { source = "mdms_south" }
[serve]
certificate = "c.pem"
private_key = "k.pem"
[serve.clients.fieldwork]
password = "x"
role = "cis_north"
[serve.clients.wams]
password = "x"
system = "wams"
[lacks]
oms = "manual"
gis = "absent"
[master_data]
search_attempts = 3
origins = { link = "cis", exchange = "wams" }
[territories.north]
customer_system = "cis_north"
meter_data = "mdms_north"
districts = ["N1", "N2"]
[territories.south]
meter_data = "mdms_south"
districts = ["S1"]
names = ["S-*"]
[[routes]]
to = ["customer_system", "meter_data"]
[[routes]]
from = ["fieldwork", "wams"]
nouns = ["EndDeviceControls"]
verbs = ["create"]
to = ["mdms_north", "oms"]
where = { territory = ["north"], commodity = ["ELECTRICITY"] }
last = true
"""


def site(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "site.toml"
    path.write_text(text)
    return path


def test_routes_and_territories_become_what_the_flows_take(tmp_path: Path) -> None:
    model = load_site(site(tmp_path, GOOD)).model

    routes, policy = routes_of(model), master_data_policy(model)

    assert [one.name for one in routes.territories] == ["north", "south"]
    assert (routes.routes[1].sources, routes.routes[1].is_last) == (frozenset({"cis_north", "wams"}), True)
    assert (routes.role_of("fieldwork"), routes.manual, routes.absent) == (
        "cis_north",
        frozenset({"oms"}),
        frozenset({"gis"}),
    )
    assert (policy.kinds["fieldwork"], policy.kinds["wams"], policy.search_attempts) == ("cis", "wams", 3)


def test_who_takes_what_is_the_site_s_flows_and_routes(tmp_path: Path) -> None:
    model = load_site(site(tmp_path, GOOD)).model

    taken = {(noun, verb): owner for noun, verb, owner in table(sections_of(model), routed(model))}

    assert taken["EndDeviceControls", "create"] == taken["EndDeviceControls", "created"] == "flows.routing"
    assert taken["UsagePointConfig", "create"] == "flows.master_data_sync"
    assert taken["EndDeviceControls", "change"] == taken["UsagePointConfig", "cancel"] == NOBODY


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            'meter_data = "mdms_north"',
            'meter_data = "mdms_nort"',
            "no role 'mdms_nort'; did you mean 'mdms_north'?",
        ),
        ('meter_data = "mdms_north"', 'meter_data = "cis_north"', "is a customer_system, not a meter_data_system"),
        ('districts = ["S1"]', 'districts = ["N2"]', "the district 'N2' is 'north''s already"),
        ('to = ["mdms_north", "oms"]', "to = []", "a route needs a destination"),
        ('to = ["mdms_north", "oms"]', 'to = ["mdms_nord"]', "did you mean 'mdms_north'?"),
        ('nouns = ["EndDeviceControls"]', 'nouns = ["EndDeviceControl"]', "did you mean 'EndDeviceControls'?"),
        ('nouns = ["EndDeviceControls"]', 'nouns = ["GetMeterReadings"]', "there is no noun 'GetMeterReadings'"),
        ('verbs = ["create"]', 'verbs = ["get"]', "there is no verb 'get'"),
        ('territory = ["north"]', 'territory = ["nort"]', "did you mean 'north'?"),
        ('from = ["fieldwork", "wams"]', 'from = ["wasm"]', "did you mean 'wams'?"),
        ("last = true", "lasst = true", "unknown key; did you mean 'last'?"),
        ('gis = "absent"', 'mdms_north = "absent"', "the site does not lack it"),
        ('role = "cis_north"', 'role = "cis_nord"', "did you mean 'cis_north'?"),
        ("[master_data]", '[on_demand_read]\nmeter_data = "mdms"\n[master_data]', "there is no role 'mdms'"),
    ],
)
def test_a_mistake_is_named_with_its_line_and_the_nearest_right_word(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    altered = GOOD.replace(old, new, 1)
    line = altered[: altered.index(new)].count("\n") + new.count("\n") + 1 - new.startswith("[on")

    with pytest.raises(MisconfiguredError) as raised:
        load_site(site(tmp_path, altered))

    assert said in raised.value.reason
    assert raised.value.reason.startswith(f"site.toml:{line}: ")


def test_a_route_back_to_where_it_comes_from_is_a_loop(tmp_path: Path) -> None:
    loop = GOOD + '[[routes]]\nfrom = ["fieldwork"]\nto = ["cis_north"]\n'

    with pytest.raises(MisconfiguredError, match=r"site.toml:\d+: routes\.2\.to: a loop"):
        load_site(site(tmp_path, loop))


def test_readings_of_all_territories_are_stated_alike_where_bills_rest_on_them(tmp_path: Path) -> None:
    billing = '[billing.mass]\ncustomer_system = "cis_north"\npartner = "C"\ninboxes = []\nzone = "UTC"\n'

    with pytest.raises(MisconfiguredError, match="raw here and applied there"):
        load_site(site(tmp_path, GOOD + billing + 'meter_data = "by territory"\n'))
