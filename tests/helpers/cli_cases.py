"""A tiny campaign for the command line, and processes in which it is called."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "COLUMNS": "100"}
TINY = (
    "--task digits --trials 3 --nodes 8:16 --degree 2:4 --epochs 1 --learning-rate 0.01 --finalists 1 --final-seeds 2"
)


def process(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Call Python in a process of its own."""
    return subprocess.run([sys.executable, *arguments], env=ENVIRONMENT, capture_output=True, text=True, check=False)
