"""Files of pools that are not as they should be."""

import numpy as np


def damaged(pool, folder, **changes):
    """The file of a pool with some arrays changed, or left out where they are None."""
    pool.save(folder / "good.npz")
    with np.load(folder / "good.npz") as data:
        content = dict(data) | changes
    np.savez(folder / "bad.npz", **{name: value for name, value in content.items() if value is not None})
    return folder / "bad.npz"
