"""Check that the bridge says of each field of the contract how Messages carries it."""

import ast
import sys
from pathlib import Path

from documents import read

ROOT = Path(__file__).resolve().parent.parent
BRIDGE = Path("overlays/anthropic_completions/messages/_requests.py")


def carried() -> set[str]:
    """Return the fields of which the bridge says how Messages carries them."""
    tree = ast.parse((ROOT / BRIDGE).read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "CARRIED":
            return set(ast.literal_eval(node.value))
    sys.exit(f"{BRIDGE}: expected a table named CARRIED, found none")


def main() -> None:
    """Compare the contract's fields with the bridge's table."""
    contract = read()
    fields = set(contract["components"]["schemas"]["CompletionRequest"]["properties"])
    told = carried()
    new, gone = fields - told, told - fields
    place = f"{BRIDGE}: CARRIED:"
    wrong = [f"{place} say how Messages carries the request's field {name!r}" for name in sorted(new)]
    wrong += [f"{place} take out {name!r}, which the contract no longer has" for name in sorted(gone)]
    if wrong:
        sys.exit("\n".join(wrong))


if __name__ == "__main__":
    main()
