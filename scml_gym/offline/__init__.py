"""Data for offline learning: whatever can compete, played in an environment of this package into a Minari dataset.

Read in this order: `seats` (whose answers an action stands for), `behaviours` (who acts), `playing` and `batches`
(episodes, one environment at a time and many at once), `datasets` and `hdf5` (Minari, written), `reading`, `command`.
"""
