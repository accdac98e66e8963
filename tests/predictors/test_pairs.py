"""Distances between all pairs of wirings, the map and the tree that are made of them."""

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform

from predictors.distances import edge_jaccard, nnstd
from predictors.pairs import distance_matrix, plane_of, plot_pairs, tree_of
from priors import Layered, Wiring


def some(n: int) -> list[Wiring]:
    return [Layered((8, 9, 4), density=0.4, inputs=True, outputs=True).sample(seed) for seed in range(n)]


def relabelled(wiring: Wiring, seed: int) -> Wiring:
    """Return a copy whose hidden neurons have other numbers."""
    first, last = wiring.n_inputs, wiring.n_neurons - wiring.n_outputs
    number = np.arange(wiring.n_neurons)
    number[first:last] = first + np.random.default_rng(seed).permutation(last - first)
    return wiring.replace(edges=number[wiring.edges])


def test_each_pair_is_measured_once() -> None:
    wirings, told = some(4), []
    found = distance_matrix(wirings, watch=lambda done, total: told.append((done, total)))
    assert found == pytest.approx(np.array([[nnstd(a, b).value for b in wirings] for a in wirings]), abs=1e-12)
    assert (found == found.T).all()
    assert not found.diagonal().any()
    assert told == [(done, 6) for done in range(7)]
    other = distance_matrix(wirings, edge_jaccard)
    assert other[1, 2] == other[2, 1] == edge_jaccard(wirings[1], wirings[2])


def test_processes_do_not_change_results() -> None:
    wirings = some(4)
    assert distance_matrix(wirings, processes=2).tolist() == distance_matrix(wirings).tolist()


def test_relabelled_copies_are_at_0_and_have_equal_distances() -> None:
    one, other = some(2)
    found = distance_matrix([one, relabelled(one, 1), other, relabelled(other, 2)])
    assert found[0, 1] == found[2, 3] == 0
    assert found[:2, 2:] == pytest.approx(found[0, 2])
    tree = tree_of(found)
    assert sorted(tree[:2, 2]) == [0, 0]


def test_wirings_of_other_units_are_refused() -> None:
    with pytest.raises(ValueError, match="have other units"):
        distance_matrix([*some(2), Layered((7, 9, 4), density=0.4, inputs=True, outputs=True).sample(0)])


def test_points_of_the_plane_have_their_distances_again() -> None:
    points = np.random.default_rng(0).normal(size=(9, 2)) * [3, 1]
    plane = plane_of(squareform(pdist(points)))
    assert plane.stress < 1e-3
    assert pdist(plane.points) == pytest.approx(pdist(points), abs=0.02)
    assert plane.points.mean(axis=0) == pytest.approx(0, abs=1e-9)
    assert plane.points[:, 0].std() > plane.points[:, 1].std()
    assert plane_of(squareform(pdist(points))).points.tolist() == plane.points.tolist()


def test_equal_distances_have_no_place_in_the_plane() -> None:
    """The best places of 3 points meet all distances, and of 30 points hardly any."""
    assert plane_of(1 - np.eye(3)).stress < 1e-3
    assert plane_of(1 - np.eye(30)).stress > 0.2
    same = plane_of(np.zeros((4, 4)))
    assert (same.stress, same.points.tolist()) == (0, [[0, 0]] * 4)


def test_branches_meet_at_mean_distances() -> None:
    tree = tree_of([[0, 0.1, 0.5], [0.1, 0, 0.7], [0.5, 0.7, 0]])
    assert tree[:, 2] == pytest.approx([0.1, 0.6])
    assert tree[-1, 3] == 3


@pytest.mark.parametrize(
    ("matrix", "words"),
    [
        ([[0, 1]], "square"),
        ([[0]], "two or more"),
        ([[0, 1], [2, 0]], "the same both ways"),
        ([[1, 1], [1, 0]], "0 on the diagonal"),
        ([[0, -1], [-1, 0]], "0 or more"),
        ([[0, np.nan], [np.nan, 0]], "finite"),
    ],
)
def test_what_is_no_matrix_of_distances_is_refused(matrix: list[list[float]], words: str) -> None:
    for made in (plane_of, tree_of):
        with pytest.raises(ValueError, match=words):
            made(matrix)


def test_pictures(tmp_path: Path) -> None:
    matrix = distance_matrix(some(3))
    plane = plot_pairs(tmp_path, matrix, ["a", "$b_1", "c_{d"])
    assert plane.points.shape == (3, 2)
    before = [(tmp_path / name).read_bytes() for name in ("map.png", "tree.png")]
    assert all(content.startswith(b"\x89PNG") for content in before)
    plot_pairs(tmp_path, matrix, ["a", "$b_1", "c_{d"])
    assert [(tmp_path / name).read_bytes() for name in ("map.png", "tree.png")] == before
