"""What all figures have in common: their colours, and how they are written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from priors.files import atomic_write

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["BLUE", "GREEN", "ORANGE", "RED", "save_figure"]

BLUE, ORANGE, GREEN, RED = "#0072B2", "#E69F00", "#009E73", "#D55E00"
"""Colours that remain distinct for the colour-blind (Okabe & Ito 2008, https://jfly.uni-koeln.de/color)."""


def save_figure(figure: Figure, path: Path, dpi: int = 120) -> None:
    """Write a PNG file at once, without a date and the version that made it: equal figures are equal files."""
    with atomic_write(path) as temporary:
        figure.savefig(temporary, format="png", dpi=dpi, metadata={"Software": None})
