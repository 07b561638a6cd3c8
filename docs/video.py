"""Records a negotiation of ``zoo:acceptance`` by Gymnasium's RecordVideo, into docs/img/negotiation.gif.

    pip install moviepy
    python docs/video.py

A page shows a GIF wherever it is read; the video itself (mp4) is what RecordVideo leaves.
"""

from __future__ import annotations

import importlib
import tempfile
from pathlib import Path
from typing import Any

import gymnasium
from gymnasium.wrappers import RecordVideo

from scml_gym.policies.run_folders import load_agent

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "docs" / "img" / "negotiation.gif"
FRAMES = 2
"""A second."""


def main() -> None:
    """Play, and turn the video into a GIF."""
    moviepy: Any = importlib.import_module("moviepy")
    agent: Any = load_agent("zoo:acceptance")
    env: Any = gymnasium.make(
        "scml_gym:scml_gym/BilateralAcceptance-v0",
        scenario="EnglandZimbabwe",
        opponent="boulware",
        rounds=12,
        render_mode="rgb_array",
    )
    with tempfile.TemporaryDirectory() as folder:
        env = RecordVideo(env, folder, name_prefix="negotiation", fps=FRAMES, disable_logger=True)
        observation, info = env.reset(seed=1)
        done = False
        while not done:
            action, _ = agent.predict(observation, mask=info["action_mask"])
            observation, _, terminated, truncated, info = env.step(int(action))
            done = terminated or truncated
        env.close()
        (video,) = Path(folder).glob("*.mp4")
        with moviepy.VideoFileClip(str(video)) as clip:
            clip.write_gif(str(TARGET), fps=FRAMES, logger=None)
    print(f"{TARGET}: {TARGET.stat().st_size} bytes, {info['round']} rounds, utility {info['utility']:.3f}")


if __name__ == "__main__":
    main()
