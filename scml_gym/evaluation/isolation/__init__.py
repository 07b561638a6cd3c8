"""Players in processes of their own: what they can reach there, how they end, and how a world is played with them."""
