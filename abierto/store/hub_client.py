"""Asks a Hugging Face hub through its own client library: a program, run by its path, told what to do by arguments.

    list REPOSITORY REVISION                  the files that the repository holds there
    link REPOSITORY REVISION COMMIT PATH...   show files of the cache where the commit's files are looked for

One line of JSON on standard output is the answer, or `failure` with what went wrong. It imports nothing of ours, and
knows neither records nor which file is wanted. In a process of its own, because the library takes half a second to
import, listens to nobody while it waits for a server, and reads its settings from the environment when it is imported.
"""

import errno
import json
import re
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from huggingface_hub.errors import HfHubHTTPError

# Seconds between two tries, and the longest that a server may ask for.
_PAUSES = (0.25, 1.0)
_PATIENCE = 60.0
_TRY_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
# What the disk refuses; everything else that the system reports here is about a connection.
_DISK = frozenset({errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EFBIG, errno.ENOTDIR, errno.EEXIST})


def answer(what: str, *arguments: str) -> dict[str, Any]:
    """Do it, and say what came of it, also if that is a failure."""
    from huggingface_hub import constants

    settings = {
        "endpoint": constants.ENDPOINT,
        "cache": constants.HF_HUB_CACHE,
        "timeout": constants.HF_HUB_DOWNLOAD_TIMEOUT,
    }
    return {**settings, **_attempt(what, arguments)}


def _attempt(what: str, arguments: Sequence[str]) -> dict[str, Any]:
    from httpx2 import HTTPError
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError, RevisionNotFoundError

    try:
        return _list(*arguments) if what == "list" else _link(*arguments)
    except GatedRepoError:
        return {"failure": "gated"}
    except (RepositoryNotFoundError, RevisionNotFoundError):
        return {"failure": "repository"}
    except HfHubHTTPError as problem:
        # A hub of another make may not say in its headers what it is that it has not.
        if problem.response.status_code == 404 and what == "list":
            return {"failure": "repository"}
        return {"failure": "unreachable", "detail": _told(problem)}
    except (HTTPError, ValueError) as problem:
        return {"failure": "unreachable", "detail": f"{type(problem).__name__}: {problem}"}
    except OSError as problem:
        if problem.errno in _DISK:
            return {"failure": "disk", "errno": problem.errno}
        return {"failure": "unreachable", "detail": str(problem.__cause__ or problem)}


def _list(repository: str, revision: str) -> dict[str, Any]:
    from httpx2 import HTTPError, TransportError
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    try:
        return _patiently(lambda: _asked(repository, revision))
    except (OfflineModeIsEnabled, HTTPError) as problem:
        silent = isinstance(problem, OfflineModeIsEnabled | TransportError) or (
            isinstance(problem, HfHubHTTPError) and problem.response.status_code in _TRY_AGAIN
        )
        cached = _cached(repository, revision) if silent else None
        if cached is None:
            raise
        told = _told(problem) if isinstance(problem, HfHubHTTPError) else str(problem)
        return {**cached, "unasked": told}


def _asked(repository: str, revision: str) -> dict[str, Any]:
    from huggingface_hub import HfApi, constants, get_hf_file_metadata, get_token, hf_hub_url

    patience = constants.HF_HUB_ETAG_TIMEOUT
    found = HfApi().model_info(repository, revision=revision, files_metadata=True, timeout=patience)
    commit = found.sha or revision
    files = [
        {
            "path": file.rfilename,
            "size": file.lfs.size if file.lfs else file.size or 0,
            "sha256": file.lfs.sha256 if file.lfs else None,
            "url": hf_hub_url(repository, file.rfilename, revision=commit),
        }
        for file in found.siblings or ()
    ]
    if found.gated and files:
        # What the repository holds is shown to everybody; whether this person may have it, only here.
        get_hf_file_metadata(str(files[0]["url"]), timeout=patience)
    token = None if constants.HF_HUB_DISABLE_IMPLICIT_TOKEN else get_token()
    authorization = f"Bearer {token}" if token else None
    modified = f"{found.last_modified:%Y-%m-%dT%H:%M:%SZ}" if found.last_modified else ""
    about = {"commit": commit, "modified": modified, "authorization": authorization}
    return {**about, "folder": str(_folder(repository)), "files": files}


def _cached(repository: str, revision: str) -> dict[str, Any] | None:
    """What the cache has of a revision, as far as that is known without asking; None for nothing."""
    folder = _folder(repository)
    reference = folder / "refs" / revision
    commit = revision
    if not _COMMIT.fullmatch(revision) and reference.is_file():
        commit = reference.read_text("utf-8").strip()
    snapshot = folder / "snapshots" / commit
    files = []
    for path in sorted(snapshot.rglob("*")):
        if path.is_file():
            blob = path.resolve().name
            sha256 = blob if _SHA256.fullmatch(blob) else None
            place = path.relative_to(snapshot).as_posix()
            files.append({"path": place, "size": path.stat().st_size, "sha256": sha256, "url": ""})
    return {"commit": commit, "folder": str(folder), "files": files, "authorization": None} if files else None


def _link(repository: str, revision: str, commit: str, *paths: str) -> dict[str, Any]:
    from huggingface_hub import hf_hub_download

    now = hf_hub_download(repository, paths[0], revision=revision, dry_run=True)
    # By the name that it was asked for, so that other programs find it by that name without a network; but never
    # another commit than the one whose file was fetched.
    at = revision if now.commit_hash == commit else commit
    return {"paths": [hf_hub_download(repository, path, revision=at) for path in paths]}


def _folder(repository: str) -> Path:
    from huggingface_hub import constants
    from huggingface_hub.file_download import repo_folder_name

    return Path(constants.HF_HUB_CACHE, repo_folder_name(repo_id=repository, repo_type="model")).absolute()


def _patiently(ask: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    from httpx2 import TransportError
    from huggingface_hub.errors import HfHubHTTPError

    for pause in _PAUSES:
        wait = pause
        try:
            return ask()
        except HfHubHTTPError as problem:
            asked = problem.response.headers.get("Retry-After", "")
            wait = max(pause, float(asked) if asked.isdecimal() else 0.0)
            if problem.response.status_code not in _TRY_AGAIN or wait > _PATIENCE:
                raise
        except TransportError:
            pass
        time.sleep(wait)
    return ask()


def _told(problem: "HfHubHTTPError") -> str:
    response = problem.response
    line = f"{response.status_code} {response.reason_phrase}"
    return f"{line}: {problem.server_message}" if problem.server_message else line


if __name__ == "__main__":
    sys.stdout.write(json.dumps(answer(*sys.argv[1:])))
