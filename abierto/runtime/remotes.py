"""Models on other computers: which names lead there, with which key, and what those computers have.

A name leads there only if it begins with a provider of the printed table or of the setting `remotes`. Nothing chooses
such a model by itself.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from abierto import config
from abierto.catalog.providers import PROVIDERS, Provider, own
from abierto.errors import InvalidKey, InvalidSetting, KeyMissing, UnknownProvider
from abierto.store import keys

if TYPE_CHECKING:
    from abierto.engines._remote_models import RemoteModel


@dataclass(frozen=True, slots=True)
class Remote:
    """A model on another computer. model: its name there. No key is here."""

    provider: Provider
    model: str


def providers() -> dict[str, Provider]:
    """Those of the table, then those of the settings. Raises InvalidSetting."""
    return {**PROVIDERS, **own(config.settings().remotes)}


def find(name: str) -> Remote | None:
    """The model on another computer that a name means; None for a name of this computer.

    Raises InvalidSetting where the name is that of the setting `model`: words leave this computer when a person names
    such a model, and not when they name none.
    """
    before, _, model = name.partition("/")
    provider = providers().get(before) if model else None
    if provider is None:
        return None
    if config.settings().model == name:
        raise InvalidSetting("model", repr(name), "remotes")
    return Remote(provider, model)


def provider(name: str) -> Provider:
    """The provider of this name, with or without a slash behind it. Raises UnknownProvider."""
    known = providers()
    found = known.get(name.rstrip("/"))
    if found is None:
        raise UnknownProvider(name, list(known))
    return found


def key_of(provider: Provider) -> str:
    """Its key: of the environment, else as it is kept. Empty for a computer of one's own that demands none.

    Raises KeyMissing, InvalidKey.
    """
    key = config.secret(provider.variable) or keys.get(config.folders().config, provider.name)
    if not key and not provider.own:
        raise KeyMissing(provider.name, provider.variable, provider.keys)
    if key and not keys.sound(key):
        raise InvalidKey(provider.name)
    return key


def engine_settings(remote: Remote) -> dict[str, str]:
    """What the engine `remote` is told, the key too: not to be shown or written. Raises KeyMissing."""
    return {
        "provider": remote.provider.name,
        "address": remote.provider.address,
        "model": remote.model,
        "key": key_of(remote.provider),
        "features": ",".join(remote.provider.features),
        "certificates": _certificates(),
    }


def models(provider: Provider) -> "list[RemoteModel]":
    """What it says it has. Raises KeyMissing, and what the engine raises when it does not answer as it should."""
    from abierto.engines.remote import list_models

    return list_models(engine_settings(Remote(provider, "")))


def _certificates() -> str:
    from abierto.store.link import authorities_of_pip  # not above: resolving a name is on the way to every first token

    return config.certificates() or str(authorities_of_pip() or "")
