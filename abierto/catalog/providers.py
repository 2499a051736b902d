"""Other computers that a name may lead to: the printed table of providers, and the addresses of a person's own.

A name that begins with one of these and a slash (`groq/llama-3.3-70b-versatile`) is the only way that words leave this
computer. Nothing here connects to anything, and no key is here.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from abierto.errors import InvalidSetting

# What every one of them can do.
_USUAL = ("chat", "images", "reasoning", "schema", "seed", "tools")
_ALL = (*_USUAL, "complete", "embed", "logit_bias", "logprobs", "rerank")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
# What means something else where a model is named.
_TAKEN = ("file", "hf", "http", "https", "pypi")


@dataclass(frozen=True, slots=True)
class Provider:
    """Another computer that speaks OpenAI's dialect.

    address: what stands before `/chat/completions`. variable: of the environment, with the key. features: as those of a
    `Session`; what a single model lacks of them, the provider says itself. keys: the page where a key is made.
    documents: where this was read; read: when, ISO date. own: named in the settings, not in the table.
    """

    name: str
    address: str
    variable: str
    features: tuple[str, ...] = _ALL
    keys: str = ""
    documents: tuple[str, ...] = ()
    read: str = ""
    own: bool = False

    @property
    def host(self) -> str:
        """Where the words go: the name of the computer, with its port if that is told."""
        return urlsplit(self.address).netloc


PROVIDERS: dict[str, Provider] = {
    "openrouter": Provider(
        "openrouter",
        "https://openrouter.ai/api/v1",
        "OPENROUTER_API_KEY",
        _ALL,
        "https://openrouter.ai/settings/keys",
        (
            "https://openrouter.ai/docs/api/reference/overview",
            "https://openrouter.ai/docs/api/reference/errors-and-debugging",
        ),
        "2026-11-23",
    ),
    "groq": Provider(
        "groq",
        "https://api.groq.com/openai/v1",
        "GROQ_API_KEY",
        (*_USUAL, "embed"),
        "https://console.groq.com/keys",
        ("https://console.groq.com/docs/openai", "https://github.com/groq/groq-python"),
        "2026-11-23",
    ),
    "together": Provider(
        "together",
        "https://api.together.xyz/v1",
        "TOGETHER_API_KEY",
        _ALL,
        "https://api.together.ai/settings/api-keys",
        (
            "https://docs.together.ai/docs/openai-api-compatibility",
            "https://github.com/togethercomputer/together-python",
        ),
        "2026-11-23",
    ),
    "sambanova": Provider(
        "sambanova",
        "https://api.sambanova.ai/v1",
        "SAMBANOVA_API_KEY",
        (*_USUAL, "complete", "embed", "logprobs"),
        "https://cloud.sambanova.ai/apis",
        (
            "https://docs.sambanova.ai/docs/en/api-reference/using-the-api/api-error-codes",
            "https://github.com/sambanova/sambanova-python",
        ),
        "2026-11-23",
    ),
    "huggingface": Provider(
        "huggingface",
        "https://router.huggingface.co/v1",
        "HF_TOKEN",
        (*_USUAL, "logprobs"),
        "https://huggingface.co/settings/tokens",
        ("https://huggingface.co/docs/inference-providers/index",),
        "2026-11-23",
    ),
}


def own(remotes: Iterable[str]) -> dict[str, Provider]:
    """The computers that the setting `remotes` names, each as `NAME=ADDRESS`. Raises InvalidSetting."""
    found: dict[str, Provider] = {}
    for entry in remotes:
        name, _, address = entry.partition("=")
        if not _NAME.fullmatch(name) or name in (*PROVIDERS, *_TAKEN, *found) or not _is_address(address):
            raise InvalidSetting("remotes", repr(entry), "remotes")
        variable = f"ABIERTO_KEY_{name.upper().replace('-', '_')}"
        found[name] = Provider(name, address.rstrip("/"), variable, own=True)
    return found


def _is_address(address: str) -> bool:
    try:
        parts = urlsplit(address)
        return bool(
            parts.scheme in ("http", "https")
            and parts.hostname
            and parts.port != 0
            # A password in an address would be shown wherever the address is.
            and not (parts.username or parts.password or parts.query or parts.fragment)
            and address.isascii()
            and address.isprintable()
            and " " not in address
        )
    except ValueError:
        return False
