"""The file of a learning curve."""

from __future__ import annotations

from scml_gym.core.curve_file import CurveFile


def test_the_last_step_is_that_of_the_last_whole_row(tmp_path):
    file = CurveFile(tmp_path / "curve.csv")
    assert file.last_step() == 0
    for step in (10, 20):
        file.append({"step": step, "loss": step / 3})
        assert file.last_step() == step == int(file.rows()[-1]["step"])
    with file.path.open("a") as open_file:
        open_file.write("30,.")  # without its end: a kill while it was written
    assert file.last_step() == 20
    file.truncate(0)
    assert file.last_step() == 0
