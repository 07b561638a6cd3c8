"""TorchRL: rollouts of a Gymnasium and of a PettingZoo environment, with the masks in the tensordict.

python examples/peers/torchrl_envs.py
"""

import gymnasium
from torchrl.envs import GymEnv, GymWrapper, PettingZooWrapper
from torchrl.envs.utils import check_env_specs

import scml_gym  # noqa: F401 (registers the environments)
from scml_gym.game.flat_infos import FlatInfos
from scml_gym.oneshot.envs import oneshot_factories_v0


def main() -> None:
    env = GymEnv("scml_gym/OneShotConcurrent-v0", days=3, categorical_action_encoding=True)
    check_env_specs(env)
    print("GymEnv:", env.rollout(5)["action"].shape)

    made = gymnasium.make("scml_gym/OneShotConcurrent-v0", days=3)
    env = GymWrapper(FlatInfos(made), categorical_action_encoding=True).auto_register_info_dict()
    rollout = env.rollout(5)
    print("with infos:", rollout["action_mask"].shape[-1], "choices")

    agents = PettingZooWrapper(oneshot_factories_v0.parallel_env(days=3), categorical_actions=True)
    check_env_specs(agents)
    rollout = agents.rollout(5)
    print("PettingZooWrapper:", rollout["factory", "action_mask"].shape, rollout["factory", "action"].shape)


if __name__ == "__main__":
    main()
