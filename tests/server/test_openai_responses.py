"""OpenAI's responses, with the client that OpenAI makes, which checks every form by its own types."""

import asyncio
import base64
from collections.abc import Sequence
from time import monotonic
from typing import Any

import openai
import psutil
import pytest
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from tests.server.conftest import PATIENCE, Serve, Served

TOOL: Any = {
    "type": "function",
    "name": "weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    "strict": False,
}
EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
WHOLE = [
    "response.created",
    "response.in_progress",
    "response.output_item.added",
    "response.content_part.added",
    "response.output_text.delta",
    "response.output_text.delta",
    "response.output_text.done",
    "response.content_part.done",
    "response.output_item.done",
    "response.completed",
]


@pytest.fixture(scope="module")
def client(server: Served) -> openai.OpenAI:
    return strict(server)


def strict(server: Served) -> openai.OpenAI:
    return openai.OpenAI(
        base_url=f"{server.address}/v1", api_key="none", max_retries=0, _strict_response_validation=True
    )


def checked(events: Sequence[Any]) -> list[Any]:
    """The events, each of its own type and in the order of their numbers."""
    for event in events:
        EVENT.validate_python(event.model_dump(by_alias=True, exclude_unset=True), strict=True)
    numbers = [event.sequence_number for event in events]
    assert numbers == list(range(numbers[0], numbers[0] + len(events)))
    return list(events)


def ended(client: openai.OpenAI, name: str) -> Response:
    """The response when it has ended: its stream tells when."""
    list(client.responses.retrieve(name, stream=True))
    return client.responses.retrieve(name)


def eventually(client: openai.OpenAI, name: str) -> Response:
    """The response as soon as it is kept."""
    until = monotonic() + PATIENCE
    while True:
        try:
            return client.responses.retrieve(name)
        except openai.NotFoundError:
            assert monotonic() < until


def test_a_whole_answer(client: openai.OpenAI) -> None:
    answer = client.responses.create(model="echo", input="hello there", metadata={"a": "b"}, max_output_tokens=10)
    assert answer.output_text == "hello there"
    assert answer.status == "completed"
    assert (answer.metadata, answer.max_output_tokens, answer.store) == ({"a": "b"}, 10, True)  # type: ignore[attr-defined]
    assert answer.usage
    assert (answer.usage.input_tokens, answer.usage.output_tokens, answer.usage.total_tokens) == (3, 2, 5)
    Response.model_validate(answer.model_dump(by_alias=True), strict=True)


def test_a_stream_tells_all_events_in_their_order(client: openai.OpenAI) -> None:
    events = checked(list(client.responses.create(model="echo", input="hello there", stream=True)))
    assert [event.type for event in events] == WHOLE
    assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == "hello there"
    assert events[-1].response == client.responses.retrieve(events[-1].response.id)


def test_the_accumulating_stream_of_the_client(client: openai.OpenAI) -> None:
    with client.responses.stream(model="echo", input='weather {"city": "Lima"}', tools=[TOOL]) as stream:
        kinds = [event.type for event in stream]
        answer = stream.get_final_response()
    assert kinds[2:6] == [
        "response.output_item.added",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "response.output_item.done",
    ]
    [call] = answer.output
    assert call.type == "function_call"
    assert (call.name, call.arguments) == ("weather", '{"city": "Lima"}')


def test_the_asynchronous_client(server: Served) -> None:
    async def ask() -> tuple[Response, list[Any]]:
        async with openai.AsyncOpenAI(
            base_url=f"{server.address}/v1", api_key="none", max_retries=0, _strict_response_validation=True
        ) as client:
            answer = await client.responses.create(model="echo", input="hello there")
            stream = await client.responses.create(model="echo", input="hello there", stream=True)
            return answer, [event async for event in stream]

    answer, events = asyncio.run(ask())
    assert answer.output_text == "hello there"
    assert [event.type for event in checked(events)] == WHOLE


def test_the_asynchronous_client_in_the_background(serve: Serve) -> None:
    async def ask(server: Served) -> tuple[Response, list[Any]]:
        async with openai.AsyncOpenAI(
            base_url=f"{server.address}/v1", api_key="none", max_retries=0, _strict_response_validation=True
        ) as client:
            begun = await client.responses.create(model="endless", input="x", background=True)
            stream = await client.responses.retrieve(begun.id, stream=True)
            seen: list[Any] = []
            async for event in stream:
                seen.append(event)
                if event.type == "response.output_text.delta" and len(seen) < 100:
                    await client.responses.cancel(begun.id)
            return await client.responses.retrieve(begun.id), seen

    answer, events = asyncio.run(ask(serve()))
    assert answer.status == "cancelled"
    assert checked(events)[-1].response.status == "cancelled"


def test_one_whose_client_went_away_is_cancelled_and_frees_its_place(serve: Serve) -> None:
    with strict(serve(users=1)) as client:
        stream = client.responses.create(model="endless", input="x", stream=True)
        begun: Any = next(iter(stream))
        stream.close()
        assert client.responses.create(model="endless", input="x", max_output_tokens=1).status == "incomplete"
        assert eventually(client, begun.response.id).status == "cancelled"


def test_an_answer_that_follows_a_schema(client: openai.OpenAI) -> None:
    schema = {"type": "object", "properties": {"a": {"enum": [1]}}, "required": ["a"], "additionalProperties": False}
    form: Any = {"format": {"type": "json_schema", "name": "n", "schema": schema, "strict": True}}
    with pytest.raises(openai.BadRequestError) as told:
        client.responses.create(model="echo", input="x", text=form)
    assert told.value.param == "schema"


def test_an_answer_that_is_cut_is_incomplete(client: openai.OpenAI) -> None:
    events = checked(
        list(client.responses.create(model="echo", input="one two three", max_output_tokens=2, stream=True))
    )
    last = events[-1]
    assert last.type == "response.incomplete"
    assert (last.response.status, last.response.output_text) == ("incomplete", "one two")
    assert last.response.incomplete_details.reason == "max_output_tokens"
    assert last.response.output[0].status == "incomplete"


def test_log_probabilities(client: openai.OpenAI) -> None:
    answer = client.responses.create(
        model="echo", input="hello there", include=["message.output_text.logprobs"], top_logprobs=1
    )
    [said] = answer.output
    assert said.type == "message"
    part: Any = said.content[0]
    assert [token.token for token in part.logprobs] == ["hello", " there"]
    assert [token.top_logprobs[0].token for token in part.logprobs] == ["hello", " there"]
    Response.model_validate(answer.model_dump(by_alias=True), strict=True)


def test_a_conversation_goes_on(client: openai.OpenAI) -> None:
    first = client.responses.create(model="echo", input="one", instructions="be brief")
    second = client.responses.create(model="echo", input="two", previous_response_id=first.id)
    assert second.previous_response_id == first.id
    assert second.usage
    assert second.usage.input_tokens == 6  # "one", "one", "two", each a message; the instructions do not go on
    items = client.responses.input_items.list(second.id, order="asc")
    assert [item.type for item in items] == ["message"] * 3
    assert [item.role for item in items] == ["user", "assistant", "user"]  # type: ignore[union-attr]
    client.responses.delete(first.id)
    third = client.responses.create(model="echo", input="three", previous_response_id=second.id)
    assert third.usage
    assert third.usage.input_tokens == 10


def test_a_call_and_what_came_of_it(client: openai.OpenAI) -> None:
    first = client.responses.create(
        model="echo", input="go", tools=[TOOL], tool_choice={"type": "function", "name": "weather"}
    )
    [call] = first.output
    assert call.type == "function_call"
    came: Any = [{"type": "function_call_output", "call_id": call.call_id, "output": "rain"}]
    second = client.responses.create(model="echo", input=came, previous_response_id=first.id, tools=[TOOL])
    assert second.output_text == "rain"
    listed = client.responses.input_items.list(second.id, order="asc")
    assert [item.type for item in listed] == ["message", "function_call", "function_call_output"]


def test_the_output_of_one_response_is_taken_as_input(client: openai.OpenAI) -> None:
    first = client.responses.create(model="echo", input="one")
    given: Any = [
        {"role": "user", "content": "one"},
        *[item.model_dump(by_alias=True) for item in first.output],
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}]},
        {"role": "user", "content": [{"type": "input_text", "text": "two"}]},
    ]
    assert client.responses.create(model="echo", input=given, store=False).output_text == "two"


def test_an_item_is_meant_by_its_name(client: openai.OpenAI) -> None:
    first = client.responses.create(model="echo", input="one two")
    assert first.output[0].id
    second = client.responses.create(model="echo", input=[{"type": "item_reference", "id": first.output[0].id}])
    assert second.output_text == "one two"


def test_pages_of_input_items(client: openai.OpenAI) -> None:
    said: Any = [{"role": "user", "content": str(number)} for number in range(5)]
    answer = client.responses.create(model="echo", input=said)
    page = client.responses.input_items.list(answer.id, limit=2)
    assert (len(page.data), page.has_more) == (2, True)
    assert [item.content[0].text for item in page] == ["4", "3", "2", "1", "0"]  # type: ignore[union-attr,index]


def test_counting_before_asking(client: openai.OpenAI) -> None:
    first = client.responses.create(model="echo", input="one")
    counted = client.responses.input_tokens.count(model="echo", input="two three", previous_response_id=first.id)
    assert counted.input_tokens == 7


def test_what_is_not_kept_is_not_found(client: openai.OpenAI) -> None:
    answer = client.responses.create(model="echo", input="one", store=False)
    gone = client.responses.create(model="echo", input="one")
    client.responses.delete(gone.id)
    for name in (answer.id, gone.id, "resp_nobody"):
        for ask in (
            lambda name=name: client.responses.retrieve(name),
            lambda name=name: client.responses.cancel(name),
            lambda name=name: client.responses.delete(name),
            lambda name=name: client.responses.input_items.list(name),
            lambda name=name: client.responses.create(model="echo", input="x", previous_response_id=name),
        ):
            with pytest.raises(openai.NotFoundError) as told:
                ask()
            assert told.value.code == "unknown_response"


def test_a_response_in_the_background(client: openai.OpenAI) -> None:
    begun = client.responses.create(model="echo", input="hello there", background=True)
    assert begun.status in ("queued", "in_progress", "completed")
    whole = ended(client, begun.id)
    assert (whole.status, whole.output_text) == ("completed", "hello there")
    with pytest.raises(openai.BadRequestError):  # it was not made to be cancelled
        client.responses.cancel(client.responses.create(model="echo", input="x").id)
    assert client.responses.cancel(begun.id).status == "completed"


def test_a_stream_in_the_background_begins_with_the_queue(client: openai.OpenAI) -> None:
    events = checked(list(client.responses.create(model="echo", input="hello there", background=True, stream=True)))
    assert [event.type for event in events] == [WHOLE[0], "response.queued", *WHOLE[1:]]


def test_a_failure_in_the_background_is_told(client: openai.OpenAI) -> None:
    begun = client.responses.create(model="nobody", input="x", background=True)
    events = checked(list(client.responses.retrieve(begun.id, stream=True)))
    assert events[-1].type == "response.failed"
    failed = client.responses.retrieve(begun.id)
    assert failed.status == "failed"
    assert failed.error
    assert failed.error.code == "invalid_prompt"
    assert "nobody" in failed.error.message


@pytest.mark.parametrize("after", range(-1, len(WHOLE)))
def test_a_stream_is_resumed_from_any_event(client: openai.OpenAI, after: int) -> None:
    first = list(client.responses.create(model="echo", input="hello there", stream=True))
    again = list(client.responses.retrieve(first[0].response.id, stream=True, starting_after=after))  # type: ignore[union-attr]
    assert again == first[after + 1 :]


def test_one_that_is_still_made_is_followed_and_cancelled(serve: Serve) -> None:
    with strict(serve(users=1)) as client:
        begun = client.responses.create(model="endless", input="x", background=True)
        seen: list[Any] = []
        for event in client.responses.retrieve(begun.id, stream=True):
            seen.append(event)
            if event.type == "response.output_text.delta":
                break
        assert client.responses.retrieve(begun.id).status == "in_progress"
        with pytest.raises(openai.BadRequestError, match="not ended"):
            client.responses.create(model="echo", input="x", previous_response_id=begun.id)
        rest = client.responses.retrieve(begun.id, stream=True, starting_after=seen[-1].sequence_number)
        cancelled = client.responses.cancel(begun.id)
        assert (cancelled.status, cancelled.error) == ("cancelled", None)
        events = checked([*seen, *rest])
        assert events[-1].response.status == "cancelled"
        assert client.responses.retrieve(begun.id).output == events[-1].response.output
        # Its place, which is the only one, is free again.
        another = client.responses.create(model="endless", input="x", max_output_tokens=3)
        assert another.status == "incomplete"


def test_deleting_ends_what_is_still_made(client: openai.OpenAI) -> None:
    begun = client.responses.create(model="endless", input="x", background=True)
    stream = client.responses.retrieve(begun.id, stream=True)
    next(iter(stream))
    client.responses.delete(begun.id)
    assert all(event.type != "response.completed" for event in stream)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(begun.id)


def test_a_deadline_holds_in_the_background(serve: Serve) -> None:
    with strict(serve(request_seconds=1)) as client:
        begun = client.responses.create(model="endless", input="x", background=True)
        failed = ended(client, begun.id)
    assert failed.status == "failed"
    assert failed.error
    assert failed.error.code == "server_error"


def test_the_end_of_the_server_ends_what_is_made_in_the_background(serve: Serve) -> None:
    server = serve()
    with strict(server) as client:
        begun = client.responses.create(model="endless", input="x", background=True)
        stream = client.responses.retrieve(begun.id, stream=True)
        assert any(event.type == "response.output_text.delta" for event in stream)
    children = server.children()
    assert children
    server.stop()
    _, alive = psutil.wait_procs(children, timeout=PATIENCE)
    assert not alive


IMAGE = "data:image/png;base64," + base64.b64encode(b"no picture").decode()


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({}, "$.input"),
        ({"input": []}, "$.input"),
        ({"input": 3}, "$.input"),
        ({"input": "x", "tools": [{"type": "web_search"}]}, "$.tools[0].type"),
        ({"input": "x", "tools": [{"type": "mcp", "server_label": "x"}]}, "$.tools[0].type"),
        ({"input": "x", "tools": [TOOL, {"type": "code_interpreter"}]}, "$.tools[1].type"),
        ({"input": "x", "tool_choice": "required"}, "$.tool_choice"),
        ({"input": "x", "tool_choice": {"type": "function", "name": "y"}}, "$.tool_choice"),
        ({"input": "x", "tool_choice": {"type": "file_search"}}, "$.tool_choice.type"),
        ({"input": "x", "truncation": "auto"}, "$.truncation"),
        ({"input": "x", "conversation": "conv_1"}, "$.conversation"),
        ({"input": "x", "background": True, "store": False}, "$.background"),
        ({"input": "x", "include": ["file_search_call.results"]}, "$.include[0]"),
        ({"input": "x", "metadata": {str(number): "" for number in range(17)}}, "$.metadata"),
        ({"input": "x", "text": {"format": {"type": "json_schema"}}}, "$.text.format"),
        ({"input": "x", "reasoning": {"summary": "detailed"}}, "$.reasoning.summary"),
        ({"input": "x", "temperature": -1}, "temperature"),
        ({"input": "x", "top_logprobs": 21}, "top_logprobs"),
        ({"input": [{"type": "computer_call"}]}, "$.input[0].type"),
        ({"input": [{"role": "user", "content": 3}]}, "$.input[0].content"),
        ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "$.input[0].id"),
        ({"input": [{"type": "reasoning", "encrypted_content": "x"}]}, "$.input[0].encrypted_content"),
        (
            {"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "file:///x"}]}]},
            "$.input[0].content[0].image_url",
        ),
        (
            {"input": [{"role": "user", "content": [{"type": "input_image", "file_id": "file_1"}]}]},
            "$.input[0].content[0].image_url",
        ),
        ({"input": [{"role": "user", "content": [{"type": "input_file"}]}]}, "$.input[0].content[0].type"),
        ({"input": [{"role": "user", "content": [{"type": "input_image", "image_url": IMAGE}]}]}, "images"),
    ],
    ids=str,
)
def test_what_cannot_be_is_told_with_its_place(server: Served, body: dict[str, Any], where: str) -> None:
    with server.client() as client:
        answer = client.post("/v1/responses", json={"model": "echo", **body})
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == where


@pytest.mark.parametrize("query", ["starting_after=x", "starting_after=-2"])
def test_a_place_that_is_none(client: openai.OpenAI, server: Served, query: str) -> None:
    answer = client.responses.create(model="echo", input="x")
    with server.client() as plain:
        told = plain.get(f"/v1/responses/{answer.id}?stream=true&{query}")
    assert told.status_code == 400
    assert told.json()["error"]["param"] == "starting_after"
