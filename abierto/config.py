"""Where things lie and how a person wants them: the folders, the settings file, the environment.

The only reader of the environment. A setting is looked for in the variable ABIERTO_<NAME>, then in the settings
file (`config.toml`), then its default holds.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

from abierto.errors import FolderNotWritable, InvalidSetting

FILE_NAME = "config.toml"


@dataclass(frozen=True, slots=True)
class Folders:
    """data: models, journal, the person's own cards. config: the settings file."""

    data: Path
    config: Path

    @property
    def models(self) -> Path:
        """One folder for each pulled model."""
        return self.data / "models"

    @property
    def cards(self) -> Path:
        """The person's own cards, and those of the models that were made here."""
        return self.data / "cards"

    @property
    def logs(self) -> Path:
        """What the server was asked."""
        return self.data / "logs"

    @property
    def cache(self) -> Path:
        """What engines keep so that the next start is faster. May be deleted at any time."""
        return self.data / "cache"


@dataclass(frozen=True, slots=True)
class Settings:
    """What a person can set, with the defaults.

    language: `en` or `es`; empty: what the system says.
    model: the model that is used when none is named. image_model: the one that draws when none is named.
    engine: the engine that is used when none is named; `auto`: the fastest by `abierto tune`, or the first that reads
    the file.
    llama_server: path of a `llama-server` program to use in place of the built-in llama.cpp.
    threads: processor threads to compute with; 0: one for each physical core.
    context: tokens of a conversation; 0: what the model was trained for, up to 8192 and to what fits.
    memory_margin: megabytes that a model leaves free for the rest of the computer.
    journal: address of the journal's database; empty: a file in the data folder.
    keep_conversations: whether conversations in the terminal are kept in the journal.
    keep_compiled: whether the engine openvino keeps weights in its own form, too: large GGUF files then start faster
    the next time, and take their space on the disk a second time.
    other_programs: whether models that other programs keep on this disk are used.
    folders: folders with model files, beside those of other programs.
    host: the address that the server listens on. port: its port.
    keep_alive: seconds that the server keeps a model loaded after its last answer; negative: for ever.
    users: how many answers of one model the server computes at once; 0: as many as take little of the memory.
    queue: how many requests may wait for one model in the server.
    request_seconds: the longest that one request may take.
    client_seconds: how long the server waits for a client that does not send or take what it should; a large body may
    take longer, as long as it arrives.
    cors: origins of web pages that may use the server.
    log_prompts: whether the server's log holds the bodies of requests, with what was said.
    remotes: computers of one's own whose models may be named, each as `NAME=ADDRESS`; see `catalog.providers`.
    remotes_over_api: whether the server passes requests on to models on other computers.
    """

    language: str = ""
    model: str = "smollm2:135m"
    image_model: str = "trazo"
    engine: str = "auto"
    llama_server: str = ""
    threads: int = 0
    context: int = 0
    memory_margin: int = 500
    journal: str = ""
    keep_conversations: bool = True
    keep_compiled: bool = False
    other_programs: bool = True
    folders: tuple[str, ...] = ()
    host: str = "127.0.0.1"
    port: int = 11435
    keep_alive: int = 300
    users: int = 0
    queue: int = 64
    request_seconds: int = 600
    client_seconds: int = 30
    cors: tuple[str, ...] = ()
    log_prompts: bool = False
    remotes: tuple[str, ...] = ()
    remotes_over_api: bool = False

    def model_for(self, task: str) -> str:
        """The model that is used for a task when none is named."""
        return self.image_model if task == "draw" else self.model


@dataclass(frozen=True, slots=True)
class Places:
    """Where models may lie that no pull of ours brought. Nothing says that any of these folders is there.

    ollama: folders with `manifests` and `blobs`. lm_studio: home folders of people who may have it. hub: caches of the
    Hugging Face hub. folders: those of the settings.
    """

    ollama: tuple[Path, ...] = ()
    lm_studio: tuple[Path, ...] = ()
    hub: tuple[Path, ...] = ()
    folders: tuple[Path, ...] = ()


def folders(environment: Mapping[str, str] = os.environ) -> Folders:
    """The folders of this person on this computer. ABIERTO_HOME puts all of them into one place."""
    if home := environment.get("ABIERTO_HOME"):
        root = Path(home).expanduser().absolute()
        return Folders(root / "data", root)
    from platformdirs import PlatformDirs

    found = PlatformDirs("abierto", appauthor=False)
    return Folders(Path(found.user_data_dir), Path(found.user_config_dir))


def settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings in force. Raises InvalidSetting, which names the variable or the file."""
    path = folders(environment).config / FILE_NAME
    chosen = {**_from_file(path), **_from_environment(environment)}
    return Settings(**chosen)


def change(name: str, value: bool, environment: Mapping[str, str] = os.environ) -> None:
    """Write a switch into the settings file; the other lines stay. Raises InvalidSetting, FolderNotWritable."""
    import re  # not above: settings are on the way to every first token

    path = folders(environment).config / FILE_NAME
    _from_file(path)  # what cannot be read is not written over
    fresh = path.with_name(f".{FILE_NAME}.{os.getpid()}")
    try:
        before = path.read_text("utf-8").splitlines() if path.exists() else []
        kept = [line for line in before if not re.match(rf"""\s*["']?{name}["']?\s*=""", line)]
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Above the rest: below the head of a table it would be another name.
        fresh.write_text("\n".join([f"{name} = {str(value).lower()}", *kept, ""]), "utf-8")
        fresh.replace(path)
    except OSError as error:
        raise FolderNotWritable(str(path.parent)) from error


def places(chosen: Settings | None = None, environment: Mapping[str, str] = os.environ) -> Places:
    """Where models of other programs are looked for, by the settings in force or others. Raises InvalidSetting."""
    chosen = chosen or settings(environment)
    named = tuple(Path(os.path.expanduser(folder)).absolute() for folder in chosen.folders)  # noqa: PTH111 - never fails
    if not chosen.other_programs:
        return Places(folders=named)
    home = Path(environment.get("HOME") or Path.home())
    own = environment.get("OLLAMA_MODELS")
    # Where the service of Linux keeps them, which runs as a user of its own.
    service = Path("/usr/share/ollama/.ollama/models")
    ollama = (Path(own).expanduser(),) if own else (home / ".ollama" / "models", service)
    return Places(ollama, (home,), (_hub_cache(environment, home),), named)


def _hub_cache(environment: Mapping[str, str], home: Path) -> Path:
    """The folder that the hub's own client takes: https://huggingface.co/docs/huggingface_hub/guides/manage-cache."""
    if cache_ := environment.get("HF_HUB_CACHE") or environment.get("HUGGINGFACE_HUB_CACHE"):
        return Path(cache_).expanduser()
    if hub := environment.get("HF_HOME"):
        return Path(hub).expanduser() / "hub"
    caches = environment.get("XDG_CACHE_HOME")
    return (Path(caches).expanduser() if caches else home / ".cache") / "huggingface" / "hub"


def system_language(environment: Mapping[str, str] = os.environ) -> str:
    """The language tag that the system asks for, by the order of POSIX."""
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if tag := environment.get(variable):
            return tag
    return _desktop_language()


def certificates(environment: Mapping[str, str] = os.environ) -> str | None:
    """Authorities to trust, a file or a folder, from the variables by which pip and its library are told of them."""
    return environment.get("REQUESTS_CA_BUNDLE") or environment.get("CURL_CA_BUNDLE") or None


def secret(variable: str, environment: Mapping[str, str] = os.environ) -> str:
    """The key for another computer that a variable holds, or an empty text."""
    return environment.get(variable, "").strip()


def wants_colour(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether a terminal may get colours: see no-color.org; a dumb terminal shows the codes as rubbish."""
    return not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"


def has_display(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether there is a screen for windows, on systems that say so in the environment (X11, Wayland)."""
    return bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))


@cache
def _desktop_language() -> str:
    # Windows and macOS programs get no LANG; the C library knows what the person chose.
    import locale

    return locale.getlocale()[0] or "en"


def _from_file(path: Path) -> dict[str, Any]:
    try:
        written = path.read_text("utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidSetting(FILE_NAME, str(error), str(path)) from error
    import tomllib

    try:
        body = tomllib.loads(written)
    except tomllib.TOMLDecodeError as error:
        raise InvalidSetting(FILE_NAME, str(error), str(path)) from error
    kinds = {item.name: type(item.default) for item in fields(Settings)}
    for name, value in body.items():
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            body[name] = value = tuple(value)
        if type(value) is not kinds.get(name):
            raise InvalidSetting(name, repr(value), str(path))
    return body


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for item in fields(Settings):
        variable = f"ABIERTO_{item.name.upper()}"
        value = environment.get(variable)
        if value is not None:
            found[item.name] = _parsed(value, type(item.default), variable)
    return found


def _parsed(value: str, kind: type, variable: str) -> Any:
    switches = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
    if kind is tuple:  # as in PATH, but addresses hold the character that stands between paths
        return tuple(item.strip() for item in value.split("," if "://" in value else os.pathsep) if item)
    try:
        return switches[value.lower()] if kind is bool else kind(value)
    except (KeyError, ValueError) as error:
        raise InvalidSetting(variable, repr(value), "environment") from error
