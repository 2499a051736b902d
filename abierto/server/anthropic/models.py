"""The models that can be talked to, as Anthropic's /v1/models lists them.

OpenAI has the same path in another form; whoever sends the header that all of Anthropic's clients send gets this one.
"""

from datetime import UTC, datetime
from typing import Any

from abierto.errors import InvalidRequest, OptionOutOfRange
from abierto.runtime import known
from abierto.runtime.known import Known
from abierto.server.exchange import Call, Reply, Route

HEADER = "anthropic-version"
USUAL_PAGE, LONGEST_PAGE = 20, 1000


def models(call: Call) -> Reply:
    """List the models that can be talked to, the newest first."""
    found = [one for one in known.all_models() if one.task == "chat"]
    return Reply(page(sorted(found, key=lambda one: -one.created), call.query))


def model(call: Call) -> Reply:
    """Tell about one model."""
    return Reply(_told(known.named(call.path["name"])))


def page(found: list[Known], query: Any) -> Any:
    """The part of the list that the query asks for. Raises InvalidRequest, OptionOutOfRange."""
    limit = _limit(query.get("limit", str(USUAL_PAGE)))
    names = [one.name for one in found]
    first, end = 0, len(found)
    if after := query.get("after_id"):
        first = _place(names, after, "after_id") + 1
    if before := query.get("before_id"):
        end = _place(names, before, "before_id")
        first = max(first, end - limit)
    part = found[first:end][:limit]
    more = first > 0 if before else first + len(part) < end
    edges = {"first_id": part[0].name if part else None, "last_id": part[-1].name if part else None}
    return {"data": [_told(one) for one in part], "has_more": more, **edges}


def _limit(given: str) -> int:
    try:
        limit = int(given)
    except ValueError as error:
        raise InvalidRequest("a number is needed", "limit") from error
    if not 1 <= limit <= LONGEST_PAGE:
        raise OptionOutOfRange("limit", limit, 1, LONGEST_PAGE)
    return limit


def _place(names: list[str], name: str, where: str) -> int:
    if name not in names:
        raise InvalidRequest("there is no model of this name in the list", where)
    return names.index(name)


def _told(one: Known) -> dict[str, Any]:
    came = datetime.fromtimestamp(one.created, UTC)
    return {
        "type": "model",
        "id": one.name,
        "display_name": one.name,
        "created_at": came.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "lifecycle": "active",
    }


ROUTES = (
    Route("GET", "/v1/models", models, blocking=True, header=HEADER),
    Route("GET", "/v1/models/{name:path}", model, blocking=True, header=HEADER),
)
