"""The forerunners of the LitaAgent family, written from their published rules: Y, YR, YS, N, P and CIR.

Their public code has faults. Each fault that is known is mended here, and a parameter ``mended_..`` of 1 says so; with
0 the strategy does what the public code does. Every strategy's docstring tells its own. What all of them share:

- The public inventory manager counts its own stock, takes out of it what production uses, and waits for finished goods,
  of which there never are any in these worlds. `scml_gym.standard.strategies.forerunners.manager` reads the stock of
  the morning and rolls it by the world's own rule; what can be sold is what the lines can make (``mended_stock``).
- All agents of the public YR in a process share and change one object of settings. A strategy remembers for its own
  factory alone, so this mend cannot be taken back.
- The public S variants differ from the others in logging alone, and YS in some constants too: CIRS is CIR.

The rules leave some things open; where a choice was made, the function that makes it says so.
"""
