"""The workshop that makes the sessions of these tests, and another computer that answers as a test scripts it."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engines.kinds import Workshop
from tests.engines.stand_in_provider import StandInProvider


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    made = Workshop(tmp_path_factory.mktemp("engines"))
    yield made
    made.close()


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandInProvider]:
    """A stand-in that nothing but a test leads to."""
    for name in ("https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with StandInProvider() as made:
        yield made


@pytest.fixture
def certificate(provider: StandInProvider, tmp_path: Path) -> Path:
    """Make the stand-in speak TLS, with a certificate that nobody knows."""
    openssl = shutil.which("openssl")
    if not openssl:
        pytest.skip("no openssl to make a certificate with")
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"]
    command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", *subject]
    subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    provider.secure(certificate, key)
    return certificate
