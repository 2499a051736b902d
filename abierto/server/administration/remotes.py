"""Models on other computers over our own dialect: whether words may leave, and the keys. A key is written, never read
back. Only for the person at the server's computer.
"""

from typing import Any

from msgspec import Struct

from abierto import config
from abierto.catalog.providers import Provider
from abierto.errors import InvalidKey, KeyNotKept, RemotesOff
from abierto.runtime import remotes
from abierto.server.administration.owner import check
from abierto.server.exchange import Call, Reply, Route
from abierto.store import keys


class AllowedBody(Struct):
    """allowed: the setting `remotes_over_api`."""

    allowed: bool


class KeyBody(Struct):
    """key: as the provider made it."""

    key: str


def all_remotes(call: Call) -> Reply:
    """Every provider, with its address and where its key is: `environment`, `keyring`, `file`, or nothing."""
    check(call)
    told = [_told(one) for one in remotes.providers().values()]
    return Reply({"allowed": config.settings().remotes_over_api, "remotes": told})


def allow(call: Call) -> Reply:
    """Let the words of requests leave this computer, or not any more. The environment, if it says so, has the last
    word."""
    check(call)
    config.change("remotes_over_api", call.body.allowed)
    return Reply({"allowed": config.settings().remotes_over_api})


def keep_key(call: Call) -> Reply:
    """Keep the key of a provider, in place of an earlier one."""
    check(call)
    found, key = remotes.provider(call.path["name"]), call.body.key.strip()
    if not keys.sound(key):
        raise InvalidKey(found.name)
    keys.add(config.folders().config, found.name, key)
    return Reply(_told(found))


def forget_key(call: Call) -> Reply:
    """Forget the key of a provider."""
    check(call)
    found = remotes.provider(call.path["name"])
    if not keys.remove(config.folders().config, found.name):
        raise KeyNotKept(found.name)
    return Reply(_told(found))


def models(call: Call) -> Reply:
    """What a provider says it has: it is asked now. Prices in US dollars for a million tokens."""
    check(call)
    found = remotes.provider(call.path["name"])
    if not config.settings().remotes_over_api:
        raise RemotesOff(f"{found.name}/")
    told = [
        {
            "name": f"{found.name}/{one.name}",
            "context": one.context or None,
            "prompt_price": one.prompt_price,
            "completion_price": one.completion_price,
        }
        for one in remotes.models(found)
    ]
    return Reply({"models": told})


def _told(one: Provider) -> dict[str, Any]:
    place = "environment" if config.secret(one.variable) else keys.place(config.folders().config, one.name)
    return {
        "name": one.name,
        "host": one.host,
        "address": one.address,
        "key": place or None,
        "keys": one.keys or None,
        "own": one.own,
    }


ROUTES = (
    Route("GET", "/abierto/v1/remotes", all_remotes, blocking=True),
    Route("PUT", "/abierto/v1/remotes", allow, AllowedBody, blocking=True),
    Route("PUT", "/abierto/v1/remotes/{name}/key", keep_key, KeyBody, blocking=True, secret=True),
    Route("DELETE", "/abierto/v1/remotes/{name}/key", forget_key, blocking=True),
    Route("GET", "/abierto/v1/remotes/{name}/models", models, blocking=True),
)
