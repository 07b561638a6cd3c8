"""The rules that all tracks of scml share, compiled: functions over the records of a game's own world."""
