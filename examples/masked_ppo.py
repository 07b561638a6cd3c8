"""Masked PPO on OneShotConcurrent-v0 in one file of plain torch, to be read from top to bottom and changed.

    python examples/masked_ppo.py --total-steps 200000
    python evaluate.py examples.masked_ppo:player best-subset

Schulman et al., Proximal policy optimization algorithms, 2017; masks: Huang and Ontañón, A closer look at invalid
action masking in policy gradient algorithms, 2020; the form: CleanRL.
"""

import argparse
import time
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium.vector import AutoresetMode
from safetensors.torch import load_file, save_file
from torch import nn
from torch.distributions import Categorical

import scml_gym  # noqa: F401 (registers the environments)
from scml_gym.oneshot.exported_policies import JointPolicy

ENV_ID = "scml_gym/OneShotConcurrent-v0"
WEIGHTS = Path("runs/masked_ppo.safetensors")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--total-steps", type=int, default=200_000, help="decisions, of all environments together")
    parser.add_argument("--n-envs", type=int, default=64, help="rows of a native vector environment")
    parser.add_argument("--threads", type=int, default=1, help="that step them")
    parser.add_argument("--days", type=int, default=50, help="of an episode")
    parser.add_argument("--rollout", type=int, default=64, help="decisions of each environment between updates")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--learning-rate", type=float, default=3e-4)
    parser.add_argument("--gamma", type=float, default=0.99)
    parser.add_argument("--gae-lambda", type=float, default=0.95)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--minibatches", type=int, default=4)
    parser.add_argument("--clip", type=float, default=0.2)
    parser.add_argument("--entropy", type=float, default=0.003)
    parser.add_argument("--value-weight", type=float, default=0.5)
    parser.add_argument("--max-grad-norm", type=float, default=0.5)
    return parser.parse_args()


def network(n_in: int, n_out: int, gain: float, width: int = 128) -> nn.Sequential:
    layers = nn.Linear(n_in, width), nn.Linear(width, width), nn.Linear(width, n_out)
    for linear, scale in zip(layers, (2**0.5, 2**0.5, gain), strict=True):
        nn.init.orthogonal_(linear.weight, scale)
        nn.init.zeros_(linear.bias)
    return nn.Sequential(layers[0], nn.Tanh(), layers[1], nn.Tanh(), layers[2])


class ActorCritic(nn.Module):
    """One softmax over 22 choices for each of 8 partners, and the value of the state."""

    def __init__(self, n_observation: int = 95, n_partners: int = 8, n_choices: int = 22):
        super().__init__()
        self.n_partners = n_partners
        self.actor = network(n_observation, n_partners * n_choices, gain=0.01)
        self.critic = network(n_observation, 1, gain=1.0)

    def choices(self, observations: torch.Tensor, masks: torch.Tensor) -> Categorical:
        """Independent choices for all partners; what is masked has no probability. Batch shape ``(n, 8)``."""
        logits = self.actor(observations).masked_fill(~masks, -1e9)
        return Categorical(logits=logits.unflatten(-1, (self.n_partners, -1)))

    def value(self, observations: torch.Tensor) -> torch.Tensor:
        return self.critic(observations).squeeze(-1)


def train(args: argparse.Namespace) -> ActorCritic:
    torch.manual_seed(args.seed)
    shuffler = np.random.default_rng(args.seed)
    # SAME_STEP: where an episode ends, the observation and mask returned are those of the next one
    envs: Any = gymnasium.make_vec(
        ENV_ID, args.n_envs, threads=args.threads, autoreset_mode=AutoresetMode.SAME_STEP, days=args.days
    )
    next_observation, infos = envs.reset(seed=args.seed)
    model = ActorCritic()
    optimizer = torch.optim.Adam(model.parameters(), lr=args.learning_rate, eps=1e-5)

    n_steps, n_envs = args.rollout, args.n_envs
    observations = torch.zeros(n_steps, *next_observation.shape)
    masks = torch.zeros(n_steps, *envs.action_masks().shape, dtype=torch.bool)
    actions = torch.zeros(n_steps, n_envs, model.n_partners, dtype=torch.long)
    log_probs, rewards, values, advantages = (torch.zeros(n_steps, n_envs) for _ in range(4))
    ends = torch.zeros(n_steps, n_envs)  # 1 where the step ended an episode

    scores: list[float] = []
    policy_loss = value_loss = entropy = torch.zeros(())
    started = time.time()
    n_updates = max(1, args.total_steps // (n_steps * n_envs))
    for update in range(1, n_updates + 1):
        optimizer.param_groups[0]["lr"] = args.learning_rate * (1 - (update - 1) / n_updates)

        # play
        for t in range(n_steps):
            observations[t] = torch.as_tensor(next_observation)
            masks[t] = torch.as_tensor(envs.action_masks())
            with torch.no_grad():
                choices = model.choices(observations[t], masks[t])
                actions[t] = choices.sample()
                log_probs[t] = choices.log_prob(actions[t]).sum(-1)
                values[t] = model.value(observations[t])
            next_observation, reward, terminated, truncated, infos = envs.step(actions[t].numpy())
            rewards[t] = torch.as_tensor(reward, dtype=torch.float32)
            ends[t] = torch.as_tensor(terminated | truncated, dtype=torch.float32)
            if "final_info" in infos:
                scores += infos["final_info"]["score"][terminated].tolist()

        # advantages, last step first (generalised advantage estimation)
        with torch.no_grad():
            next_value = model.value(torch.as_tensor(next_observation))
            advantage = torch.zeros(n_envs)
            for t in reversed(range(n_steps)):
                goes_on = 1 - ends[t]
                error = rewards[t] + args.gamma * next_value * goes_on - values[t]
                advantage = error + args.gamma * args.gae_lambda * goes_on * advantage
                advantages[t], next_value = advantage, values[t]
        returns = advantages + values

        # learn
        flat = [x.flatten(0, 1) for x in (observations, masks, actions, log_probs, advantages, returns)]
        for _ in range(args.epochs):
            for rows in np.array_split(shuffler.permutation(n_steps * n_envs), args.minibatches):
                seen, valid, taken, old_log_prob, gain, target = (x[rows] for x in flat)
                choices = model.choices(seen, valid)
                ratio = (choices.log_prob(taken).sum(-1) - old_log_prob).exp()
                gain = (gain - gain.mean()) / (gain.std() + 1e-8)
                policy_loss = torch.max(-gain * ratio, -gain * ratio.clamp(1 - args.clip, 1 + args.clip)).mean()
                value_loss = 0.5 * (model.value(seen) - target).square().mean()
                entropy = choices.entropy().sum(-1).mean()
                loss = policy_loss + args.value_weight * value_loss - args.entropy * entropy
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(model.parameters(), args.max_grad_norm)
                optimizer.step()

        steps = update * n_steps * n_envs
        score = np.mean(scores[-20:]) if scores else float("nan")  # of the last 20 episodes
        losses = f"policy loss {policy_loss:.4f}  value loss {value_loss:.5f}  entropy {entropy:.2f}"
        print(f"steps {steps}  score {score:.3f}  {losses}  {steps / (time.time() - started):.0f} steps/s", flush=True)
    envs.close()
    return model


def player(seed: int) -> JointPolicy:
    """The trained policy at a factory: ``evaluate.py`` takes this as ``examples.masked_ppo:player``."""
    model = ActorCritic()
    model.load_state_dict(load_file(WEIGHTS))

    def predict(observation, state=None, mask=None, deterministic=True):
        with torch.no_grad():
            choices = model.choices(torch.as_tensor(observation)[None], torch.as_tensor(mask)[None])
        return choices.logits[0].argmax(-1).numpy(), None

    return JointPolicy(predict, {})  # {}: the environment's arguments, here all by default


if __name__ == "__main__":
    model = train(parse())
    WEIGHTS.parent.mkdir(exist_ok=True)
    save_file(model.state_dict(), WEIGHTS)
    print(f"saved: {WEIGHTS}")
