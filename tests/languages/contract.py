"""Write the contract as a generator can take it: contract.py OVERLAY OUTPUT

OVERLAY is an OpenAPI Overlay document, OUTPUT a JSON file; JSON, as some tools misread YAML's finer points.
"""

import json
import sys
from pathlib import Path

import yaml
from oas_patch.overlay import apply_overlay

ROOT = Path(__file__).resolve().parents[2]


def main(overlay: Path, output: Path) -> None:
    """Apply the overlay; leave a file that is up to date as it is, so that nothing is built anew."""
    contract = yaml.safe_load((ROOT / "openapi.yaml").read_text(encoding="utf-8"))
    changed = apply_overlay(contract, yaml.safe_load(overlay.read_text(encoding="utf-8")))
    text = json.dumps(changed, ensure_ascii=False, indent=1) + "\n"
    if not output.exists() or output.read_text(encoding="utf-8") != text:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
