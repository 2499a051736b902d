"""OpenAI's list of models, with OpenAI's own client."""

from collections.abc import Iterator
from typing import Any

import openai
import pytest
from openai.types import Model

from tests.server.conftest import MODELS, Served
from tests.shipped import BUILT_IN


@pytest.fixture(scope="module")
def client(server: Served) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(
        base_url=f"{server.address}/v1", api_key="none", max_retries=0, _strict_response_validation=True
    ) as client:
        yield client


def test_all_models_are_listed_with_what_is_known_of_them(client: openai.OpenAI) -> None:
    found = {model.id: model for model in client.models.list()}
    assert set(found) == {*MODELS, *BUILT_IN}
    for model in found.values():
        Model.model_validate(model.model_dump(), strict=True)
    says = found["says"].model_dump()
    assert (says["owned_by"], says["meta"]["context"], says["meta"]["quantization"]) == ("folder", 1024, "F16")
    assert says["created"] > 1_700_000_000
    assert (found["echo"].owned_by, found["echo"].created) == ("abierto", 0)


@pytest.mark.parametrize("name", ["says", "says.gguf", "echo", "ECHO"])
def test_one_model_by_any_of_its_names(client: openai.OpenAI, name: str) -> None:
    assert client.models.retrieve(name).id == name.lower().removesuffix(".gguf")


@pytest.mark.parametrize("name", ["nobody", "qwen3:4b", "some/where/else", "/etc/passwd", "file:/etc/passwd"])
def test_a_name_that_leads_nowhere_here(client: openai.OpenAI, name: str) -> None:
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve(name)


def test_every_model_of_the_list_can_be_retrieved_and_asked(client: openai.OpenAI) -> None:
    for model in client.models.list():
        assert client.models.retrieve(model.id) == model
        task = model.model_dump()["meta"]["task"]
        if task == "embed":
            assert client.embeddings.create(model=model.id, input="hello", encoding_format="float").data
        elif task == "draw":
            # It may draw in a size that the client has no word for.
            plain = client.copy(_extra_kwargs={"_strict_response_validation": False})
            assert plain.images.generate(model=model.id, prompt="hello").data
        else:
            hello: Any = [{"role": "user", "content": "hello"}]
            assert client.chat.completions.create(model=model.id, messages=hello, max_tokens=2).choices


async def _listed(address: str) -> list[str]:
    async with openai.AsyncOpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0) as client:
        return [model.id async for model in client.models.list()]


def test_the_list_for_programs_that_wait_for_many_things(server: Served) -> None:
    import asyncio

    assert "echo" in asyncio.run(_listed(server.address))
