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

from abierto.errors import InvalidSetting

FILE_NAME = "config.toml"


@dataclass(frozen=True, slots=True)
class Folders:
    """data: models, journal. config: the settings file."""

    data: Path
    config: Path

    @property
    def models(self) -> Path:
        """One folder for each pulled model."""
        return self.data / "models"

    @property
    def cache(self) -> Path:
        """What engines keep so that the next start is faster. May be deleted at any time."""
        return self.data / "cache"


@dataclass(frozen=True, slots=True)
class Settings:
    """What a person can set, with the defaults.

    language: `en` or `es`; empty: what the system says.
    model: the model that is used when none is named.
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
    """

    language: str = ""
    model: str = "smollm2:135m"
    engine: str = "auto"
    llama_server: str = ""
    threads: int = 0
    context: int = 0
    memory_margin: int = 500
    journal: str = ""
    keep_conversations: bool = True
    keep_compiled: bool = False


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


def system_language(environment: Mapping[str, str] = os.environ) -> str:
    """The language tag that the system asks for, by the order of POSIX."""
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if tag := environment.get(variable):
            return tag
    return _desktop_language()


def certificates(environment: Mapping[str, str] = os.environ) -> str | None:
    """Authorities to trust, a file or a folder, from the variables by which pip and its library are told of them."""
    return environment.get("REQUESTS_CA_BUNDLE") or environment.get("CURL_CA_BUNDLE") or None


def wants_colour(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether a terminal may get colours: see no-color.org; a dumb terminal shows the codes as rubbish."""
    return not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"


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
    try:
        return switches[value.lower()] if kind is bool else kind(value)
    except (KeyError, ValueError) as error:
        raise InvalidSetting(variable, repr(value), "environment") from error
