"""What this installation is: versions, engines and instruction set, for people and for records. Imports torch."""

from __future__ import annotations

import platform

import torch

from nas.training.train import ENGINES
from priors.version import __version__

__all__ = ["describe_machine"]


def describe_machine() -> str:
    """Return one line."""
    engines = ", ".join(name for name in ENGINES if name != "auto")
    instructions = torch.backends.cpu.get_cpu_capability()
    devices = "cpu, cuda" if torch.cuda.is_available() else "cpu"
    return (
        f"wirenas {__version__} (python {platform.python_version()}, torch {torch.__version__}; engines: {engines}; "
        f"devices: {devices}; instruction set: {instructions} on {platform.machine()})"
    )
