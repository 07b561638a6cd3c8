"""Questions about recorded worlds: who lost what, where, to whom and why.

`open_recordings` opens folders (`open_readable` those of them that it can), the functions of
`scml_gym.analyzer.queries` answer a question each, and those of
`scml_gym.analyzer.detectors` look for what went wrong. All of them give pandas tables.
"""

from __future__ import annotations

from scml_gym.analyzer.sources import Recordings, open_readable, open_recordings

__all__ = ["Recordings", "open_readable", "open_recordings"]
