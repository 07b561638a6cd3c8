"""The documentation site: it builds strictly without a network, and what was built asks nothing of one."""

import functools
import importlib.util
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.helpers.shared import made_once

ROOT = Path(__file__).resolve().parents[1]
DRAWINGS = sorted(set((ROOT / "docs" / "drawings").glob("*.py")) - {ROOT / "docs" / "drawings" / "svg.py"})
NO_NETWORK = {name: "http://127.0.0.1:9" for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")}


def build(folder, config="mkdocs.yml"):
    # not quiet: then a warning would not count as a failure
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--config-file", str(ROOT / config)]
    environment = os.environ | NO_NETWORK
    return subprocess.run(
        [*command, "--site-dir", str(folder)], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    def make(folder):
        done = build(folder)
        assert done.returncode == 0, done.stdout + done.stderr

    return made_once(tmp_path_factory, "site", make)


class Assets(HTMLParser):
    """What a browser fetches for a tag; links that are only followed when they are clicked do not count."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        fetched = {"rel": given.get("rel")} if tag == "link" else {}
        for name in ("src", "srcset", "data", "poster") + (("href",) if tag in ("link", "image", "use") else ()):
            if given.get(name) and fetched.get("rel") not in ("canonical", "next", "prev"):
                self.found.append(given[name])
        self.found += re.findall(r"url\(([^)]*)\)", given.get("style") or "")


TAG = re.compile(r"""<[A-Za-z](?:[^>"']|"[^"]*"|'[^']*')*>""")


@functools.cache
def fetched(tag):
    """That, of a tag that many pages have."""
    parser = Assets()
    parser.feed(tag)
    return parser.found


@pytest.mark.docs
def test_the_pages_fetch_nothing_from_elsewhere(site):
    pages = list(site.rglob("*.html"))
    assert len(pages) > 100
    for page in pages:
        text = page.read_text(encoding="utf-8")
        found = [asset for tag in set(TAG.findall(text)) for asset in fetched(tag)]
        assert found, page
        outside = [asset for asset in found if re.match(r"['\"]?(https?:)?//", asset)]
        assert not outside, f"{page}: {outside}"
        assert not re.search(r"@import|preconnect|fonts\.g", text), page
    for sheet in site.rglob("*.css"):
        assert not re.search(r"url\(['\"]?(https?:)?//|@import", sheet.read_text(encoding="utf-8")), sheet


@pytest.mark.docs
def test_every_module_of_the_packages_has_a_page(site):
    for folder, package in (("scml_gym", "scml_gym"), ("agents", "scml_gym/agents")):
        for path in (ROOT / folder).rglob("*.py"):
            parts = [package, *path.relative_to(ROOT / folder).with_suffix("").parts]
            if parts[-1] == "__init__":
                parts[-1] = "index"
            elif any(part.startswith("_") for part in parts):
                continue
            assert site.joinpath("api", *parts).with_suffix(".html").exists(), path


@pytest.mark.docs
def test_what_is_public_is_described_in_the_reference(site):
    text = "".join(page.read_text(encoding="utf-8") for page in (site / "api").rglob("*.html"))
    for name in ("InputError", "FactoryPolicy", "OneShotConcurrentEnv", "settle_day", "StrategyPolicy"):
        assert re.search(rf'id="[\w.]*\.{name}"', text), name


@pytest.mark.docs
def test_notebooks_are_pages_with_what_they_showed(site):
    for notebook in (ROOT / "docs" / "notebooks").glob("*.ipynb"):
        page = (site / "notebooks" / f"{notebook.stem}.html").read_text(encoding="utf-8")
        assert f'src="{notebook.stem}-0.png"' in page and (site / "notebooks" / f"{notebook.stem}-0.png").exists()
        assert f'href="{notebook.name}"' in page and (site / "notebooks" / notebook.name).exists()
    assert "sharing: 1.0" in (site / "notebooks" / "first_hour.html").read_text(encoding="utf-8")
    assert 'href="../evaluation.html"' in (site / "notebooks" / "first_hour.html").read_text(encoding="utf-8")


@pytest.mark.docs
def test_links_out_of_the_docs_lead_to_a_page_or_are_text(site):
    home = (site / "index.html").read_text(encoding="utf-8")
    assert 'href="training.html"' in home  # README's docs/training.md
    assert 'href="../' not in home
    training = (site / "training.html").read_text(encoding="utf-8")
    assert "<code>configs/experiment</code>" in training
    assert not re.search(r'href="[^"]*configs/', training)


@pytest.mark.docs
def test_each_broken_link_fails_the_build(tmp_path):
    broken = ["gone.md", "training.md#not-there", "../configs/lost.yaml"]
    line = " and ".join(f"[link]({target})" for target in broken)
    (tmp_path / "docs").mkdir()
    packages = '{"scml_gym": "scml_gym", "scml_gym.agents": "agents"}'
    hooks = (ROOT / "docs" / "hooks.py").read_text(encoding="utf-8").replace(packages, "{}")
    (tmp_path / "docs" / "hooks.py").write_text(hooks, encoding="utf-8")
    (tmp_path / "CITATION.cff").write_text("title: small\n", encoding="utf-8")
    (tmp_path / "docs" / "index.md").write_text(f"# Home\n\n[good](training.md#here) and {line}\n", encoding="utf-8")
    (tmp_path / "docs" / "training.md").write_text("# Training\n\n## Here\n\nText.\n", encoding="utf-8")
    config = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:")[0]
    (tmp_path / "mkdocs.yml").write_text(config, encoding="utf-8")
    done = build(tmp_path / "site", tmp_path / "mkdocs.yml")
    assert done.returncode != 0
    told = done.stdout + done.stderr
    assert f"Aborted with {len(broken)} warnings" in told
    warnings = [text for text in told.splitlines() if text.startswith("WARNING")]
    assert [sum(target.rpartition("/")[2] in text for text in warnings) for target in broken] == [1] * len(broken)


@pytest.mark.parametrize("path", DRAWINGS, ids=lambda path: path.stem)
def test_drawings_are_not_stale(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    assert not script.stale(), f"run python {path.relative_to(ROOT)}"
