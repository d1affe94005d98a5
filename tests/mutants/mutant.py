"""A mistake that is planted in a copy of the project."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Mutant:
    """One mistake.

    Attributes:
        sentence: What is true, and what the mistake is the opposite of.
        file: The file that is changed, from the project's root.
        old: The text that stands there once; in a JSON file the path of a value, such as `/info/title`.
        new: What is put in its place.
        more: Further changes that the mistake takes, as file, old and new.
    """

    sentence: str
    file: str
    old: str
    new: Any
    more: Sequence[tuple[str, str, Any]] = ()

    def beside(self, file: str, old: str, new: Any) -> "Mutant":
        """Return the mutant with another change."""
        return Mutant(self.sentence, self.file, self.old, self.new, [*self.more, (file, old, new)])

    def plant(self, root: Path) -> dict[Path, bytes]:
        """Change the files below a folder; return what they were.

        Raises:
            LookupError: What is to be changed is not there, or more than once.
        """
        before: dict[Path, bytes] = {}
        for file, old, new in [(self.file, self.old, self.new), *self.more]:
            path = root / file
            content = path.read_bytes()
            before.setdefault(path, content)
            path.write_text(_changed(file, content.decode(), old, new), encoding="utf-8")
        return before


def _changed(file: str, text: str, old: str, new: Any) -> str:
    if not file.endswith(".json"):
        if text.count(old) != 1:
            raise LookupError(f"{file}: expected once, found {text.count(old)} times: {old!r}")
        return text.replace(old, new)
    document = json.loads(text)
    *parents, last = old.removeprefix("/").split("/")
    node = document
    for name in parents:
        if name not in node:
            raise LookupError(f"{file}: {old} is not there")
        node = node[name]
    node[last] = new
    return json.dumps(document, ensure_ascii=False)
