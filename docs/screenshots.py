"""Pictures of the analyzer's pages, of a tournament that is played for them; its D-NB is trained for them, too.

    python docs/screenshots.py

They need chromium. Names of files: a page, and ``-dark`` or ``-narrow`` where it is shown so.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Page, ViewportSize, sync_playwright

from scml_gym.analyzer import open_recordings
from scml_gym.analyzer.web.server import LOOPBACK, make_server
from scml_gym.core.errors import InputError

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "docs" / "img" / "analyzer"
TRAINING = "dnb_accept_logistic --set agent.data.worlds=60 --set agent.data.days=10"
TOURNAMENT = "best-subset greedy boulware scml:SyncRandomOneShotAgent --worlds 6 --days 20 --record"
OF_DNB = "best-subset --worlds 2 --days 20 --record"
WORLD = "000003-0-0"
WIDE, NARROW = {"width": 1100, "height": 760}, {"width": 390, "height": 760}

PICTURES: dict[str, tuple[str, dict[str, int], str]] = {
    "ranking": ("/ranking", WIDE, "main h1"),
    "competitor": ("/competitor?competitor=greedy", WIDE, "main h1"),
    "world-dark": (f"/world?world={WORLD}", WIDE, "h2:text-is('Balance')"),
    "flows": (f"/world?world={WORLD}", WIDE, "h2:text-is('Who traded with whom')"),
    "day": (f"/day?world={WORLD}&day=7&round=2", WIDE, "h2:text-is('Replay')"),
    "findings": ("/findings?detector=over-commitment", WIDE, "main h1"),
    "unsafe": ("/findings?detector=unsafe-acts&competitor=greedy", WIDE, "main h1"),
    "decisions": ("/decisions?run=1&competitor=dnb&world=000000-0-0", WIDE, "main h1"),
    "compare-dark": ("/compare?competitor=best-subset&other=boulware", WIDE, "main h1"),
    "day-narrow": (f"/day?world={WORLD}&day=7&round=2", NARROW, "h2:text-is('Replay')"),
}
"""Address, size of the window, and what stands on top of it."""


def main() -> None:
    """Play the tournament, and write the pictures.

    Raises:
        InputError: if there is no chromium.
    """
    chromium = shutil.which("chromium")
    if chromium is None:
        raise InputError("there is no chromium: apt-get install chromium")
    OUT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        dnb, results, with_dnb = (Path(folder) / name for name in ("dnb", "finalists", "with-dnb"))
        for script, arguments in (
            ("train.py", [*TRAINING.split(), "--out", str(dnb)]),
            ("evaluate.py", [*TOURNAMENT.split(), "--out", str(results)]),
            ("evaluate.py", [str(dnb), *OF_DNB.split(), "--out", str(with_dnb)]),
        ):
            subprocess.run([sys.executable, str(ROOT / script), *arguments], check=True, stdout=subprocess.DEVNULL)
        with open_recordings(results, with_dnb) as recordings:
            server = make_server(recordings, LOOPBACK, 0, None)
            threading.Thread(target=server.serve_forever, daemon=True).start()
            with sync_playwright() as driver:
                browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
                address = f"http://{LOOPBACK}:{server.socket.getsockname()[1]}"
                for name, (path, size, top) in PICTURES.items():
                    context = browser.new_context(
                        base_url=address,
                        viewport=ViewportSize(width=size["width"], height=size["height"]),
                        color_scheme="dark" if name.endswith("-dark") else "light",
                    )
                    write(OUT / f"{name}.png", picture(context.new_page(), path, top))
                    context.close()
                browser.close()
            server.shutdown()


def picture(tab: Page, path: str, top: str) -> bytes:
    """A page as PNG, when all of it is there, with that element on top."""
    tab.goto(path)
    tab.wait_for_selector("main h1")
    tab.wait_for_load_state("networkidle")
    tab.locator(top).first.evaluate("element => element.scrollIntoView()")
    tab.wait_for_timeout(1500)
    return tab.screenshot()


def write(path: Path, content: bytes) -> None:
    """Write a PNG with a palette, which takes a third of the room."""
    image: Any = Image.open(io.BytesIO(content)).convert("RGB")
    image.quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
