"""The classics of hostile graph files, as a kind of damaged files."""

from collections.abc import Iterator

from graph_mutations import hostile, outcome, seeds

__all__ = ["mutations", "outcome", "seeds"]


def mutations(number: int, seed: int = 0) -> Iterator[tuple[str, bytes]]:
    for suffix, content, _ in list(hostile().values())[:number]:
        yield suffix, content
