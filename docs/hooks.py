"""Hooks of the documentation site (mkdocs.yml): pages that are made when it is built, and links that leave docs/.

- README.md is the home page; CHANGELOG.md, CONTRIBUTING.md and SECURITY.md are pages too.
- The API reference has a page for each module of the packages, found in the tree, by the packages' folders.
- A notebook of docs/notebooks is a page with what it showed (docs/notebooks.py keeps that in it).
- A link to a file outside docs/ works on the hosted repository as it stands. In the site it leads to the page made of
  that file where there is one, else to the repository (``repository-code`` of CITATION.cff), and without that it
  is shown as text.
"""

from __future__ import annotations

import ast
import base64
import functools
import gc
import json
import posixpath
import re
from pathlib import Path
from typing import Any

import yaml
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = {"scml_gym": "scml_gym", "scml_gym.agents": "agents"}
"""Their folders, by name; pyproject.toml maps them alike."""
ROOT_PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "SECURITY.md": "security.md",
}
"""Files of the repository's root that are pages of the site."""

NOTEBOOKS = "docs/notebooks"

gc.set_threshold(100_000, 50, 100)  # pages are kept until the end: to look through them for garbage takes seconds

FENCE = re.compile(r"^(```|~~~).*?^\1[ \t]*$", re.S | re.M)
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\[\]]*\])*)\]\(([^()\s#]*)(#[^()\s]*)?\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made, and their places in the navigation."""
    modules = find_modules()
    for name in modules:
        files.append(File.generated(config, api_page(name), content=module_page(name, modules)))
    for notebook in sorted((ROOT / NOTEBOOKS).glob("*.ipynb")):
        text, pictures = notebook_page(notebook)
        files.append(File.generated(config, f"notebooks/{notebook.stem}.md", content=text))
        for name, picture in pictures.items():
            files.append(File.generated(config, f"notebooks/{name}", content=picture))
    root_pages = {source: page for source, page in ROOT_PAGES.items() if (ROOT / source).exists()}
    for source, page in root_pages.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=relinked(text, source, page)))
    results = sorted(f.src_uri for f in files.documentation_pages() if f.src_uri.startswith("results/"))
    for entry in config.nav or []:
        if entry.get("Results") == "results/":
            entry["Results"] = results
        if "How it is built" in entry:
            entry["How it is built"] += [page for page in root_pages.values() if page != "index.md"]
    (config.nav or []).append({"API": [{name: section(name, modules)} for name in PACKAGES if "." not in name]})
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Mend the links of a page of docs/; those of made pages are mended where they are made."""
    if page.file.generated_by:
        return markdown
    return relinked(markdown, f"docs/{page.file.src_uri}", page.file.src_uri)


# Notebooks


def notebook_page(path: Path) -> tuple[str, dict[str, bytes]]:
    """A notebook with its outputs in Markdown, and the pictures in it by file name."""
    parts, pictures = list[str](), dict[str, bytes]()
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:  # a text is kept as a list of its lines
        source = "".join(cell["source"])
        parts.append(source if cell["cell_type"] == "markdown" else f"```python\n{source}\n```")
        for output in cell.get("outputs", ()):
            data = output.get("data", {"text/plain": output.get("text", "")})
            if "image/png" in data:
                name = f"{path.stem}-{len(pictures)}.png"
                pictures[name] = base64.b64decode("".join(data["image/png"]))
                parts.append(f"![What the code above draws]({name})")
            else:
                parts.append(f"```text\n{''.join(data['text/plain']).rstrip()}\n```")
    text = relinked("\n\n".join(parts), f"{NOTEBOOKS}/{path.name}", f"notebooks/{path.stem}.md")
    where = f"This page is a notebook: [{path.name}]({path.name}) runs wherever the package is installed."
    return f"{text}\n\n---\n\n{where}\n", pictures


# The API reference


@functools.cache
def find_modules() -> dict[str, Path]:
    """Name and file of each public module."""
    found = {}
    for package, folder in PACKAGES.items():
        for path in sorted((ROOT / folder).rglob("*.py")):
            parts = (package, *path.relative_to(ROOT / folder).with_suffix("").parts)
            if parts[-1] == "__init__":
                parts = parts[:-1]
            if not any(part.startswith("_") for part in parts):
                found[".".join(parts)] = path
    return found


def is_package(name: str) -> bool:
    """Whether a module is a folder."""
    return find_modules()[name].name == "__init__.py"


def api_page(name: str) -> str:
    """Of a module."""
    return f"api/{name.replace('.', '/')}" + ("/index.md" if is_package(name) else ".md")


def members(name: str, modules: dict[str, Path]) -> list[str]:
    """The modules that stand directly in a package, folders last."""
    inside = [other for other in modules if other.rpartition(".")[0] == name]
    return sorted(inside, key=lambda other: (is_package(other), other))


def section(name: str, modules: dict[str, Path]) -> Any:
    """A module's place in the navigation: its page, or those of a package."""
    if not is_package(name):
        return api_page(name)
    inside = [{other.rpartition(".")[2]: section(other, modules)} for other in members(name, modules)]
    return [api_page(name), *inside]


def module_page(name: str, modules: dict[str, Path]) -> str:
    """What mkdocstrings makes a page of; of a package also what its modules are."""
    lines = [f"# `{name}`", "", f"::: {name}", ""]
    inside = members(name, modules) if is_package(name) else []
    if inside:
        lines += ["| module | what it is |", "| --- | --- |"]
        for other in inside:
            link = posixpath.relpath(api_page(other), posixpath.dirname(api_page(name)))
            lines.append(f"| [`{other.rpartition('.')[2]}`]({link}) | {first_line(modules[other])} |")
    return "\n".join(lines) + "\n"


def first_line(path: Path) -> str:
    """Of a module's docstring, as the cell of a table."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return text.partition("\n\n")[0].replace("\n", " ").replace("|", "\\|")


# Links


def relinked(text: str, source: str, page: str) -> str:
    """A page's text with the links of a file of the repository as the site needs them.

    Args:
        text: Markdown; fenced code is left as it is.
        source: The file, from the repository's root.
        page: The page that it becomes, from the site's root.
    """

    def link(match: re.Match[str]) -> str:
        image, label, target, anchor = match[1], match[2], match[3], match[4] or ""
        if not target or "://" in target or target.startswith("mailto:"):
            return match[0]
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
        made = site_page(path)
        if made is not None:
            return f"{image}[{label}]({posixpath.relpath(made, posixpath.dirname(page))}{anchor})"
        if not (ROOT / path).exists():
            return match[0]  # a broken link: the strict build says so
        repository = repository_url()
        if repository:
            return f"{image}[{label}]({repository}/blob/HEAD/{path}{anchor})"
        return f"`{label}`" if f"/{path}".endswith(f"/{label}") else label

    parts, end = [], 0
    for fence in FENCE.finditer(text):
        parts += [LINK.sub(link, text[end : fence.start()]), fence[0]]
        end = fence.end()
    return "".join([*parts, LINK.sub(link, text[end:])])


def site_page(path: str) -> str | None:
    """The page of the site that a file of the repository is shown on; None where it has none."""
    if path in ROOT_PAGES:
        return ROOT_PAGES[path]
    if path.endswith(".ipynb") and posixpath.dirname(path) == NOTEBOOKS:
        return path.removeprefix("docs/").replace(".ipynb", ".md")
    if path == "docs/environments":
        return "environments.md"
    if path.startswith("docs/") and not path.endswith(".py") and not (ROOT / path).is_dir():
        return path.removeprefix("docs/")
    files = {file: name for name, file in find_modules().items()}
    name = files.get(ROOT / path) or files.get(ROOT / path / "__init__.py")
    return None if name is None else api_page(name)


def repository_url() -> str | None:
    """Where the repository is hosted, if CITATION.cff says so."""
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    return citation.get("repository-code")
