"""What a model can be asked: for each task the request that goes in; the events that come out are in `events`.

A session has one method for each task that is among its features, by the name of the task.
"""

from abierto.tasks.chat import ChatRequest
from abierto.tasks.complete import CompleteRequest
from abierto.tasks.draw import DrawRequest
from abierto.tasks.embed import EmbedRequest
from abierto.tasks.rerank import RerankRequest

Request = ChatRequest | CompleteRequest | DrawRequest | EmbedRequest | RerankRequest

TASKS: dict[str, type[Request]] = {
    "chat": ChatRequest,
    "complete": CompleteRequest,
    "draw": DrawRequest,
    "embed": EmbedRequest,
    "rerank": RerankRequest,
}
