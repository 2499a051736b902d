"""An index that pip uses instead of its own, and a hub that its client library uses instead of the real one."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.store.stand_in_hub import Repository, StandInHub
from tests.store.stand_in_index import StandInIndex
from tests.store.tiny_in_hub import FILE, REPOSITORY, WEIGHTS


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandInIndex]:
    """An empty index, which pip and its children are told to use, and to be impatient with."""
    with StandInIndex() as stand_in:
        for name in [name for name in os.environ if name.startswith("PIP_") or name.lower().endswith("_proxy")]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
        monkeypatch.setenv("PIP_INDEX_URL", stand_in.simple)
        monkeypatch.setenv("PIP_RETRIES", "0")
        monkeypatch.setenv("PIP_TIMEOUT", "5")
        yield stand_in


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[StandInHub]:
    """An empty hub, which its client library is told to use, with an empty cache."""
    with StandInHub() as stand_in:
        for name in [name for name in os.environ if name.startswith("HF_") or name.lower().endswith("_proxy")]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("HF_ENDPOINT", stand_in.address)
        monkeypatch.setenv("HF_HOME", str(tmp_path / "huggingface"))
        monkeypatch.setenv("HF_HUB_ETAG_TIMEOUT", "2")
        monkeypatch.setenv("HF_HUB_DOWNLOAD_TIMEOUT", "2")
        yield stand_in


@pytest.fixture
def tiny(hub: StandInHub) -> Repository:
    """A repository with a model in two quantisations."""
    return hub.add(REPOSITORY, {FILE: WEIGHTS, "Tiny-Q8_0.gguf": b"other weights", "README.md": b"# Tiny"})


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """The hub's cache on this disk."""
    return tmp_path / "huggingface" / "hub"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of models."""
    return tmp_path / "models"


@pytest.fixture
def secure(index: StandInIndex, tmp_path: Path) -> Path:
    """Make the index speak TLS with a certificate that nobody knows."""
    openssl = shutil.which("openssl")
    if not openssl:
        pytest.skip("no openssl to make a certificate with")
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"]
    command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", *subject]
    subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    index.secure(certificate, key)
    return certificate
