"""Build the site: stage the pages in build/docs/pages, and have Zensical make build/docs/site of them.

What pages link to outside of docs/ comes along: Markdown as pages under project/, other files under files/.
So every link of the repository also works in the site, wherever that is opened.
"""

import json
import os
import posixpath
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / "tools" / "site"
STAGE = ROOT / "build" / "docs"
PAGES = STAGE / "pages"
SITE = STAGE / "site"
MODULES = TOOLS / "node_modules"

# Guides in the order of reading; those that are not named here follow.
GUIDES = [
    "migrating",
    "bridge",
    "programs",
    "gateway",
    "cli",
    "batch",
    "scaling",
    "testing",
    "reliability",
    "generated-client",
    "languages",
    "differences",
    "performance",
]
PROJECT = ["CHANGELOG.md", "CONTRIBUTING.md", "RELEASING.md", "SECURITY.md"]
# Where pages that name openapi.yaml lead to: the contract as a page, which names the file.
CONTRACT = "contract.html"
LINK = re.compile(r"(\]\()(?!\w+:|#)([^)#\s]+)")
PLOT = "<!-- The site shows these figures as a picture here. -->"


def place_of(path: str) -> str:
    """Return where a file of the repository lies among the pages."""
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    if path.endswith(".md"):
        return "project/" + path.removesuffix(".md").replace("/README", "").replace("/", "-").lower() + ".md"
    return f"files/{path}"


def target_of(page: str, link: str) -> str:
    """Return the file of the repository that a link of a page means; of a folder its README."""
    path = posixpath.normpath(posixpath.join(posixpath.dirname(page), link))
    return f"{path}/README.md" if (ROOT / path).is_dir() else path


def stage(page: str, done: set[str]) -> None:
    """Copy a file of the repository among the pages, and what it links to.

    Raises:
        SystemExit: A link leads nowhere.
    """
    if page in done:
        return
    done.add(page)
    place = PAGES / place_of(page)
    place.parent.mkdir(parents=True, exist_ok=True)
    if not page.endswith(".md"):
        shutil.copyfile(ROOT / page, place)
        return

    def linked(match: re.Match[str]) -> str:
        target = target_of(page, match[2])
        if not (ROOT / target).is_file():
            sys.exit(f"{page}: the link to {match[2]} leads nowhere")
        stage(target, done)
        place = CONTRACT if target == "openapi.yaml" else place_of(target)
        return match[1] + posixpath.relpath(place, posixpath.dirname(place_of(page)) or ".")

    text = (ROOT / page).read_text(encoding="utf-8")
    place.write_text(LINK.sub(linked, text), encoding="utf-8")


def title(page: str) -> str:
    """Return a page's first heading."""
    found = re.search(r"^# (.+)$", (PAGES / page).read_text(encoding="utf-8"), re.MULTILINE)
    if not found:
        sys.exit(f"{page}: expected a heading of the first level, found none")
    return found[1].replace("`", "")


def entries(pages: list[str]) -> Iterator[dict[str, str]]:
    """Return pages as entries of the navigation."""
    return ({title(page): page} for page in pages)


def navigation() -> list[dict[str, object]]:
    """Return the navigation: start, guides, reference, the contract, the project."""
    names = [path.stem for path in sorted(PAGES.glob("*.md")) if path.stem != "index"]
    guides = [f"{name}.md" for name in sorted(names, key=lambda name: (*GUIDES, name).index(name))]
    listed = re.findall(r"\]\((\w+\.md)\)", (PAGES / "reference/index.md").read_text(encoding="utf-8"))
    project = sorted(path.name for path in (PAGES / "project").glob("*.md"))
    return [
        {"Start": "index.md"},
        {"Guides": list(entries(guides))},
        {"Reference": list(entries([f"reference/{name}" for name in ("index.md", *listed)]))},
        {"The contract": CONTRACT},
        {"Project": list(entries([f"project/{name}" for name in project]))},
    ]


def toml(value: object) -> str:
    """Return lists, objects and text as TOML on one line."""
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(name)} = {toml(part)}" for name, part in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False)


def draw(page: Path) -> None:
    """Draw the ratios that the page of the benchmark tells, with the benchmark's own plot."""
    sys.path.insert(0, str(ROOT / "tests" / "benchmarks"))
    run = import_module("run")
    text = page.read_text(encoding="utf-8")
    table = text.partition("## Results")[2].partition("## ")[0]
    heads, _, *rows = [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines() if line[:1] == "|"
    ]
    # The last column is raw httpx's, by which the others are divided.
    results = {
        row[0]: {run.RAW: 1.0}
        | {name: float(cell) for name, cell in zip(heads[1:-1], row[1:-1], strict=True) if cell}
        for row in rows
    }
    run.plot(results, str(page.with_suffix(".svg")))
    if text.count(PLOT) != 1:
        sys.exit(f"docs/performance.md: expected the line {PLOT!r} once, found it {text.count(PLOT)} times")
    shown = "![The ratios of the table below, as bars](performance.svg)"
    page.write_text(text.replace(PLOT, shown), encoding="utf-8")


def render_contract() -> None:
    """Write the contract's page, with the contract in it: pages opened from disk cannot load files."""
    bundled = (ROOT / "generated/anthropic_completions_api/openapi.json").read_text(encoding="utf-8")
    (PAGES / "files").mkdir(exist_ok=True)
    (PAGES / "files/openapi.json").write_text(bundled, encoding="utf-8")
    inline = json.dumps(json.loads(bundled), ensure_ascii=False).replace("<", "\\u003c")
    template = (TOOLS / "contract.html").read_text(encoding="utf-8")
    (PAGES / CONTRACT).write_text(template.replace("CONTRACT", inline), encoding="utf-8")


def main() -> None:
    """Build the site and print where it is."""
    shutil.rmtree(STAGE, ignore_errors=True)
    pages = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md"))
    done: set[str] = set()
    for page in (*pages, *PROJECT, "openapi.yaml"):
        stage(page, done)
    assets = PAGES / "assets"
    assets.mkdir()
    shutil.copyfile(TOOLS / "site.css", assets / "site.css")
    shutil.copyfile(MODULES / "redoc/bundles/redoc.standalone.js", assets / "redoc.standalone.js")
    shutil.copyfile(MODULES / "iframe-worker/shim/index.js", assets / "iframe-worker.js")
    render_contract()
    draw(PAGES / "performance.md")
    settings = (TOOLS / "zensical.toml").read_text(encoding="utf-8")
    named = settings.replace("[project]\n", f"[project]\nnav = {toml(navigation())}\n", 1)
    (STAGE / "zensical.toml").write_text(named, encoding="utf-8")
    # The reference imports the package for docstrings that are made when it is imported.
    path = os.pathsep.join(str(ROOT / folder) for folder in ("overlays", "generated"))
    built = subprocess.run(
        [sys.executable, "-m", "zensical", "build", "--strict", "--clean"],
        cwd=STAGE,
        env={**os.environ, "NO_COLOR": "1", "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    # What mkdocstrings and griffe warn of does not fail a strict build.
    if built.returncode or re.search(
        r"^(griffe|mkdocstrings|autorefs)|warning", built.stdout, re.MULTILINE | re.IGNORECASE
    ):
        sys.exit(built.stdout)
    print(f"{SITE.relative_to(ROOT)}/index.html")


if __name__ == "__main__":
    main()
