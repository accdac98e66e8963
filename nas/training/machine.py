"""What this installation is: versions, engines and instruction set, for people and for records. Imports torch."""

from __future__ import annotations

import platform

import torch

from nas.training.extension import has_native, instruction_set
from priors.version import __version__

__all__ = ["describe_machine"]


def describe_machine() -> str:
    """Return one line."""
    engines, instructions = "torch", torch.backends.cpu.get_cpu_capability()
    if has_native():
        engines, instructions = "native, torch", instruction_set()
    devices = "cpu, cuda" if torch.cuda.is_available() else "cpu"
    return (
        f"wirenas {__version__} (python {platform.python_version()}, torch {torch.__version__}; engines: {engines}; "
        f"devices: {devices}; instruction set: {instructions} on {platform.machine()})"
    )
