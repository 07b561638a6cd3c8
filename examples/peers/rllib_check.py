"""RLlib's own view of an environment: PettingZoo's agents as a ``MultiAgentEnv``, its check, and an episode with masks.

python examples/peers/rllib_check.py
"""

from ray.rllib.env.wrappers.pettingzoo_env import ParallelPettingZooEnv
from ray.rllib.utils.pre_checks.env import check_multiagent_environments

from scml_gym.oneshot.envs import oneshot_factories_v0


def main() -> None:
    env = ParallelPettingZooEnv(oneshot_factories_v0.parallel_env(days=3))
    check_multiagent_environments(env)
    observations, infos = env.reset(seed=7)
    done = False
    steps = 0
    while not done:
        actions = {a: env.get_action_space(a).sample(mask=infos[a]["action_mask"]) for a in observations}
        observations, rewards, terminations, truncations, infos = env.step(actions)
        assert all(env.get_observation_space(a).contains(seen) for a, seen in observations.items())
        done, steps = terminations["__all__"], steps + 1
    print("steps", steps)


if __name__ == "__main__":
    main()
