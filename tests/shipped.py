"""The models that need no file, as they are listed: the one that is made here only where it lies here whole."""

from abierto.formats import diffusers_folder
from tests.house.sources import ROOT

DRAWS = ["trazo"] if diffusers_folder.main_file(ROOT / "models" / "trazo") else []
BUILT_IN = ["echo", *DRAWS, "use-multilingual"]
