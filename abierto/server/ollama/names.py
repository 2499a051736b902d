"""Names of models as Ollama's clients write them: those without a tag mean the tag `latest`, and may say so."""

from abierto import config
from abierto.errors import InvalidRequest
from abierto.store import elsewhere

LATEST = ":latest"
_HUB = ("hf.co/", "huggingface.co/")


def ours(name: str) -> str:
    """What a model is called here. Raises InvalidRequest for no name at all."""
    if not name:
        raise InvalidRequest("the name of a model is needed", "$.model")
    # A model of Ollama's own is called so, and may be another one than ours of the same name without the tag.
    if not name.endswith(LATEST) or elsewhere.named(config.places(), name):
        return name
    return name.removesuffix(LATEST)


def theirs(name: str) -> str:
    """What a model of ours is called in a list: always with a tag, on which clients rely."""
    return name if ":" in name.rsplit("/", 1)[-1] else name + LATEST


def source(name: str) -> str:
    """What `pull` takes for it: a repository of the hub is `hf:`, and its tag the letters of a quantisation.

    Raises InvalidRequest for no name, and for a file of this computer, which no request may name.
    """
    if name.startswith("file:"):
        raise InvalidRequest("the server reads no file because a request names it", "$.model")
    for host in _HUB:
        if name.startswith(host):
            repository, _, tag = name.removeprefix(host).partition(":")
            return f"hf:{repository}" + (f":{tag}" if tag and tag != "latest" else "")
    return ours(name)
