"""Who may talk to whom over SFTP: pinned host keys, keys that a server knows, and the cipher that both choose."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from canonical.codes import transport as codes
from canonical.errors import MisconfiguredError
from servers.openssh import SshServer, make_key, private_sshd
from sftp.exchange import offered
from sftp.session import SftpSettings, open_session

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def plain_server() -> Iterator[SshServer]:
    with private_sshd() as server:
        yield server


def settings(server: SshServer) -> SftpSettings:
    key = str(server.private_key)
    return SftpSettings("127.0.0.1", server.user, server.host_keys, port=server.port, private_key=key)


def test_a_changed_host_key_is_a_hard_stop_before_anything_is_shown(plain_server: SshServer, tmp_path: Path) -> None:
    make_key(tmp_path / "other")
    other = " ".join((tmp_path / "other.pub").read_text().split()[:2])

    with (
        pytest.raises(MisconfiguredError) as stopped,
        open_session(replace(settings(plain_server), host_keys=(other,))),
    ):
        pass

    assert stopped.value.code == codes.SFTP_HOST_KEY


def test_during_a_rotation_either_pinned_key_will_do(plain_server: SshServer, tmp_path: Path) -> None:
    make_key(tmp_path / "other")
    other = " ".join((tmp_path / "other.pub").read_text().split()[:2])

    with open_session(replace(settings(plain_server), host_keys=(other, *plain_server.host_keys))) as session:
        assert offered(session, plain_server.home) == offered(session, plain_server.home)


def test_a_key_that_the_server_does_not_know_is_a_setting_to_mend(plain_server: SshServer, tmp_path: Path) -> None:
    make_key(tmp_path / "stranger")

    with (
        pytest.raises(MisconfiguredError) as refused,
        open_session(replace(settings(plain_server), private_key=str(tmp_path / "stranger"))),
    ):
        pass

    assert refused.value.code == codes.SFTP_LOGIN_REFUSED


def test_the_fast_authenticated_cipher_is_chosen(plain_server: SshServer) -> None:
    with open_session(settings(plain_server)) as session:
        channel = session.client.get_channel()
        assert channel is not None
        assert channel.get_transport().remote_cipher == "aes128-gcm@openssh.com"
