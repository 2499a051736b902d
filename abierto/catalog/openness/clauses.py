"""The clauses of licences that limit one of the four freedoms, as far as they were read.

A clause that nobody read is unknown and not missing: of a licence that is on no list of open ones, a freedom without a
clause is `unclear`. It gives no legal advice.
"""

import re
from collections.abc import Iterator

from abierto.catalog.licensing.table import Terms, licenses
from abierto.catalog.licensing.tags import declared
from abierto.catalog.openness import terms
from abierto.catalog.openness.verdict import Reason

# Clause -> the freedoms that it limits.
LIMITED = {
    "no_commercial_use": ("use", "modify", "share"),
    "no_derivatives": ("modify",),
    "threshold": ("use",),
    "registration": ("use",),
    "regions": ("use", "share"),
    "regions_of_some": ("use", "share"),
    "fields_of_use": ("use",),
    "remote_limits": ("use",),
    "latest_version": ("use",),
    "outputs": ("use",),
    "naming": ("share",),
    "flow_down": ("modify", "share"),
    "share_alike": ("share",),
    "no_redistribution": ("share",),
}
# Clauses that an open licence may have.
HARMLESS = ("naming", "share_alike")


def of(license_: str) -> tuple[Reason, ...]:
    """The limiting clauses of a licence or an expression, in which all of all its licences count. Of a name that can
    mean several licences, the clauses that all of them have."""
    found: list[Reason] = []
    for part in dict.fromkeys(re.split(r"\s+(?:AND|OR)\s+", license_)):
        found += [reason for reason in _of_one(part) if reason not in found]
    return tuple(found)


def _of_one(license_: str) -> list[Reason]:
    meant = [license_] if license_ in licenses() else declared(license_).candidates
    if not meant or any(one not in licenses() for one in meant):
        return [Reason(limit, {"license": license_}) for limit in terms.limits(license_)]
    first, *others = [list(_clauses(licenses()[one].terms)) for one in meant]
    common = [clause for clause in first if all(clause in other for other in others)]
    if others and all(licenses()[one].terms.naming for one in meant) and "naming" not in dict(common):
        # That a name has to be shown is common to them, though which one is not.
        common.append(("naming", {"words": " / ".join(dict.fromkeys(licenses()[one].terms.naming for one in meant))}))
    return [Reason(code, {"license": license_, **facts}) for code, facts in common]


def _clauses(said: Terms) -> Iterator[tuple[str, dict[str, str]]]:
    if said.commercial is False:
        yield "no_commercial_use", {}
    for limit in said.thresholds:
        yield "threshold", {"measure": limit.measure, "above": str(limit.above), "then": limit.then}
    if said.registration:
        yield "registration", {}
    if said.regions:
        only = {"models": said.regions_only} if said.regions_only else {}
        yield "regions_of_some" if only else "regions", {"regions": ", ".join(said.regions), **only}
    if said.limits:
        yield "fields_of_use", {"limits": ",".join(said.limits)}
    if said.remote:
        yield "remote_limits", {}
    if said.latest:
        yield "latest_version", {}
    if said.outputs and said.outputs != "free":
        yield "outputs", {"outputs": said.outputs}
    if said.naming:
        yield "naming", {"words": said.naming}
    if said.flow_down:
        yield "flow_down", {}
    if said.share_alike:
        yield "share_alike", {}
    if said.redistribution is False:
        yield "no_redistribution", {}
