"""What pip's settings mean for our own requests."""

from pathlib import Path

import pytest

from abierto.store import pip_settings
from abierto.store.pip_settings import PipSettings

LISTING = """\
:env:.default-timeout='30'
:env:.retries='1'
download.proxy='http://not-for-install:1'
global.cert='/ca.pem'
global.client-cert='/me.pem'
global.extra-index-url='https://b.example/simple\\nhttps://ana:p%40ss@c.example:8443/simple'
global.index-url='https://a.example/simple'
global.retries='9'
global.timeout='60'
global.trusted-host='a.example\\nc.example:8443'
install.index-url='https://eva:secret@a.example/simple'
install.proxy='http://proxy.example:3128'
"""


def test_a_full_listing() -> None:
    found = pip_settings.parse(LISTING)
    assert found == PipSettings(
        indexes=(
            "https://eva:secret@a.example/simple",
            "https://b.example/simple",
            "https://ana:p%40ss@c.example:8443/simple",
        ),
        proxy="http://proxy.example:3128",
        certificates="/ca.pem",
        client_certificate="/me.pem",
        trusted_hosts=frozenset({"a.example", "c.example:8443"}),
        timeout=30.0,
        retries=1,
    )


def test_credentials_belong_to_host_scheme_and_port() -> None:
    found = pip_settings.parse(LISTING)
    assert found.credentials("https://c.example:8443/files/x.whl") == ("ana", "p@ss")
    assert found.credentials("https://a.example/files/x.whl") == ("eva", "secret")
    for address in ("https://c.example/x", "http://a.example/x", "https://b.example/x", "https://d.example/x"):
        assert found.credentials(address) is None


def test_credentials_from_netrc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".netrc").write_text("machine b.example login ana password secret\n")
    (tmp_path / ".netrc").chmod(0o600)
    assert pip_settings.parse(LISTING).credentials("https://b.example/x") == ("ana", "secret")
    (tmp_path / ".netrc").write_text("what is this\n")
    assert pip_settings.parse(LISTING).credentials("https://b.example/x") is None


def test_trusted_hosts() -> None:
    found = pip_settings.parse(LISTING)
    assert found.trusts("https://a.example/x")
    assert found.trusts("https://c.example:8443/x")
    assert not found.trusts("https://c.example/x")
    assert not found.trusts("https://b.example/x")


@pytest.mark.parametrize("listing", ["", "nonsense", "global.timeout='soon'", "global.retries='-1'", "global.proxy=''"])
def test_what_is_not_set_or_cannot_be_read(listing: str) -> None:
    assert pip_settings.parse(listing) == PipSettings()


def test_secrets_are_not_shown() -> None:
    shown = repr(pip_settings.parse(LISTING))
    assert "secret" not in shown
    assert "p%40ss" not in shown


def test_it_asks_the_pip_of_this_computer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "pip.conf").write_text("[global]\ntimeout = 7\n[install]\nproxy = http://proxy.example:1\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    monkeypatch.delenv("PIP_DEFAULT_TIMEOUT", raising=False)
    monkeypatch.setenv("PIP_RETRIES", "3")
    found = pip_settings.read()
    assert (found.timeout, found.proxy, found.retries) == (7.0, "http://proxy.example:1", 3)
