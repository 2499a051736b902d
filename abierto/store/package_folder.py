"""A model that a Python package holds as a folder: where that folder is. It imports nothing of the package.

The models that are made here lie in `models/` of a clone; elsewhere each comes as a package of its own, under the same
name. The clone goes first, so that what is being made is what is used.
"""

from importlib.util import find_spec
from pathlib import Path

_CLONE = Path(__file__).resolve().parents[2] / "models"


def find(package: str) -> Path | None:
    """The folder, or None where there is none; a package that is a single file or holds compiled code has none."""
    if (_CLONE / package).is_dir():
        return _CLONE / package
    spec = find_spec(package)
    places = list(spec.submodule_search_locations or ()) if spec else []
    return Path(places[0]) if places else None
