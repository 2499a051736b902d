"""Whether a model can think before it answers, as the chat template in its file says. It knows no engine."""

import re

from abierto.errors import ModelCannotThink
from abierto.formats.gguf import read_header
from abierto.runtime.resolve import Target
from abierto.tasks.chat import ChatRequest

# What templates of models that think have in them: a switch, the marks around a thought, or a place for it.
_THINKS = re.compile(r"enable_thinking|<think>|\[THINK\]|reasoning|thinking", re.IGNORECASE)


def in_template(chat_template: str) -> bool:
    """Whether a model with this chat template thinks."""
    return bool(_THINKS.search(chat_template))


def check(request: ChatRequest, target: Target) -> None:
    """Raise ModelCannotThink where it shall think and is known not to."""
    if request.reasoning and target.format == "gguf":
        template = read_header(target.files[0]).chat_template
        if template and not in_template(template):
            raise ModelCannotThink(target.name)
