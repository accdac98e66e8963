"""One seed gives the same graph for ever."""

import pytest

from priors import (
    BarabasiAlbert,
    Connectome,
    ErdosRenyi,
    GeoHub,
    Geometric,
    Layered,
    Modular,
    NewmanWatts,
    Prior,
    RandomRegular,
    StochasticBlock,
    WattsStrogatz,
    WSFlex,
    expand,
)

DIRECTED = Layered((9, 9), 0.4).sample(1)

GOLDEN: list[tuple[Prior, int, str]] = [
    (WattsStrogatz(40, 6, 0.1), 2024, "62f273339319ddc3"),
    (BarabasiAlbert(40, 2), 2025, "db6053763fd24c9f"),
    (BarabasiAlbert(40, 4, "complete"), 2026, "45522b6be48e8f6f"),
    (ErdosRenyi(40, edges=100), 2027, "c4c804f14868463d"),
    (NewmanWatts(32, 4, p=0.3), 2028, "45712d92793646aa"),
    (NewmanWatts(32, 6, shortcuts=20), 2029, "02fffdf7d8d66472"),
    (NewmanWatts(33, 2, shortcuts=200), 2030, "c8135b3582b6dd07"),
    (WSFlex(32, 5.5, 0.2), 2031, "2b984f027ece36f6"),
    (WSFlex(32, 7.3, 1.0), 2032, "25bb81f7f7a8920c"),
    (WSFlex(32, 2.2, 0.5, connected=True), 2033, "78074da54e62f386"),
    (RandomRegular(32, 3), 2034, "5fb87670ee479771"),
    (RandomRegular(33, 8), 2035, "9aa961f76b0576da"),
    (RandomRegular(20, 17), 2036, "9b210d826630f06c"),
    (StochasticBlock((10, 20), block_p=((0.8, 0.1), (0.1, 0.3))), 2037, "19778819c7f63e88"),
    (StochasticBlock((10, 20), block_edges=((30, 40), (40, 50))), 2038, "9cf0ee4a2c15e92f"),
    (Modular(32, 4, 90, 0.2), 2039, "d9e1101bae9c3ece"),
    (Modular(33, 5, 300, 0.0), 2040, "1f9122a45e0f6f62"),
    (Geometric(32, 0.1, edges=90), 2041, "4571551c4dbfbbb9"),
    (Geometric(32, 0.5, p=0.8), 2042, "904a723fef196cd1"),
    (Geometric(32, 0.2, edges=90, dimensions=3), 2043, "8c45a7d1dc349f35"),
    (GeoHub(32, 90, 4), 2044, "96b3646a5e827fbe"),
    (GeoHub(32, 400, 1), 2045, "d5daa6254ef09110"),
    (GeoHub(32, 140, 4, one_way=True), 2046, "934e9a8cf1393bca"),
    (Layered((20, 30, 10), edges=300, allocation="erk"), 2047, "997fa05712a103de"),
    (Layered((20, 30, 10), 0.3, pattern="fan-in"), 2048, "e1471f2ff273e01e"),
    (Layered((20, 30, 10), 0.7, pattern="fan-in"), 2049, "77aaf03240b4a180"),
    (Layered((20, 30, 10), 0.3, pattern="regular"), 2050, "d13647672260eced"),
    (Layered((20, 30, 10), 0.3, pattern="small-world", beta=0.2), 2051, "417110e36fd30467"),
    (Layered((20, 30, 10), 0.3, pattern="scale-free"), 2052, "96384d2ff40b75c8"),
    (Connectome(DIRECTED, 12), 2053, "f25ffd406fe656a8"),
    (Connectome(DIRECTED, 25, "bootstrap"), 2054, "05f9311d741e716d"),
    (Connectome(WattsStrogatz(20, 4, 0.3).sample(5), 30, "bootstrap"), 2055, "7403f4d3de3dc49a"),
]


@pytest.mark.parametrize(("prior", "seed", "fingerprint"), GOLDEN)
def test_a_graph_never_changes(prior: Prior, seed: int, fingerprint: str):
    assert prior.sample(seed).fingerprint[:16] == fingerprint


def test_an_expanded_graph_never_changes():
    graph = WattsStrogatz(8, 4, 0.5).sample(1)
    assert expand(graph, (19, 21, 16), 7).fingerprint[:16] == "75787459cb5ef270"
