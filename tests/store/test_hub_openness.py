"""A report on a model that is only in the hub: from its texts, and from the beginnings of its files."""

import json

from abierto.runtime.openness import of_model
from tests.catalog.openness.conftest import README
from tests.catalog.openness.test_report import MIT, NOTICE
from tests.store.stand_in_hub import StandInHub


def test_a_model_in_the_hub_is_reported_without_its_weights(hub: StandInHub) -> None:
    header = json.dumps({"w": {"dtype": "F32", "shape": [1_000_000_000], "data_offsets": [0, 4_000_000_000]}}).encode()
    weights = len(header).to_bytes(8, "little") + header
    files = {
        "README.md": README.encode(),
        "LICENSE": (NOTICE + MIT).encode(),
        "train.py": b"# SPDX-License-Identifier: MIT\n" + b"#" * 100_000,
    }
    hub.add(
        "acme/small",
        {**files, "model.safetensors": weights},
        sizes={"model.safetensors": len(weights) + 4_000_000_000},
        git=frozenset(files),
    )
    found = of_model("hf:acme/small").inventory
    assert found.name == "acme/small"
    assert (found["weights"].status, found["weights"].license) == ("present", "Apache-2.0 AND MIT")
    assert found["training_code"].license == "MIT"
    assert found["evaluation_results"].present
    assert [remark.code for remark in found.conflicts if remark.conflict] == ["places_disagree"]
    assert hub.sent < 1_000_000


def test_the_hub_tells_which_revision_it_is_and_when_that_came(hub: StandInHub) -> None:
    hub.add("acme/small", {"README.md": README.encode()})
    found = of_model("hf:acme/small").inventory
    assert {key: said.value for key, said in found.identity.items()} == {
        "publisher": "acme",
        "supplier": "acme",
        "location": f"https://huggingface.co/acme/small/tree/{hub.repositories['acme/small'].commit}",
        "version": hub.repositories["acme/small"].commit,
        "released": "2024-07-23T14:48:00Z",
    }
