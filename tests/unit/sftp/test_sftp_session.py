"""A session against servers that misbehave, served in this process: what each failure is called."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import asyncssh
import pytest

from canonical.codes import transport as codes
from canonical.errors import ErrorCode, MisconfiguredError, UnavailableError
from sftp.exchange import offered, put
from sftp.session import SftpSettings, open_session


class Passwords(asyncssh.SSHServer):
    """Lets in whoever knows the password; remembers its connections, so that they can be closed."""

    def __init__(self, connections: list[asyncssh.SSHServerConnection]) -> None:
        self.connections = connections

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self.connections.append(conn)

    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return password == "secret"


class NeverRenames(asyncssh.SFTPServer):
    def rename(self, oldpath: bytes, newpath: bytes) -> None:
        raise asyncssh.SFTPOpUnsupported("no rename")


class NoWriting(asyncssh.SFTPServer):
    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> object:
        raise asyncssh.SFTPPermissionDenied("read only")


class TwiceRenamed(asyncssh.SFTPServer):
    """Renames, then says that it failed: an answer that got lost and a second try."""

    def rename(self, oldpath: bytes, newpath: bytes) -> None:
        super().rename(oldpath, newpath)
        raise asyncssh.SFTPFailure("already exists")


@contextmanager
def serving(folder: Path, kind: type[asyncssh.SFTPServer] = asyncssh.SFTPServer) -> Iterator[SftpSettings]:
    """Serve `folder` on a free port in a thread; yield how to log in."""
    key = asyncssh.generate_private_key("ssh-ed25519")
    loop = asyncio.new_event_loop()
    connections: list[asyncssh.SSHServerConnection] = []
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def start() -> asyncssh.SSHAcceptor:
        return await asyncssh.listen(
            "127.0.0.1",
            0,
            server_factory=lambda: Passwords(connections),
            server_host_keys=[key],
            sftp_factory=lambda channel: kind(channel, chroot=str(folder).encode()),
        )

    async def stop(server: asyncssh.SSHAcceptor) -> None:
        server.close()
        await server.wait_closed()
        for connection in connections:
            connection.abort()
            await connection.wait_closed()
        await asyncio.sleep(0)

    server = asyncio.run_coroutine_threadsafe(start(), loop).result(10)
    pinned = " ".join(key.export_public_key().decode().split()[:2])
    try:
        yield SftpSettings("127.0.0.1", "hub", (pinned,), port=server.get_port(), password="secret")
    finally:
        asyncio.run_coroutine_threadsafe(stop(server), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[SftpSettings]:
    with serving(tmp_path) as settings:
        yield settings


def test_one_session_carries_many_files(settings: SftpSettings, tmp_path: Path) -> None:
    with open_session(settings) as session:
        for number in range(20):
            put(session, b"x" * number, "", f"{number:02}.dat")
        assert [file.size for file in offered(session, "")] == list(range(20))


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (lambda s: replace(s, password="guess"), codes.SFTP_LOGIN_REFUSED),
        (lambda s: replace(s, host_keys=("ssh-ed25519 AAAA",)), codes.SFTP_HOST_KEY),
        (lambda s: replace(s, host_keys=()), codes.SFTP_SETTINGS),
        (lambda s: replace(s, host_keys=("nonsense",)), codes.SFTP_SETTINGS),
        (lambda s: replace(s, host_keys=("ssh-ed25519 %%%",)), codes.SFTP_SETTINGS),
        (lambda s: replace(s, password=""), codes.SFTP_SETTINGS),
        (lambda s: replace(s, private_key="/nowhere/key"), codes.SFTP_SETTINGS),
        (lambda s: replace(s, private_key=__file__), codes.SFTP_SETTINGS),
    ],
)
def test_a_wrong_setting_stops_the_flow_with_its_own_code(
    settings: SftpSettings, wrong: Callable[[SftpSettings], SftpSettings], code: ErrorCode
) -> None:
    with pytest.raises(MisconfiguredError) as stopped, open_session(wrong(settings)):
        pass

    assert stopped.value.code == code


def test_secrets_are_not_shown() -> None:
    shown = repr(SftpSettings("h", "u", (), password="secret", passphrase="secret"))

    assert "secret" not in shown


def test_a_server_that_nobody_runs_or_that_hangs_up_is_away() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        port = silent.getsockname()[1]
        nobody = SftpSettings("127.0.0.1", "hub", ("ssh-ed25519 AAAA",), port=port, password="x", connect_timeout_s=0.5)
        with pytest.raises(UnavailableError) as away, open_session(nobody):
            pass
        silent.listen()
        with pytest.raises(UnavailableError) as mute, open_session(nobody):
            pass

    assert away.value.code == mute.value.code == codes.SFTP_AWAY


@pytest.mark.parametrize(
    ("kind", "code"), [(NeverRenames, codes.SFTP_RENAME_REFUSED), (NoWriting, codes.SFTP_PERMISSION)]
)
def test_a_server_that_does_not_allow_what_we_need_is_a_setting_to_mend(
    tmp_path: Path, kind: type[asyncssh.SFTPServer], code: ErrorCode
) -> None:
    with (
        serving(tmp_path, kind) as settings,
        open_session(settings) as session,
        pytest.raises(MisconfiguredError) as refused,
    ):
        put(session, b"x", "", "A.dat")

    assert refused.value.code == code
    assert not (tmp_path / "A.dat").exists()


def test_a_rename_that_worked_though_its_answer_says_no_is_a_delivery(tmp_path: Path) -> None:
    with serving(tmp_path, TwiceRenamed) as settings, open_session(settings) as session:
        put(session, b"x", "", "A.dat")

    assert [path.name for path in tmp_path.iterdir()] == ["A.dat"]
