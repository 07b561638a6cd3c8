"""MAPPO and IPPO for any parallel environment: agents that share a policy, with or without a common critic.

Read in this order: `layout`, `worlds` (agents as arrays, many worlds at once), `networks`, `rollout`, `algorithm`,
`learner`.
"""
