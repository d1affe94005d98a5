"""Apply OpenAPI Overlay documents in JSON, with the standard library alone.

The part of the specification, https://spec.openapis.org/overlay/v1.0.0.html, that this project's documents
use: targets that are plain paths, `remove`, and `update`, which merges objects and replaces all else.
"""

import copy
import re
from typing import Any

_STEP = re.compile(r"\.([\w-]+)|\['([^']+)'\]")


def applied(contract: dict[str, Any], overlay: dict[str, Any]) -> dict[str, Any]:
    """Return a copy of a contract with the actions of an overlay applied.

    Raises:
        LookupError: A target is not in the contract, or is no plain path.
    """
    document: dict[str, Any] = {"$": copy.deepcopy(contract)}
    for action in overlay["actions"]:
        target = action["target"]
        steps = [name or quoted for name, quoted in _STEP.findall(target)]
        if not target.startswith("$") or _STEP.sub("", target) != "$":
            raise LookupError(f"expected a plain path such as $.info.title, got {target}")
        parent, node, step = document, document["$"], "$"
        for step in steps:
            if not isinstance(node, dict) or step not in node:
                raise LookupError(f"{target}: {step!r} is not in the contract")
            parent, node = node, node[step]
        if action.get("remove"):
            del parent[step]
        else:
            parent[step] = _merged(node, action["update"])
    result: dict[str, Any] = document["$"]
    return result


def _merged(old: Any, new: Any) -> Any:
    if not (isinstance(old, dict) and isinstance(new, dict)):
        return new
    return {**old, **{name: _merged(old.get(name), value) for name, value in new.items()}}
