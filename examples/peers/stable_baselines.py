"""MaskablePPO of sb3-contrib, by its own means alone.

python examples/peers/stable_baselines.py 2048
"""

import sys

import gymnasium
from sb3_contrib import MaskablePPO
from stable_baselines3.common.vec_env import DummyVecEnv

import scml_gym  # noqa: F401 (registers the environments)

if __name__ == "__main__":
    steps = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    envs = DummyVecEnv([lambda: gymnasium.make("scml_gym/OneShotConcurrent-v0", days=3) for _ in range(4)])
    model = MaskablePPO("MlpPolicy", envs, n_steps=min(256, steps // 4), batch_size=64, seed=7)
    model.learn(steps)  # asks each environment for its action_masks()
    env = envs.envs[0]
    observation, info = env.reset(seed=7)
    done = False
    while not done:
        action, _ = model.predict(observation, action_masks=env.unwrapped.action_masks(), deterministic=True)
        observation, reward, done, truncated, info = env.step(action)
    print("score", info["score"], "invalid answers", info["invalid_actions"])
