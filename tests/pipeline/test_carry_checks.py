"""`scripts/carry_checks.py` makes quick checks of all that a schema says, or refuses the schema."""

import copy
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from anthropic_completions._contract.generated import contract

ROOT = Path(__file__).resolve().parents[2]
checks: Callable[[dict[str, Any]], str] = runpy.run_path(str(ROOT / "scripts" / "carry_checks.py"))["checks"]
CONTRACT = contract()["components"]["schemas"]


@pytest.fixture
def schemas() -> dict[str, Any]:
    """The contract's schemas, to change."""
    found: dict[str, Any] = copy.deepcopy(CONTRACT)
    return found


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#/components/schemas/Word", "maxLength": 3},
        {"minLength": 1},
        {"minimum": 0},
        {"type": "string", "maximum": 3},
        {"type": ["integer", "null"], "maxLength": 3},
    ],
)
def test_a_bound_without_its_type_is_refused(schemas: dict[str, Any], schema: dict[str, Any]) -> None:
    """Where the type is another's, as beside a `$ref`, the quick check would pass what breaks the bound."""
    schemas["Word"] = {"type": "string"}
    schemas["CompletionRequest"]["properties"]["word"] = schema
    with pytest.raises(NotImplementedError, match=r"the bound '.*' of .* has no type beside it"):
        checks(schemas)


def test_a_request_may_have_more_fields(schemas: dict[str, Any]) -> None:
    del schemas["CompletionRequest"]["additionalProperties"]
    made: dict[str, Any] = {}
    exec(checks(schemas), made)
    assert made["REQUEST_FIELDS"] == schemas["CompletionRequest"]["properties"].keys()
    request = {"model": "m", "prompt": "\n\nHuman: Hi\n\nAssistant:", "max_tokens_to_sample": 1}
    assert made["QUICK"]["CompletionRequest"]({**request, "other": 1})
