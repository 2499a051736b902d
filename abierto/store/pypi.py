"""From a package's name and version to the address and SHA-256 of its wheel, by asking this computer's pip.

pip knows the index, the mirror and the credentials that the person set up. It installs nothing here.
"""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from abierto.errors import AbiertoError, HashMismatch, PackageNotFound, SourceUnreachable
from abierto.store.progress import PullProgress

# How often whoever waits is told that we still do, in seconds.
_BEAT = 0.1

_UNREACHED = re.compile(r"Could not fetch URL (\S+): (?!404 )(.*) - skipping|HTTP error (\d+) while getting (\S+)")
_HASHES = re.compile(r"Expected sha256 (\w+)\s+(?:\S+ )?Got\s+(\w+)")
_ERROR = re.compile(r"ERROR: (.+)")
_USERINFO = re.compile(r"(?<=//)[^/@\s]*@")


@dataclass(frozen=True, slots=True)
class Wheel:
    """A file on an index or on this disk. The URL holds no credentials; the index promises the SHA-256."""

    url: str
    sha256: str

    @property
    def local(self) -> Path | None:
        """Where the file lies, for an index that is a folder on this disk."""
        place = urlsplit(self.url)
        return Path(url2pathname(place.path)) if place.scheme == "file" else None


def resolve(name: str, version: str) -> Generator[PullProgress, None, Wheel]:
    """Find the wheel of a package for this computer; closing the generator ends the search.

    Raises PackageNotFound, SourceUnreachable, HashMismatch.
    """
    with tempfile.TemporaryDirectory(prefix="abierto-", ignore_cleanup_errors=True) as place:
        report, log = Path(place, "report.json"), Path(place, "log.txt")
        with Path(place, "output.txt").open("w+", encoding="utf-8", errors="replace") as output:
            command = _command(f"{name}=={version}", report, log)
            # -P and its own log, report and output: neither the current folder nor a warning gets in between.
            with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT) as child:
                try:
                    while _still_runs(child):
                        yield PullProgress("resolve", 0)
                finally:
                    child.kill()
            output.seek(0)
            said = output.read()
        if child.returncode:
            heard = log.read_text("utf-8", "replace") if log.exists() else ""
            raise _failure(name, version, said, heard)
        return _wheel(name, version, json.loads(report.read_text("utf-8")))


def _command(requirement: str, report: Path, log: Path) -> list[str]:
    return [
        *(sys.executable, "-P", "-m", "pip", "install", requirement),
        *("--dry-run", "--ignore-installed", "--no-deps", "--only-binary", ":all:", "--no-user"),
        *("--quiet", "--no-input", "--disable-pip-version-check", "--report", str(report), "--log", str(log)),
        # Where an index has no separate metadata, pip has to fetch the wheel to read it. Its cache would then
        # hold a second copy of the model, which nobody would find when they look for what fills their disk.
        "--no-cache-dir",
    ]


def _still_runs(child: subprocess.Popen[bytes]) -> bool:
    try:
        child.wait(_BEAT)
    except subprocess.TimeoutExpired:
        return True
    return False


def _wheel(name: str, version: str, report: dict[str, Any]) -> Wheel:
    found = report["install"][0]["download_info"]
    hashes = found.get("archive_info", {}).get("hashes", {})
    if "sha256" not in hashes:
        raise PackageNotFound(name, version, json.dumps({"url": _clean(found["url"]), "hashes": hashes}))
    return Wheel(found["url"], hashes["sha256"])


def _failure(name: str, version: str, said: str, log: str) -> AbiertoError:
    """What pip's words mean. The log holds what it says only to those who ask for everything."""
    unreached = _UNREACHED.search(log)
    if unreached:
        url, reason, status, wheel_url = unreached.groups()
        return SourceUnreachable(host_of(url or wheel_url), _clean(reason or f"HTTP {status}"))
    different = _HASHES.search(said)
    if different:
        return HashMismatch(f"{name}=={version}", different[1], different[2])
    errors = _ERROR.findall(said) or said.strip().splitlines()[-1:]
    # The one that names the versions there are is worth more than the last one, which repeats the question.
    telling = [line for line in errors if "from versions:" in line] or errors
    return PackageNotFound(name, version, _clean(telling[-1] if telling else ""))


def _clean(text: str) -> str:
    return _USERINFO.sub("", text)


def host_of(url: str) -> str:
    """The host of an address, with its port if it has one, without credentials."""
    return urlsplit(url).netloc.rpartition("@")[2]
