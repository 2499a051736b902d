"""`python -m bench.mot FOLDER`: our evaluation of the Model Openness Tool's own fixtures, against its results.

FOLDER is `Test_Data` of a copy of https://github.com/lfai/model_openness_tool; nothing of it is part of Abierto.
"""

import json
import re
import sys
from pathlib import Path

from abierto.catalog.openness import mof

NEAR = 1e-6  # percentage points


def main() -> None:
    """Print what differs, and how many are equal in class and percentages; status 1 where one is not."""
    # The file has commas before closing brackets, which JSON does not allow.
    text = re.sub(r",(\s*[}\]])", r"\1", (Path(sys.argv[1]) / "expected_results.json").read_text("utf-8"))
    models = json.loads(text)["models"]
    equal = sum(_is_equal(model) for model in models)
    print(f"{equal} of {len(models)} equal")
    sys.exit(equal != len(models))


def _is_equal(model: dict[str, dict[str, object]]) -> bool:
    found = mof.of_release(model["release"])
    expected = model["classification"]
    progress = expected["progress"]
    assert isinstance(progress, dict)
    same = found.level == expected["class"] and all(
        abs(found.classes[int(level)].progress - value) < NEAR for level, value in progress.items()
    )
    if not same:
        print(f"{model['release']['name']}: {found} instead of {expected}")
    return same


if __name__ == "__main__":
    main()
