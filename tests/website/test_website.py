"""The site that `make docs` builds, which runs these tests too."""

import json
import shutil
import subprocess
import zlib
from importlib import import_module
from pathlib import Path

import pytest

from website.pages import broken, loaded_from_elsewhere

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "build" / "docs" / "site"
# All public modules, but for the command line, which has help texts, and the old client's paths to classes.
PACKAGE = ROOT / "overlays" / "anthropic_completions"
FOUND = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
MODULES = ["", *sorted(f".{name}" for name in FOUND - {"cli", "resources"} if not name.startswith("_"))]
# Constants, second names, and types that say all by their name.
UNDESCRIBED = {
    "AI_PROMPT",
    "AsyncClient",
    "Client",
    "DEFAULT_CONNECTION_LIMITS",
    "DEFAULT_MAX_RETRIES",
    "DEFAULT_TIMEOUT",
    "HUMAN_PROMPT",
    "NOT_GIVEN",
    "NotGiven",
    "Omit",
    "RequestOptions",
    "Timeout",
    "__version__",
    "not_given",
    "omit",
    "types",
}


@pytest.fixture(scope="module")
def described() -> set[str]:
    """The Python names that the reference describes, which Sphinx's inventory of it lists."""
    inventory = (SITE / "objects.inv").read_bytes()
    listed = zlib.decompress(inventory.split(b"\n", 4)[4]).decode()
    return {line.split(" ", 1)[0] for line in listed.splitlines()}


def browser() -> str | None:
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def test_links_and_anchors_lead_somewhere() -> None:
    assert broken(SITE) == []


def test_nothing_is_loaded_from_another_host() -> None:
    assert loaded_from_elsewhere(SITE) == []


@pytest.mark.parametrize("module", MODULES)
def test_the_reference_describes_every_public_name(described: set[str], module: str) -> None:
    path = f"anthropic_completions{module}"
    names = set(import_module(path).__all__) - UNDESCRIBED
    where = (path, "anthropic_completions._errors")  # the page of errors is that of their module
    assert {name for name in names if not any(f"{module}.{name}" in described for module in where)} == set()


def test_the_search_knows_guides_and_reference() -> None:
    index = json.loads((SITE / "search.json").read_text(encoding="utf-8"))
    text = json.dumps(index)
    for word in ("OverloadedError", "prefill_refused", "make bench-quick"):
        assert word in text


def test_the_start_page_says_what_this_is_and_what_to_do() -> None:
    text = (SITE / "index.html").read_text(encoding="utf-8").partition("<article")[2]
    assert (
        text.index("legacy Text Completions API") < text.index("pip") < text.index("What do you want to do?")
    )


@pytest.mark.skipif(browser() is None, reason="no Chromium is here")
def test_the_contract_is_shown_from_disk() -> None:
    command = [str(browser()), "--headless", "--no-sandbox", "--virtual-time-budget=10000", "--dump-dom"]
    shown = subprocess.run(
        [*command, (SITE / "contract.html").as_uri()], capture_output=True, encoding="utf-8", check=True
    ).stdout
    assert "Create a text completion" in shown.partition("<script")[0]
    assert "max_tokens_to_sample" in shown.partition("<script")[0]


def make(folder: Path, **pages: str) -> Path:
    for name, text in pages.items():
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize("link", ["b.html#no", "c.html", "#no", "/c.html", "folder/"])
def test_a_broken_link_is_found(tmp_path: Path, link: str) -> None:
    site = make(tmp_path, a=f'<h1 id="yes">A</h1><a href="{link}">B</a>', b='<h1 id="yes">B</h1>')
    assert broken(site) == [f"a.html: {link}"]


@pytest.mark.parametrize("link", ["b.html#yes", "b.html", "#yes", "/b.html", "https://example.com/no"])
def test_a_right_link_is_left_alone(tmp_path: Path, link: str) -> None:
    site = make(tmp_path, a=f'<h1 id="yes">A</h1><a href="{link}">B</a>', b='<h1 id="yes">B</h1>')
    assert broken(site) == []


@pytest.mark.parametrize(
    "loading",
    [
        '<script src="https://example.com/a.js"></script>',
        '<link rel="stylesheet" href="//example.com/a.css">',
        '<img src="http://example.com/a.png">',
        "<style>@font-face { src: url(https://example.com/a.woff2) }</style>",
    ],
)
def test_what_comes_from_another_host_is_found(tmp_path: Path, loading: str) -> None:
    assert len(loaded_from_elsewhere(make(tmp_path, a=loading))) == 1


def test_a_style_sheet_that_imports_from_another_host_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.css").write_text("@import url('https://example.com/a.css');", encoding="utf-8")
    assert len(loaded_from_elsewhere(tmp_path)) == 1
