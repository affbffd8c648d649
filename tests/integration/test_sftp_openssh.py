"""Files over a real OpenSSH server: whole, once, resumed after a cut, and stopped at a key that is not pinned."""

import hashlib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from canonical.codes import transport as codes
from canonical.errors import MisconfiguredError, RejectedError, UnavailableError
from canonical.messages import Manifest
from servers.openssh import REFUSE_SETSTAT, SshServer, private_sshd
from sftp.exchange import fetch, offered, put, retire
from sftp.session import SftpSettings, open_session
from sftp.transfer import BACK_OFF

pytestmark = pytest.mark.servers

MIB = 1 << 20


@pytest.fixture(scope="module", params=["plain", "setstat refused", "jail"])
def server(request: pytest.FixtureRequest) -> Iterator[SshServer]:
    options = REFUSE_SETSTAT if request.param == "setstat refused" else ""
    with private_sshd(sftp_options=options, jail=request.param == "jail") as server:
        yield server


@pytest.fixture(scope="module")
def plain_server() -> Iterator[SshServer]:
    with private_sshd() as server:
        yield server


def noise(seed: int, size: int) -> bytes:
    """Bytes without pattern, the same in every run."""
    return hashlib.shake_128(str(seed).encode()).digest(size)


def settings(server: SshServer) -> SftpSettings:
    key = str(server.private_key)
    return SftpSettings("127.0.0.1", server.user, server.host_keys, port=server.port, private_key=key)


def fresh(server: SshServer, request: pytest.FixtureRequest) -> tuple[Path, str]:
    """A folder of the test's own, as this machine and as the session name it."""
    name = hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:12]
    (server.files / name).mkdir()
    return server.files / name, f"{server.home}/{name}"


def manifest(name: str, data: bytes) -> Manifest:
    return Manifest(name, len(data), hashlib.sha256(data).hexdigest(), {"HDR": 1}, {}, 1)


def test_a_file_arrives_whole_with_its_control_file_and_nothing_else(
    server: SshServer, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    local, remote = fresh(server, request)
    data = noise(1, 3 * MIB + 17)
    (tmp_path / "a.dat").write_bytes(data)

    with open_session(settings(server)) as session:
        assert put(session, tmp_path / "a.dat", remote, "A.dat", manifest("A.dat", data))
        assert put(session, b"", remote, "B.ack")

    assert sorted(path.name for path in local.iterdir()) == ["A.ctl", "A.dat", "B.ack"]
    assert (local / "A.dat").read_bytes() == data


def test_a_file_put_again_is_there_already_and_one_with_other_content_is_refused(
    server: SshServer, request: pytest.FixtureRequest
) -> None:
    local, remote = fresh(server, request)
    with open_session(settings(server)) as session:
        put(session, b"one", remote, "A.dat", manifest("A.dat", b"one"))

        assert not put(session, b"one", remote, "A.dat", manifest("A.dat", b"one"))
        with pytest.raises(RejectedError) as other:
            put(session, b"two", remote, "A.dat", manifest("A.dat", b"two"))
        (local / "A.dat").unlink()
        assert not put(session, b"one", remote, "A.dat", manifest("A.dat", b"one"))

    assert other.value.code == codes.REMOTE_NAME_TAKEN
    assert not (local / "A.dat").exists()


def test_a_put_that_stopped_after_the_data_file_adds_the_control_file(
    server: SshServer, request: pytest.FixtureRequest
) -> None:
    local, remote = fresh(server, request)
    (local / "A.dat").write_bytes(b"one")
    with open_session(settings(server)) as session:
        assert put(session, b"one", remote, "A.dat", manifest("A.dat", b"one"))

    assert sorted(path.name for path in local.iterdir()) == ["A.ctl", "A.dat"]


def test_an_upload_goes_on_where_an_earlier_one_stopped(
    server: SshServer, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    local, remote = fresh(server, request)
    data = noise(2, 6 * MIB)
    (tmp_path / "a").write_bytes(data)
    (local / ".A.dat.part").write_bytes(data[: 4 * MIB])
    (local / ".B.dat.part").write_bytes(bytes(4 * MIB))
    (local / ".C.dat.part").write_bytes(data + b"more than ours")
    begun = (local / ".A.dat.part").stat().st_ino

    with open_session(settings(server)) as session:
        for name in ("A.dat", "B.dat", "C.dat"):
            put(session, tmp_path / "a", remote, name)

    assert [(local / name).read_bytes() == data for name in ("A.dat", "B.dat", "C.dat")] == [True] * 3
    assert (local / "A.dat").stat().st_ino == begun


def test_files_are_offered_fetched_and_retired(
    server: SshServer, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    local, remote = fresh(server, request)
    data = noise(3, 9 * MIB)
    for name, content in (("A.dat", data), (".B.dat.part", b"x"), ("B.dat", b""), ("C.ack", b"{}"), ("D.tmp", b"")):
        (local / name).write_bytes(content)
    (local / "folder").mkdir()
    (local / "link.dat").symlink_to("/etc/hostname")

    with open_session(settings(server)) as session:
        put(session, data, remote, "A.dat", manifest("A.dat", data))
        files = offered(session, remote)
        came = list(fetch(session, files, tmp_path / "in"))
        retire(session, files[:2], f"{remote}/archive/20260302")
        retire(session, files[:2], f"{remote}/archive/20260302")

    assert [(file.name, file.has_manifest) for file in files] == [("A.dat", True), ("B.dat", False), ("C.ack", False)]
    assert [file.sha256 for file in came] == [hashlib.sha256(c).hexdigest() for c in (data, b"", b"{}")]
    assert (came[0].path.read_bytes() == data, came[0].refusal) == (True, None)
    assert came[0].manifest == manifest("A.dat", data)
    assert sorted(path.name for path in (local / "archive" / "20260302").iterdir()) == ["A.ctl", "A.dat", "B.dat"]


def test_a_download_goes_on_where_an_earlier_one_stopped(
    server: SshServer, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    local, remote = fresh(server, request)
    data = noise(4, 5 * MIB)
    for name in ("A.dat", "B.dat"):
        (local / name).write_bytes(data)
    (tmp_path / ".A.dat.part").write_bytes(data[: 3 * MIB])
    (tmp_path / ".B.dat.part").write_bytes(bytes(3 * MIB))

    with open_session(settings(server)) as session:
        came = list(fetch(session, offered(session, remote), tmp_path))

    assert {file.sha256 for file in came} == {hashlib.sha256(data).hexdigest()}
    assert [file.path.read_bytes() == data for file in came] == [True, True]


def test_a_control_file_that_contradicts_its_file_comes_as_a_refusal(
    server: SshServer, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    local, remote = fresh(server, request)
    with open_session(settings(server)) as session:
        put(session, b"one", remote, "A.dat", manifest("A.dat", b"two"))
        put(session, b"one", remote, "B.dat")
        (local / "B.ctl").write_bytes(b"[]")
        came = list(fetch(session, offered(session, remote), tmp_path))

    assert [file.refusal.code if file.refusal else None for file in came] == [
        codes.MANIFEST_MISMATCH,
        codes.MANIFEST_UNREADABLE,
    ]


def test_a_file_that_is_gone_before_it_is_fetched_is_left_out(
    server: SshServer, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    local, remote = fresh(server, request)
    (local / "A.dat").write_bytes(b"one")
    with open_session(settings(server)) as session:
        files = offered(session, remote)
        (local / "A.dat").unlink()

        assert list(fetch(session, files, tmp_path)) == []


def test_a_missing_folder_is_a_setting_to_mend(server: SshServer) -> None:
    missing = f"{server.home}/nowhere"
    with open_session(settings(server)) as session:
        with pytest.raises(MisconfiguredError) as listing:
            offered(session, missing)
        with pytest.raises(MisconfiguredError) as putting:
            put(session, b"x", missing, "A.dat")

    assert listing.value.code == putting.value.code == codes.SFTP_FOLDER_MISSING


def test_names_never_leave_their_folder(server: SshServer, request: pytest.FixtureRequest) -> None:
    _, remote = fresh(server, request)
    with open_session(settings(server)) as session:
        for name in ("../A.dat", "a/b", "", ".hidden", "line\nbreak", "x" * 300):
            with pytest.raises(RejectedError) as refused:
                put(session, b"x", remote, name)
            assert refused.value.code == codes.NAME_INVALID


def test_a_server_killed_in_an_upload_costs_one_retry_and_the_file_is_the_same(
    plain_server: SshServer, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    local, remote = fresh(plain_server, request)
    data = noise(5, 64 * MIB)
    (tmp_path / "a").write_bytes(data)
    stop = threading.Thread(target=_kill_at, args=(plain_server, local / ".A.dat.part", 16 * MIB))
    stop.start()

    with pytest.raises(UnavailableError) as cut, open_session(settings(plain_server)) as session:
        put(session, tmp_path / "a", remote, "A.dat", manifest("A.dat", data))
    stop.join()
    left = (local / ".A.dat.part").stat()
    with open_session(settings(plain_server)) as session:
        put(session, tmp_path / "a", remote, "A.dat", manifest("A.dat", data))

    assert cut.value.code == codes.SFTP_AWAY
    assert left.st_size > BACK_OFF
    assert (local / "A.dat").read_bytes() == data
    assert (local / "A.dat").stat().st_ino == left.st_ino


def _kill_at(server: SshServer, part: Path, size: int) -> None:
    while not part.exists() or part.stat().st_size < size:
        pass
    server.kill_sessions()


def test_a_jail_that_the_server_cannot_enter_is_reported_as_away(tmp_path: Path) -> None:
    with private_sshd(jail=True) as server:
        (server.folder / "jail").chmod(0o777)
        with pytest.raises(UnavailableError) as away, open_session(settings(server)):
            pass

    assert away.value.code == codes.SFTP_AWAY


def test_a_full_disk_on_the_server_is_told_as_such_and_the_next_attempt_finds_room(
    plain_server: SshServer, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    local, remote = fresh(plain_server, request)
    (tmp_path / "a").write_bytes(noise(6, MIB))
    (local / ".A.dat.part").symlink_to("/dev/full")

    with open_session(settings(plain_server)) as session:
        with pytest.raises(UnavailableError) as full:
            put(session, tmp_path / "a", remote, "A.dat")
        (local / ".A.dat.part").unlink()
        put(session, tmp_path / "a", remote, "A.dat")

    assert full.value.code == codes.SFTP_STORE_FAILED
    assert (local / "A.dat").read_bytes() == noise(6, MIB)


def test_our_own_full_disk_names_the_spool(
    plain_server: SshServer, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    local, remote = fresh(plain_server, request)
    (local / "A.dat").write_bytes(noise(7, MIB))
    (tmp_path / ".A.dat.part").symlink_to("/dev/full")

    with pytest.raises(UnavailableError) as full, open_session(settings(plain_server)) as session:
        list(fetch(session, offered(session, remote), tmp_path))

    assert full.value.code == codes.SPOOL_FULL
