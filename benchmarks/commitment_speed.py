"""Updates of differentiable commitment learning in a second, beside the same update written with torch modules.

    python benchmarks/commitment_speed.py [--updates 1000] [--batch 128]

An update plays a batch of the Prisoner's Dilemma and updates every actor and critic of both agents once. The peer
computes the same gradients by automatic differentiation, a module and an optimiser for each network, as such code
usually does. Both run in one thread; CPU seconds are counted.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Annotated

import numpy as np
import torch
import typer
from torch import nn
from torch.nn import functional

from scml_gym.agents.commitment.dcl import DCL
from scml_gym.agents.commitment.hyperparameters import DCLHyperparameters
from scml_gym.commitment import make_game
from scml_gym.core.cli import run_cli
from scml_gym.core.config import find_config, read_yaml
from scml_gym.core.process import limit_threads

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


class TorchDCL:
    """DCL in the Prisoner's Dilemma with torch's modules, autograd and Adam.

    Args:
        hyperparameters: As for `DCL`; the lemma's factors, no constraint.
    """

    def __init__(self, hyperparameters: DCLHyperparameters) -> None:
        self.hyperparameters = hyperparameters
        self.payoffs = torch.tensor([[[-1.0, -1.0], [-3.0, 0.0]], [[0.0, -3.0], [-2.0, -2.0]]])
        widths = {"phi": (1, 2), "psi": (5, 2), "pi": (1, 2), "critic": (1, 4)}
        self.nets = [{name: self._net(*width) for name, width in widths.items()} for _ in range(2)]
        rates = {"critic": hyperparameters.critic_rate}
        self.optimisers = [
            {n: torch.optim.Adam(net.parameters(), rates.get(n, hyperparameters.actor_rate)) for n, net in nets.items()}
            for nets in self.nets
        ]
        self.updates = 0

    def _net(self, inputs: int, outputs: int) -> nn.Module:
        hidden = self.hyperparameters.hidden
        return nn.Sequential(
            nn.Linear(inputs, hidden), nn.Tanh(), nn.Linear(hidden, hidden), nn.Tanh(), nn.Linear(hidden, outputs)
        )

    def _sample(self, logits: torch.Tensor) -> torch.Tensor:
        return functional.gumbel_softmax(logits, tau=self.hyperparameters.temperature, hard=True)

    def update(self) -> None:
        """Play a batch and update every network of both agents once."""
        x = torch.ones(self.hyperparameters.batch, 1)
        with torch.no_grad():
            m = [self._sample(nets["phi"](x)) for nets in self.nets]
            c = [self._sample(nets["psi"](torch.cat([x, *m], dim=1))) for nets in self.nets]
            a = [self._sample(nets["pi"](x)) for nets in self.nets]
        mutual = c[0][:, 1] * c[1][:, 1]
        at_m, at_a = (pair[0].argmax(1) * 2 + pair[1].argmax(1) for pair in (m, a))
        played = torch.where(mutual > 0, at_m, at_a)
        for i in range(2):
            self._learn(i, x, m, c, a, mutual, at_m, at_a, played)
        self.updates += 1

    def _learn(
        self,
        i: int,
        x: torch.Tensor,
        m: list[torch.Tensor],
        c: list[torch.Tensor],
        a: list[torch.Tensor],
        mutual: torch.Tensor,
        at_m: torch.Tensor,
        at_a: torch.Tensor,
        played: torch.Tensor,
    ) -> None:
        nets = self.nets[i]
        rewards = self.payoffs.reshape(4, 2)[played, i]
        q = nets["critic"](x)
        self._step(i, "critic", 0.5 * functional.mse_loss(q.gather(1, played[:, None])[:, 0], rewards))
        q = nets["critic"](x).detach()
        pis = [functional.softmax(own["pi"](x), 1).detach() for own in self.nets]
        base = ((pis[0][:, :, None] * pis[1][:, None]).reshape(-1, 4) * q).sum(1)
        q_m, q_a = (q.gather(1, at[:, None])[:, 0] - base for at in (at_m, at_a))
        value = mutual * q_m + (1 - mutual) * q_a
        entropy = self.hyperparameters.entropy.at(self.updates)

        log_pi = functional.log_softmax(nets["pi"](x), 1)
        gain = (1 - mutual) * (q_a * (log_pi * a[i]).sum(1) - entropy * (log_pi.exp() * log_pi).sum(1))
        self._step(i, "pi", -gain.mean())

        logits = nets["psi"](torch.cat([x, *m], dim=1))
        log_psi = functional.log_softmax(logits, 1)
        gain = value * (log_psi * c[i]).sum(1) + (q_m - q_a) * c[1 - i][:, 1] * self._sample(logits)[:, 1]
        self._step(i, "psi", -(gain - entropy * (log_psi.exp() * log_psi).sum(1)).mean())

        logits = nets["phi"](x)
        log_phi = functional.log_softmax(logits, 1)
        own = functional.softmax(logits / self.hyperparameters.temperature, 1)
        through = [m[k] + own - own.detach() if k == i else m[k] for k in range(2)]
        gain = value * (log_phi * m[i]).sum(1) - entropy * (log_phi.exp() * log_phi).sum(1)
        for j in range(2):
            logits = self.nets[j]["psi"](torch.cat([x, *through], dim=1))
            gain = gain + value * (functional.log_softmax(logits, 1) * c[j]).sum(1)
            gain = gain + (q_m - q_a) * c[1 - j][:, 1] * self._sample(logits)[:, 1]
        self._step(i, "phi", -gain.mean())

    def _step(self, i: int, name: str, loss: torch.Tensor) -> None:
        parameters = list(self.nets[i][name].parameters())
        for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
            parameter.grad = gradient
        self.optimisers[i][name].step()


def rate(update: Callable[[], object], updates: int) -> float:
    """Updates in a CPU second of one thread, after ten to warm up."""
    for _ in range(10):
        update()
    start = time.process_time()
    for _ in range(updates):
        update()
    return updates / (time.process_time() - start)


@app.command()
def main(
    updates: Annotated[int, typer.Option(help="Timed updates of each.", min=1)] = 1000,
    batch: Annotated[int, typer.Option(help="Decisions an update.", min=1)] = 128,
) -> None:
    """Print a line for each: updates in a CPU second."""
    torch.set_num_threads(1)
    data = {key: value for key, value in read_yaml(find_config("agent", "dcl")).items() if key != "name"}
    hyperparameters, game = DCLHyperparameters.model_validate(data | {"batch": batch}), make_game("prisoners-dilemma")
    for seeds in (1, 10):
        dcl = DCL(hyperparameters, game, [np.random.default_rng(seed) for seed in range(seeds)])
        print(
            f"this package, {seeds} seeds at once: {seeds * rate(dcl.update, max(1, updates // seeds)):.0f} updates/s"
        )
    print(f"torch modules: {rate(TorchDCL(hyperparameters).update, max(1, updates // 5)):.0f} updates/s")


if __name__ == "__main__":
    limit_threads(1)
    run_cli(app)
