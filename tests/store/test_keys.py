"""Keys: in a file that only its owner can read, or in the system's keyring; never anywhere else."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from abierto.store import keys

KEY = "sk-secret-0123456789"
# A keyring of this test's own, which the package takes by its documented variable: it keeps keys in a file.
RING = """
import json, pathlib
from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError

PLACE = pathlib.Path(__file__).with_name("ring.json")

class Ring(KeyringBackend):
    priority = 5

    def _all(self):
        return json.loads(PLACE.read_text()) if PLACE.exists() else {}

    def get_password(self, service, username):
        return self._all().get(f"{service}/{username}")

    def set_password(self, service, username, password):
        PLACE.write_text(json.dumps({**self._all(), f"{service}/{username}": password}))

    def delete_password(self, service, username):
        kept = self._all()
        if kept.pop(f"{service}/{username}", None) is None:
            raise PasswordDeleteError(username)
        PLACE.write_text(json.dumps(kept))
"""


@pytest.fixture(autouse=True)
def no_ring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")


def test_a_key_is_kept_and_forgotten(tmp_path: Path) -> None:
    folder = tmp_path / "config"
    assert keys.get(folder, "groq") == ""
    assert keys.add(folder, "groq", KEY) == "file"
    assert keys.add(folder, "school", "other") == "file"
    assert (keys.get(folder, "groq"), keys.place(folder, "groq")) == (KEY, "file")
    assert keys.remove(folder, "groq")
    assert not keys.remove(folder, "groq")
    assert keys.get(folder, "groq") == keys.place(folder, "groq") == ""
    assert keys.get(folder, "school") == "other"


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_only_its_owner_reads_the_file(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        keys.add(tmp_path / "config", "groq", KEY)
    finally:
        os.umask(before)
    assert (tmp_path / "config" / keys.FILE_NAME).stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "config").stat().st_mode & 0o777 == 0o700
    assert [path.name for path in (tmp_path / "config").iterdir()] == [keys.FILE_NAME]


@pytest.mark.parametrize("damage", ["", "[]", "{", '"x"'])
def test_a_damaged_file_holds_no_key_and_can_be_written_anew(tmp_path: Path, damage: str) -> None:
    (tmp_path / keys.FILE_NAME).write_text(damage)
    assert keys.get(tmp_path, "groq") == ""
    keys.add(tmp_path, "groq", KEY)
    assert keys.get(tmp_path, "groq") == KEY


def test_the_system_s_keyring_is_used_where_there_is_one(tmp_path: Path) -> None:
    pytest.importorskip("keyring")
    (tmp_path / "ring_of_test.py").write_text(RING)
    folder = tmp_path / "config"
    keys.add(folder, "groq", "an older one, in the file")
    code = f"""
import sys; from pathlib import Path; from abierto.store import keys
folder = Path(sys.argv[1])
assert keys.add(folder, "groq", {KEY!r}) == "keyring"
assert (keys.get(folder, "groq"), keys.place(folder, "groq")) == ({KEY!r}, "keyring")
print(Path({str(tmp_path)!r}, "ring.json").read_text())
assert keys.remove(folder, "groq")
assert not keys.remove(folder, "groq")
"""
    environment = {**os.environ, "PYTHON_KEYRING_BACKEND": "ring_of_test.Ring", "PYTHONPATH": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code, str(folder)], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"abierto/groq": KEY}
    assert json.loads((folder / keys.FILE_NAME).read_text()) == {}
