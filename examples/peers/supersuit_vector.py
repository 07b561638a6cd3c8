"""SuperSuit: the agents of a PettingZoo environment as the rows of a vector environment.

    python examples/peers/supersuit_vector.py

``supersuit.concat_vec_envs_v1``, which joins several of them, does not take actions as Gymnasium's spaces draw them.
The package's own ``vector_env`` of each PettingZoo environment has all rows of many worlds, in compiled code.
"""

import numpy as np
import supersuit

from scml_gym.oneshot.envs import oneshot_factories_v0


def main() -> None:
    env = supersuit.dtype_v0(oneshot_factories_v0.parallel_env(days=3), "float32")
    envs = supersuit.pettingzoo_env_to_vec_env_v1(env)
    observations, infos = envs.reset(seed=7)
    actions = np.stack([envs.action_space.sample(mask=info["action_mask"]) for info in infos])
    observations, rewards, terminations, truncations, infos = envs.step(actions)
    print(np.shape(observations), np.shape(rewards))


if __name__ == "__main__":
    main()
