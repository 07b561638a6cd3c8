"""Who plays a factory: players by name, run folders as policies and as scml agents."""
