"""Reading: what a user says about a graph file, and what had to be assumed where neither user nor file says it."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["MERGES", "GraphFileWarning", "Reading"]

MERGES = ("sum", "max", "first", "error")
"""What becomes of the weights of parallel edges: their sum, the largest, the first, or an error."""


class GraphFileWarning(UserWarning):
    r"""Says what a graph file was taken for where it does not say it itself.

    Examples
    --------
    >>> import warnings
    >>> from priors import GraphFileWarning, parse_wiring
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("error", GraphFileWarning)
    ...     try:
    ...         wiring = parse_wiring(b"a b\nb c\n", ".edgelist")
    ...     except GraphFileWarning as warning:
    ...         print(warning)
    .edgelist: edges taken as undirected, ...
    >>> parse_wiring(b"a b\nb c\n", ".edgelist", directed=True).n_edges  # said, so that nothing is assumed
    2
    """


@dataclass
class Reading:
    """How one file is read.

    Parameters
    ----------
    directed : bool, optional
        Whether edges have a direction, whatever the file says; by default as it says.
    merge : {"sum", "max", "first", "error"}
        See `MERGES`.

    Attributes
    ----------
    remarks : list of str
        What was assumed, in the order in which it was noticed.

    Raises
    ------
    ValueError
        For an unknown `merge`.
    """

    directed: bool | None = None
    merge: str = "sum"
    remarks: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.merge not in MERGES:
            raise ValueError(f"merge={self.merge!r}: valid are {', '.join(MERGES)}")

    def remark(self, text: str) -> None:
        """Remember what was assumed, once."""
        if text not in self.remarks:
            self.remarks.append(text)
