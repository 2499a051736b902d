"""Writes the lock files beside it from pyproject.toml: `make lock` runs it.

core.txt        what the package needs to run
llamacpp.txt    what the extra `llamacpp` adds
hub.txt         what the extra `hub` adds
openvino.txt    what the extra `openvino` adds; installed for the tests only
gguf.txt        what the extra `gguf` adds; installed for the tests only
sentence_encoder.txt    what the extra `sentence_encoder` adds
keyring.txt     what the extra `keyring` adds; installed for the tests only
starter.txt     what the extra `starter` adds
training.txt    what the extra `training` adds, but for PyTorch; installed for the tests only
build.txt       what builds and installs the package itself
dev.txt         what tests and checks it
lock.txt        what this program needs

One lock serves Python 3.11 to 3.14 on Linux, macOS and Windows; each file agrees with those above it. A release
younger than a week is not taken: most broken or hijacked ones are withdrawn within days. The index is the one that pip
is configured to use, and no file names it. PyTorch is in none of them: pytorch.in says why.
"""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

FOLDER = Path(__file__).parent
YOUNGEST = "7 days"


def main() -> None:
    """Lock them all, in the order in which they constrain each other."""
    project = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))
    wanted: dict[str, list[str]] = {
        "core": project["project"]["dependencies"],
        **project["project"]["optional-dependencies"],
        "build": project["build-system"]["requires"],
        **project["dependency-groups"],
    }
    done: list[str] = []
    for name, requirements in wanted.items():
        lock(name, requirements, done)
        done.append(name)


def lock(name: str, requirements: list[str], constraints: list[str]) -> None:
    """Write one lock file, which agrees with the lock files named in `constraints`."""
    command = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--no-config", "--upgrade", "--system-certs",
               "--universal", "--python-version", "3.11", "--generate-hashes", "--exclude-newer", YOUNGEST,
               "--no-emit-index-url", "--no-emit-find-links", "--custom-compile-command", "make lock",
               "--output-file", str(FOLDER / f"{name}.txt"), "-"]  # fmt: skip
    for other in constraints:
        command += ["--constraints", str(FOLDER / f"{other}.txt")]
    given = "\n".join(requirements).encode()
    subprocess.run(command, input=given, env={**os.environ, **index()}, check=True)


def index() -> dict[str, str]:
    """The package index of pip's configuration, under the names that uv reads; nothing where pip has none."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], stdout=subprocess.PIPE, text=True, check=True
    )
    settings = dict(line.split("=", 1) for line in listed.stdout.splitlines())
    for place in (":env:", "install", "global"):
        if address := settings.get(f"{place}.index-url", "").strip("'"):
            return {"UV_DEFAULT_INDEX": address}
    return {}


if __name__ == "__main__":
    main()
