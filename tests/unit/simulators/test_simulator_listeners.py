"""The simulators' listeners, spoken to by clients that are written here."""

import asyncio
import ssl
from datetime import date
from pathlib import Path

import asyncssh
import httpx
import pytest
import uvicorn

from simulators import city
from simulators.certificates import make_certificates
from simulators.demo_site import free_ports
from simulators.knobs import Knobs
from simulators.local_days import at_local, utc_text
from simulators.mdms_soap import application
from simulators.mdms_state import Mdms, open_mdms
from simulators.sftp_server import make_keys, start_sftp

pytestmark = pytest.mark.slow

MORNING = at_local(date(2026, 11, 17), 8)


async def _read_over_sftp(folder: Path, *, user: str, key: str, hang_up: bool = False) -> str:
    for name in ("host", "client", "stranger"):
        make_keys(folder / "keys", name=name)
    keys, (port,) = folder / "keys", free_ports(1)
    root = folder / "root"
    server = await start_sftp(
        root, port=port, host_key=keys / "host", client_key=keys / "client", user="amihub", hang_up=lambda: hang_up
    )
    (folder / "outside.txt").write_text("not yours")
    (root / "outbound" / "a.dat").write_text("yours")
    known = asyncssh.import_known_hosts(f"[127.0.0.1]:{port} {(keys / 'host.pub').read_text()}")
    options = {
        "username": user,
        "client_keys": [str(keys / key)],
        "known_hosts": known,
        "config": None,
        "agent_path": None,
    }
    try:
        async with asyncssh.connect("127.0.0.1", port, **options) as connection, connection.start_sftp_client() as sftp:
            assert sorted(await sftp.listdir(".")) == [".", "..", "inbound", "outbound"]
            assert not await sftp.exists("/../outside.txt")
            async with sftp.open("outbound/a.dat") as file:
                return str(await file.read())
    finally:
        server.close()
        await server.wait_closed()


def test_the_sftp_server_lets_one_key_in_and_shows_nothing_above_its_root(tmp_path: Path) -> None:
    assert asyncio.run(_read_over_sftp(tmp_path, user="amihub", key="client")) == "yours"


@pytest.mark.parametrize(("user", "key"), [("amihub", "stranger"), ("root", "client")])
def test_the_sftp_server_refuses_other_keys_and_other_users(tmp_path: Path, user: str, key: str) -> None:
    with pytest.raises(asyncssh.PermissionDenied):
        asyncio.run(_read_over_sftp(tmp_path, user=user, key=key))


def test_the_sftp_server_hangs_up_when_told_to(tmp_path: Path) -> None:
    with pytest.raises((asyncssh.Error, OSError)):
        asyncio.run(_read_over_sftp(tmp_path, user="amihub", key="client", hang_up=True))


async def _post(run: Path, mdms: Mdms, *, password: str) -> httpx.Response:
    keys, (port,) = run / "keys", free_ports(1)
    authority = make_certificates(keys, ("mdms",))
    web = application(mdms, user="amihub", password="right", clock=lambda: MORNING)
    pair = {"ssl_certfile": str(keys / "mdms.pem"), "ssl_keyfile": str(keys / "mdms.key")}
    server = uvicorn.Server(
        uvicorn.Config(web, host="127.0.0.1", port=port, log_level="critical", lifespan="off", **pair)
    )
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.02)
    start, end = mdms.cycles["17"].period
    someone = next(p for p in mdms.points.values() if not p.trouble and p.kind == "REGISTER")
    body = (
        f"<e><MessageID>m</MessageID><timePeriod><end>{utc_text(end)}</end><start>{utc_text(start)}</start></timePeriod>"
        f"<UsagePoint><mRID>{someone.usage_point}</mRID></UsagePoint></e>"
    )
    try:
        context = ssl.create_default_context(cafile=str(authority))
        async with httpx.AsyncClient(verify=context, auth=("amihub", password)) as client:
            return await client.post(f"https://127.0.0.1:{port}/cim/GetMeterReadings", content=body)
    finally:
        server.should_exit = True
        await task


@pytest.fixture
def mdms(tmp_path: Path) -> Mdms:
    city.found(tmp_path / "city", seed=7, points=60)
    return open_mdms(tmp_path)


def test_the_mdms_answers_over_tls_whoever_knows_the_password(tmp_path: Path, mdms: Mdms) -> None:
    answer = asyncio.run(_post(tmp_path, mdms, password="right"))

    assert answer.status_code == 200
    assert b"<Result>OK</Result>" in answer.content


def test_the_mdms_refuses_a_wrong_password(tmp_path: Path, mdms: Mdms) -> None:
    assert asyncio.run(_post(tmp_path, mdms, password="wrong")).status_code == 401


def test_a_turned_knob_makes_the_mdms_answer_one_fault_and_then_nothing_wrong(tmp_path: Path, mdms: Mdms) -> None:
    Knobs(tmp_path / "mdms" / "knobs.json").write({"fault": 1})

    first = asyncio.run(_post(tmp_path, mdms, password="right"))
    second = asyncio.run(_post(tmp_path, mdms, password="right"))

    assert (first.status_code, second.status_code) == (500, 200)
    assert b"faultstring" in first.content


def test_a_turned_knob_makes_the_mdms_hang_up_in_the_middle_of_an_answer(tmp_path: Path, mdms: Mdms) -> None:
    Knobs(tmp_path / "mdms" / "knobs.json").write({"hang_up": 1})

    with pytest.raises(httpx.RemoteProtocolError):
        asyncio.run(_post(tmp_path, mdms, password="right"))
