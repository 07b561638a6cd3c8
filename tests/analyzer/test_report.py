"""The report and the command: whole, without scripts, and names are never markup."""

from html.parser import HTMLParser

import pytest

from scml_gym.core.errors import InputError
from tests.helpers.recordings import NAMES, play_recorded

pytest.importorskip("duckdb", reason="pip install 'scml-gym[analyzer]'")

from scml_gym.analyzer import open_recordings
from scml_gym.analyzer.command import analyze_command
from scml_gym.analyzer.report import report

EVIL = "<script>alert(1)</script>"


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.tags, self.texts = [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.texts.append(data)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp(f"run {EVIL.replace('/', '')}")
    play_recorded(folder, "w0", NAMES, configuration=0, play=0)
    play_recorded(folder, "w1", NAMES, seed=6, configuration=1, play=0)
    return folder


def test_a_report_is_one_file_in_which_names_are_text(folder):
    with open_recordings(folder) as recordings:
        text = report(recordings)
    page = Tags()
    page.feed(text)
    assert "script" not in page.tags
    assert "link" not in page.tags
    assert any(EVIL.replace("/", "") in data for data in page.texts)
    for title in ("Ranking", "What was lost", "Worst days", "Where the needs went", "Acceptance", "Over-commitment"):
        assert any(title in data for data in page.texts), title
    assert "svg" in page.tags
    assert text.count("<table>") == text.count("</table>") > 6


@pytest.mark.slow
def test_the_command_writes_a_report_about_what_can_be_opened(folder, tmp_path, capsys):
    other = tmp_path / "other"
    other.mkdir()
    (other / "recording.json").write_text('{"schema": "scml-gym-recording-99"}')
    analyze_command([tmp_path / "none", folder, other], tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text()
    assert text.startswith("<!doctype html>")
    told = capsys.readouterr().err.splitlines()
    assert [line.split(": ")[0] for line in told] == ["WARNING"] * 2
    for part in ("none does not exist", "schema 'scml-gym-recording-99'"):
        assert any(part in line for line in told)
        assert part.replace("'", "&#x27;") in text
    for place, why in (("missing/x.html", "No such file"), ("", "Is a directory"), ("a\0b", "no name of a file")):
        with pytest.raises(InputError, match=rf"--report .*: .*({why})"):
            analyze_command([folder], tmp_path / place)
    with pytest.raises(InputError, match=r"none does not exist.*; .*recording-99"):
        analyze_command([tmp_path / "none", other], tmp_path / "report.html")
