"""The page of the first hour: what is shown of an output, and how a command is interrupted."""

from pathlib import Path

import pytest

from benchmarks.first_hour import CHAPTERS, Step, run, shortened


def test_of_progress_the_last_line_of_each_stage_is_shown() -> None:
    printed = "\n".join(
        [
            "search: 9 trials",
            "search: 1 of 9 trials, best 0.5",
            "search: 9 of 9 trials, best 0.9",
            "choices of references: 30 trainings",
            "choices of references: 30 of 30, 0 s left",
            "references: 30 trainings",
            "references: 30 of 30, 0 s left",
            "references: 5 trainings",
            "mine.csv: 8 neurons of 9",
            "The end.",
        ]
    )
    assert shortened(printed) == [
        "search: 9 of 9 trials, best 0.9",
        "choices of references: 30 of 30, 0 s left",
        "references: 30 of 30, 0 s left",
        "references: 5 trainings",
        "mine.csv: 8 neurons of 9",
        "The end.",
    ]


def test_the_middle_of_a_long_output_is_left_out_and_counted() -> None:
    lines = [f"line {number}" for number in range(100)]
    shown = shortened("\n".join(lines))
    assert shown == [*lines[:14], "[72 lines left out]", *lines[-14:]]
    assert shortened("\n".join(lines[:28])) == lines[:28]


@pytest.mark.slow
def test_a_command_has_its_exit_code_its_seconds_and_both_its_streams(tmp_path: Path) -> None:
    code, seconds, printed = run(Step("run --task digits --trials 3 --trials 4", exit_code=2), tmp_path)
    assert code == 2
    assert seconds > 0
    assert printed == "wirenas: --trials is given 2 times, with 3 and 4: it takes one value\n"
    stopped = Step("run --task digits --trials 900 --out out", interrupted_at="search: 1")
    code, _, printed = run(stopped, tmp_path)
    assert code == 130
    assert printed.endswith("wirenas: interrupted; the same command resumes\n")


def test_wishes_are_tried_right_and_wrong() -> None:
    codes = {step.exit_code for chapter in CHAPTERS for step in chapter.steps}
    assert codes == {0, 2, 130}
