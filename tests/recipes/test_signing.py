"""The maintainer's signature under the records of a model: `make sign` writes it, and OpenSSH checks it."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

RECORDS = Path("models", "trazo", "records", "chain.json")
WHO = "maintainer@example.org"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder with what `make sign` needs of a clone, and a key beside it."""
    folder = tmp_path / "clone"
    folder.joinpath(RECORDS).parent.mkdir(parents=True)
    for name in (Path("Makefile"), RECORDS):
        shutil.copyfile(REPOSITORY / name, folder / name)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "key")], check=True)
    public = (tmp_path / "key.pub").read_text("utf-8")
    (tmp_path / "allowed").write_text(f'{WHO} namespaces="abierto" {public}', "utf-8")
    return folder


def sign(clone: Path) -> None:
    """Sign the records with the key."""
    command = ["make", "sign", f"KEY={clone.parent / 'key'}"]
    subprocess.run(command, cwd=clone, check=True, capture_output=True, timeout=60, stdin=subprocess.DEVNULL)


def verified(clone: Path) -> bool:
    """What the command of the guide says of records and signature."""
    signature = clone / f"{RECORDS}.sig"
    command = ["ssh-keygen", "-Y", "verify", "-f", str(clone.parent / "allowed"), "-I", WHO, "-n", "abierto"]
    with clone.joinpath(RECORDS).open("rb") as records:
        done = subprocess.run([*command, "-s", str(signature)], stdin=records, capture_output=True)
    return done.returncode == 0


def test_records_are_signed_and_a_change_is_noticed(clone: Path) -> None:
    sign(clone)
    assert verified(clone)
    records = clone / RECORDS
    records.write_bytes(records.read_bytes() + b"\n")
    assert not verified(clone)
    sign(clone)  # over the signature that is there
    assert verified(clone)


def test_without_a_key_it_says_how_to_name_one(clone: Path) -> None:
    done = subprocess.run(["make", "sign"], cwd=clone, capture_output=True, text=True)
    assert done.returncode != 0
    assert "KEY=/path/to/key" in done.stderr
    assert not clone.joinpath(f"{RECORDS}.sig").exists()
