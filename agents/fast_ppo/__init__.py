"""PPO at the speed of the compiled world: the algorithm of Stable-Baselines3 with forward and backward written out.

Read in this order: `network`, `passes` (what to do, and the gradient of what was done), `algorithm`, `learner`.
"""
