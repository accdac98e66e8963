"""From the shell to the compiled engine it is a short way, which docs/architecture.md lists."""

import re
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from nas.training import native_engine
from nas.training.extension import has_native
from wirenas.__main__ import main

pytestmark = pytest.mark.usefixtures("drawn_figures")

ROOT = Path(__file__).resolve().parents[3]


def own_functions(frame: FrameType | None) -> list[str]:
    """Return the functions of the project that are being called, the outermost first."""
    found = []
    while frame is not None:
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(ROOT) and path.relative_to(ROOT).parts[0] in ("nas", "wirenas"):
            module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            found.append(f"{module}.{frame.f_code.co_qualname}")
        frame = frame.f_back
    return found[::-1]


@pytest.mark.skipif(not has_native(), reason="the compiled engine was not built")
def test_the_journey_has_nine_steps_which_are_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    submitted: list[list[str]] = []
    trained: list[list[str]] = []
    submit, run = ThreadPoolExecutor.submit, native_engine.NativeSession.run

    def seen_submit(self: ThreadPoolExecutor, *arguments: Any, **named: Any) -> Any:
        submitted.append(own_functions(sys._getframe(1)))
        return submit(self, *arguments, **named)

    def seen_run(self: native_engine.NativeSession, *arguments: Any) -> Any:
        if threading.current_thread() is not threading.main_thread():
            trained.append([*own_functions(sys._getframe(1)), "nas.training.native_engine.NativeSession.run"])
        return run(self, *arguments)

    monkeypatch.setattr(ThreadPoolExecutor, "submit", seen_submit)
    monkeypatch.setattr(native_engine.NativeSession, "run", seen_run)
    tiny = "--task digits --nodes 8:10 --degree 2:3 --epochs 1 --learning-rate 0.01 --trials 1 --final-seeds 1"
    monkeypatch.setattr(sys, "argv", ["wirenas", "run", *tiny.split(), "--out", str(tmp_path / "out"), "--json"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    journey = [*submitted[0], *trained[0]]
    assert len(journey) <= 9, journey
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\d+\. `([\w.]+)`", text, re.MULTILINE)
    assert listed == journey
