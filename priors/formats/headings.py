"""Words of headings: what columns of sources, targets, weights and directions are called in files of others."""

from __future__ import annotations

import re
from itertools import permutations

__all__ = ["DIRECTIONS", "OTHER_NUMBERS", "WEIGHT_NAMES", "named_ends", "plain_name"]

WEIGHT_NAMES = (
    "weight",
    "weights",
    "edgeweight",
    "w",
    "value",
    "strength",
    "syncount",
    "synapsecount",
    "nsynapses",
    "synapses",
    "nbr",
    "count",
)
"""Names of weights, in lower case and without what is no letter or digit; the first that is there counts."""

# Words of which one stands in the name of the source where the other stands in that of the target.
_DIRECTED_WORDS = (
    ("source", "target"),
    ("origin", "target"),
    ("startid", "endid"),
    ("start", "end"),
    ("sending", "receiving"),
    ("input", "output"),
    ("src", "dst"),
    ("src", "tgt"),
    ("source", "dest"),
    ("from", "to"),
    ("pre", "post"),
    ("sender", "receiver"),
    ("origin", "destination"),
    ("tail", "head"),
    ("citing", "cited"),
    ("follower", "followee"),
    ("parent", "child"),
    ("predecessor", "successor"),
    ("caller", "callee"),
    ("predator", "prey"),
)
_UNDIRECTED_WORDS = (("1", "2"), ("0", "1"), ("a", "b"), ("i", "j"), ("u", "v"), ("x", "y"), ("left", "right"))
_R_NAMES = (("V1", "V2"), ("X1", "X2"), ("Var1", "Var2"))
_KINDS = "node id name vertex neuron gene protein cell area region roi user person entity item actor author label"
OTHER_NUMBERS = re.compile(r"time|year|date|stamp|id$|index|^$|key|label|class|mask|fold|type|layer|^[xyz]$|unnamed")
"""Names, in lower case, of numbers that are no weights."""
_GROUP = re.compile(r"\([^()]*\)$")
_NOTHING = re.compile(r"[^0-9a-zA-Z]+")
DIRECTIONS = {"directed": True, "undirected": False, "mutual": False}
"""What a column of directions holds, in lower case."""
_MOST_COLUMNS = 64


def named_ends(heading: list[str], *, is_heading: bool = False) -> tuple[int, int, bool | None] | None:
    """Return the places of source and target, and whether their names tell a direction, if the heading names them.

    Of what is a heading for certain, names as short as ``i`` and ``j`` are taken.
    """
    names = [plain_name(name) for name in heading[:_MOST_COLUMNS]]
    for first, second in _DIRECTED_WORDS:
        for source, target in permutations(range(len(names)), 2):
            if first in names[source] and names[source].replace(first, second, 1) == names[target]:
                return source, target, True
    for one, other in _R_NAMES:
        if one in heading and other in heading:
            return heading.index(one), heading.index(other), None
    stems = _KINDS.split()
    for first, second in _UNDIRECTED_WORDS:
        for source, target in permutations(range(len(names)), 2):
            stem = names[source].removesuffix(first)
            known = stem.endswith(tuple(stems)) or (is_heading and not stem)
            if stem != names[source] and stem + second == names[target] and known:
                return source, target, None
    return None


def plain_name(name: str) -> str:
    """Return a name of a heading in lower case, without what is no letter or digit."""
    # Neo4j's headings hold types and groups: weight:int, :START_ID(Body-ID).
    bare = _GROUP.sub("", name).strip()
    head, colon, tail = bare.partition(":")
    return _NOTHING.sub("", head or tail if colon else bare).lower()
