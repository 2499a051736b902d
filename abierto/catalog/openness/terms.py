"""Whether a licence is open for a kind of content. It knows identifiers and simple expressions, no texts.

Code wants a licence that the Open Source Initiative approved; data, parameters among them, and documents may also be
under one of the open data and open content licences of the framework's list. The framework calls whatever restricts
use not open: https://arxiv.org/abs/2403.13784.
"""

import re

from abierto.catalog.licensing.flags import Flags, flags
from abierto.catalog.openness.evidence import Kind

# How the hub's tags write licences whose SPDX identifier is another word:
# https://github.com/huggingface/hub-docs (docs/hub/repositories-licenses.md).
_TAGS = {"odc-by": "ODC-By-1.0", "odbl": "ODbL-1.0", "pddl": "PDDL-1.0", "c-uda": "C-UDA-1.0", "lgpl-lr": "LGPLLR"}
UNLICENSED = "unlicensed"


def identifier(license_: str) -> str:
    """The SPDX spelling of a declared licence, as far as it is one; else what was declared, unchanged."""
    tag = _TAGS.get(license_.lower(), license_)
    found = flags(tag)
    return found.id if found else license_


def is_open(license_: str | None, kind: Kind) -> bool:
    """Whether the licence is open for content of this kind. Of `A OR B` one must be, of `A AND B` both."""
    if not license_ or license_ == UNLICENSED:
        return False
    if "(" in license_:
        return False  # nested expressions have no reading here, and what is not read is not open
    return any(
        all(_one_is_open(part, kind) for part in re.split(r"\s+AND\s+", choice))
        for choice in re.split(r"\s+OR\s+", license_)
    )


def is_osi_approved(license_: str | None) -> bool:
    """Whether the Open Source Initiative approved the licence, or one of a choice."""
    return bool(license_) and any(
        (known := _flags(choice)) is not None and known.osi_approved for choice in re.split(r"\s+OR\s+", license_ or "")
    )


def _one_is_open(license_: str, kind: Kind) -> bool:
    known = _flags(license_)
    if known is None:
        return False
    return known.osi_approved or known.open_model or (kind != "code" and known.open_data)


def _flags(license_: str) -> Flags | None:
    return flags(identifier(license_.strip().partition(" WITH ")[0]))


def limits(license_: str) -> tuple[str, ...]:
    """What an identifier itself says that its licence forbids: `no_commercial_use`, `no_derivatives`. Of a choice,
    only what every one of the choices forbids."""
    choices = [set(_limits(choice)) for choice in re.split(r"\s+OR\s+", license_)]
    return tuple(sorted(set.intersection(*choices)))


def _limits(license_: str) -> list[str]:
    parts = re.split(r"[-\s]", identifier(license_).upper())
    found = ["no_commercial_use"] if "NC" in parts else []
    return [*found, *(["no_derivatives"] if "ND" in parts else [])]


def is_listed(identifier_: str) -> bool:
    """Whether the SPDX list has this identifier, in this spelling."""
    known = flags(identifier_)
    return known is not None and known.id == identifier_
