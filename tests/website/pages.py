"""What pages of a site link to and load, read from their HTML."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

# Elements that a browser loads something for, with the attribute that names it.
LOADING = {"audio": "src", "embed": "src", "iframe": "src", "img": "src", "script": "src", "source": "src"}


@dataclass
class Page(HTMLParser):
    """One page.

    Attributes:
        path: Its file.
        links: Targets of its links.
        loads: What a browser loads for it.
        anchors: What fragments can name.
    """

    path: Path
    links: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__()
        text = self.path.read_text(encoding="utf-8")
        self.feed(text)
        self.loads += re.findall(
            r"url\([\"']?([^\"')]+)", "\n".join(re.findall(r"<style.*?</style>", text, re.S))
        )

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value for name, value in attrs if value is not None}
        self.anchors |= {values[name] for name in ("id", "name") if name in values}
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        elif tag == "link" and values.get("rel") not in ("canonical", "next", "prev"):
            self.loads.append(values["href"])
        elif tag in LOADING and LOADING[tag] in values:
            self.loads.append(values[LOADING[tag]])


def broken(site: Path) -> list[str]:
    """Return what is linked to or loaded in a site, and is not there."""
    pages = {path: Page(path) for path in site.rglob("*.html")}
    wrong = []
    for path, page in pages.items():
        for link in (*page.links, *page.loads):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            # The page of a missing page is shown at any depth, from the root of a server.
            base = site if parts.path.startswith("/") else path.parent
            target = (base / unquote(parts.path.lstrip("/"))).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            there = target.is_file() and (
                not parts.fragment or target not in pages or unquote(parts.fragment) in pages[target].anchors
            )
            if not there:
                wrong.append(f"{path.relative_to(site)}: {link}")
    return wrong


def loaded_from_elsewhere(site: Path) -> list[str]:
    """Return what pages and style sheets of a site load from other hosts."""
    found = []
    for path in site.rglob("*.html"):
        found += [(path, link) for link in Page(path).loads]
    for path in site.rglob("*.css"):
        style = path.read_text(encoding="utf-8")
        named = re.findall(r"url\(\s*[\"']?([^\"')]+)|@import\s+[\"']([^\"']+)", style)
        found += [(path, bare or quoted) for bare, quoted in named]
    return [f"{path.relative_to(site)}: {link}" for path, link in found if re.match(r"(https?:)?//", link)]
