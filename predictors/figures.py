"""What all figures have in common: their colours, and how they are written."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from priors.files import atomic_write

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["BLUE", "GREEN", "ORANGE", "RED", "save_figure"]

BLUE, ORANGE, GREEN, RED = "#0072B2", "#E69F00", "#009E73", "#D55E00"
"""Colours that remain distinct for the colour-blind (Okabe & Ito 2008, https://jfly.uni-koeln.de/color)."""


def save_figure(figure: Figure, path: Path, dpi: int = 120) -> None:
    """Write a png, svg or pdf file at once, without a date and the version that made it: equal figures are equal files.

    The suffix says which; without one it is a png.
    """
    import matplotlib

    kind = path.suffix[1:].lower() or "png"
    metadata = {"png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}[kind]
    with (
        atomic_write(path) as temporary,
        matplotlib.rc_context({"svg.hashsalt": "wirenas"}),
        warnings.catch_warnings(),
    ):
        # A sign of a name that no font here has is drawn as a box, which tells as much.
        warnings.filterwarnings("ignore", r"Glyph .* missing from|Matplotlib currently does not support .* natively")
        figure.savefig(temporary, format=kind, dpi=dpi, metadata=metadata)
