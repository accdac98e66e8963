"""Networks straight from a prior, without a search: draw, attach, initialise, write."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nas.errors import InputError, as_input_errors, known
from nas.failures import unusable
from nas.networks.spec import NetworkSpec
from nas.seeds import stream, stream_seed
from nas.space.families import FAMILIES, Drawing
from priors import (
    ATTACHMENTS,
    GraphFileWarning,
    Prior,
    Wiring,
    attach,
    dead_neurons,
    expand,
    layer,
    orient,
    read_wiring,
    stack,
    write_wiring,
)
from priors.families.record import numbers
from priors.files import atomic_folder
from priors.transforms import drop_self_edges
from priors.version import __version__

__all__ = ["WEIGHTS", "draw_wiring", "write_mlp", "write_rnn"]

_FEWER = "the network needs more memory than there is; give fewer neurons or edges"
_CYCLES = (
    "graph={}: has directed cycles, and layers need a graph without: `wirenas generate rnn` takes it as it is, or give "
    "--undirected, after which --orientation gives each pair one direction"
)
_CYCLES_OF_A_PRIOR = "one_way=true: the graph has directed cycles, and layers need one without; leave one_way out"
_LAYERS = numbers("expand", int, "neurons per layer are written like 512,512,512")
WEIGHTS = ("initial", "fixed", "ignore")
"""What weights of a graph become: initial ones, weights that do not train, or nothing."""
_STRUCTURES = {"mlp": ("dag",), "rnn": ("recurrent", "stack")}


def draw_wiring(
    drawing: Drawing,
    network: str,
    n_outputs: int,
    attachment: str,
    structure: str | None = None,
    typed: Collection[str] = (),
) -> Wiring:
    """Draw a wiring from a named prior, or take a graph file's, for an MLP or an RNN; attach input and output units.

    Without output units an RNN has no head. Attachment and structure are as in `Space`; the structure is by default the
    first that the network and the graph allow. An InputError names what is missing, not taken, or out of bounds, and of
    the options that were `typed` what does nothing.
    """
    if network == "mlp" and n_outputs < 1:
        raise InputError(f"n_outputs={n_outputs}: an MLP needs an integer n_outputs with 1 <= n_outputs")
    _check_source(drawing)
    known("attachment", attachment, ATTACHMENTS)
    with as_input_errors(_FEWER):
        graph = _given(drawing) if drawing.graph is not None else None
        wiring = graph if drawing.prior is None else _prior(drawing, graph).sample(stream(drawing.seed, "wiring", 0))
    assert wiring is not None
    has_directions = wiring.n_layers > 1 or not wiring.is_undirected
    structure = _structure(drawing, network, structure, has_directions and wiring.is_acyclic)
    if structure != "recurrent" and drawing.expand is None:
        wiring = _without_self_edges(drawing, network, wiring)
        has_directions = wiring.n_layers > 1 or not wiring.is_undirected
    _refuse_ignored(drawing, structure, n_outputs, attachment, has_directions, typed)
    with as_input_errors(_FEWER):
        if drawing.expand is not None:
            wiring = _expanded(wiring, drawing)
        elif structure != "recurrent":
            if not has_directions:
                if graph is not None:
                    _say_how(drawing, network)
                wiring = orient(wiring, drawing.orientation, stream_seed(drawing.seed, "wiring", 1))
            elif not wiring.is_acyclic:
                raise InputError(_CYCLES.format(drawing.graph) if graph is not None else _CYCLES_OF_A_PRIOR)
            if wiring.n_layers == 1:
                wiring = layer(wiring)
        if structure == "stack":
            wiring = stack(wiring)
        rng = stream_seed(drawing.seed, "wiring", 2)
        counts = {"reads": drawing.reads, "readouts": drawing.readouts, "width": drawing.width}
        return attach(wiring, drawing.inputs, n_outputs, attachment, rng, **counts)


def _expanded(graph: Wiring, drawing: Drawing) -> Wiring:
    assert drawing.expand is not None
    sizes = _LAYERS(drawing.expand)
    try:
        return expand(graph, sizes, stream_seed(drawing.seed, "wiring", 1))
    except ValueError as error:
        raise InputError(f"expand={drawing.expand}: {str(error).removeprefix(f'sizes={sizes}: ')}") from None


def _check_source(drawing: Drawing) -> None:
    """Refuse a drawing from nothing, and one from a prior and a graph, but for priors that draw from a graph."""
    if drawing.prior is not None and FAMILIES[known("prior", drawing.prior, FAMILIES)].of_graph:
        if drawing.graph is None:
            raise InputError(f"graph is missing: prior={drawing.prior} draws from a graph of your own; give graph")
        return
    if (drawing.prior is None) == (drawing.graph is None):
        if drawing.graph is None:
            raise InputError("nothing is given to draw from; give prior or graph")
        raise InputError("a prior and a graph are given, and a network has one of them; leave prior or graph out")


def _without_self_edges(drawing: Drawing, network: str, graph: Wiring) -> Wiring:
    plain = drop_self_edges(graph)
    if plain is not graph and drawing.graph is not None:
        what = "an MLP" if network == "mlp" else "a stack of layers"
        _say(f"{drawing.graph}: its self edges are dropped: {what} cannot have them")
    return plain


def _say_how(drawing: Drawing, network: str) -> None:
    """Warn that the edges of a graph file get directions, and how."""
    needs = "an MLP needs them" if network == "mlp" else "a stack of layers needs them"
    _say(
        f"{drawing.graph}: its edges have no directions, and {needs}: each got one, by {drawing.orientation} "
        "orientation (--orientation)"
    )


def _say(line: str) -> None:
    warnings.warn(line, GraphFileWarning, stacklevel=4)


def _given(drawing: Drawing) -> Wiring:
    """Return the graph of a file, which no argument of a prior goes with unless one draws from it."""
    for name, value in drawing.arguments.items():
        if value is not None and drawing.prior is None:
            raise InputError(f"{name}={value}: a graph file ignores it; leave it out, or give prior in place of graph")
    graph = read_wiring(str(drawing.graph), **drawing.reading)
    if graph.inputs or graph.outputs:
        raise InputError(f"{drawing.graph}: has input or output units already; give a graph of hidden neurons alone")
    if not graph.n_neurons:
        raise InputError(f"{drawing.graph}: holds no node; a network needs at least 1")
    return graph


def _refuse_ignored(
    drawing: Drawing,
    structure: str,
    n_outputs: int,
    attachment: str,
    has_directions: bool,
    typed: Collection[str],
) -> None:
    """Refuse what another graph, structure or attachment would heed; defaults that nobody typed are not given."""
    if drawing.expand is not None and structure == "recurrent":
        raise InputError(
            f"expand={drawing.expand}: structure=recurrent has no layers; leave it out, or give structure=stack"
        )
    only = f"attachment={attachment} ignores it; leave it out, or give attachment="
    origin = f"prior={drawing.prior}" if drawing.graph is None else f"graph={drawing.graph}"
    for name, is_heeded, why in (
        ("orientation", not has_directions, f"{origin} has directions of its own; leave it out"),
        ("orientation", drawing.expand is None, f"expand={drawing.expand} keeps both directions; leave it out"),
        (
            "orientation",
            structure != "recurrent",
            "structure=recurrent takes graphs as they are and ignores it; leave it out, or give structure=stack",
        ),
        ("reads", attachment == "controlled", f"{only}controlled"),
        ("readouts", attachment == "controlled", f"{only}controlled"),
        ("readouts", n_outputs != 0, "outputs=0 ignores it; leave it out, or give outputs"),
        ("width", attachment == "projected", f"{only}projected"),
    ):
        value = getattr(drawing, name)
        if (name in typed or value != getattr(type(drawing), name)) and not is_heeded:
            raise InputError(f"{name}={value}: {why}")
    for flag, name in (("graph_format", "format"), ("directed", "directed"), ("merge", "merge")):
        if drawing.graph is None and flag in typed:
            raise InputError(f"{name}={drawing.reading[name]}: no graph file is read; leave it out, or give graph")


def _structure(drawing: Drawing, network: str, structure: str | None, is_dag: bool) -> str:
    valid = _STRUCTURES[network]
    if network == "rnn" and is_dag and drawing.graph is None:
        valid = ("stack",)
    if structure is not None and structure not in valid:
        raise InputError(
            f"structure={structure} does not fit network={network} with prior={drawing.prior}; valid: "
            f"{' or '.join(valid)}"
        )
    return structure or valid[0]


def _prior(drawing: Drawing, graph: Wiring | None) -> Prior:
    """Return the prior of the arguments that were given, none of which may be missing or of another one."""
    assert drawing.prior is not None
    family = FAMILIES[drawing.prior]
    taken = {argument.option: argument for argument in family.arguments}
    given = {name: value for name, value in drawing.arguments.items() if value is not None}
    for name, value in given.items():
        if name not in taken:
            raise InputError(f"{name}={value}: {drawing.prior} does not take it; it takes {', '.join(sorted(taken))}")
    needed = [name for name, argument in taken.items() if argument.is_needed]
    for name in needed:
        if name not in given:
            raise InputError(f"{name} is missing: {drawing.prior} needs {', '.join(needed)}")
    arguments = {taken[name].name: taken[name].parse(value) for name, value in given.items()}
    return family.make(**arguments) if graph is None else family.make(graph, **arguments)


def without_weights(wiring: Wiring, why: str) -> Wiring:
    """Return a wiring without the weights of its graph, if it has some, and warn that they are not used."""
    if wiring.weights is None:
        return wiring
    warnings.warn(f"weights of the graph are not used: {why}", GraphFileWarning, stacklevel=3)
    return wiring.replace(weights=None)


def live_parameters(wiring: Wiring, spec: NetworkSpec) -> tuple[int, int]:
    """Return how many hidden neurons of an attached wiring are dead, and how many parameters are left without them."""
    dead = np.zeros(wiring.n_neurons, dtype=bool)
    dead[dead_neurons(wiring)] = True
    n_dead = int(dead.sum())
    source, target = wiring.edges[~dead[wiring.edges].any(axis=1)].T
    first, last = wiring.n_inputs, wiring.n_neurons - wiring.n_outputs
    read_out = int(np.count_nonzero(target >= last))
    read_in = int(np.count_nonzero((source < first) & (target < last)))
    edges = (read_in, len(source) - read_in - read_out, read_out)
    # A network without output units has no head, whose biases would count.
    total = spec.count_parameters(edges, wiring.n_hidden - n_dead, wiring.n_outputs)["total"]
    return n_dead, total


def describe_dead(wiring: Wiring, spec: NetworkSpec) -> str:
    """Say how many hidden neurons are dead, and how many parameters are not theirs; nothing where all are alive."""
    n_dead, left = live_parameters(wiring, spec)
    if not n_dead:
        return ""
    total = spec.n_parameters(wiring)["total"]
    return (
        f"Of its {wiring.n_hidden} neurons {n_dead} {'is' if n_dead == 1 else 'are'} dead: no path leads to them from "
        f"an input, or from them to an output; without them {left} of {total} parameters are left."
    )


def write_rnn(
    out: Path, wiring: Wiring, cell: str, spectral_radius: float | None, seed: int, weights: str | None = None
) -> dict[str, Any]:
    """Write an RNN, with its head where the wiring has output units, and return what was written.

    `weights` is one of `WEIGHTS`, or None: initial where the cell has one weight an edge.
    """
    from nas.networks import CELLS, SequenceNetwork, SparseRNN

    known("cell", cell, CELLS)
    kind = SequenceNetwork if wiring.outputs else SparseRNN
    if spectral_radius is not None and wiring.is_acyclic:
        raise InputError(
            f"spectral_radius={spectral_radius}: the graph has no cycles, whose weights alone it scales; leave it out, "
            "or give more edges"
        )
    wiring = _with_weights(wiring, weights)
    if CELLS[cell].gates > 1 and wiring.weights is not None:
        several = f"cell={cell} has several weights an edge"
        if weights is not None:
            raise InputError(f"weights={weights}: {several}; use tanh or relu, or weights=ignore")
        wiring = without_weights(wiring, f"{several}; cells tanh and relu start with them")
    if weights == "fixed" and spectral_radius is not None:
        raise InputError(
            f"spectral_radius={spectral_radius}: it scales the weights that weights=fixed keeps; leave it out"
        )
    with as_input_errors(_FEWER):
        rng = stream(seed, "weights", wiring.fingerprint)
        network = kind(wiring, cell, rng=rng, spectral_radius=spectral_radius)
        _hold(network, weights)
    call = "outputs, state = network(inputs)  # like nn.LSTM with batch_first=True"
    if wiring.outputs:
        call = "outputs = network(inputs, lengths)  # network.rnn is called like nn.LSTM with batch_first=True"
    return _write(out, network, wiring, call, {"network": "rnn", "cell": cell, "activation": None}, weights)


def write_mlp(out: Path, wiring: Wiring, activation: str, seed: int, weights: str | None = None) -> dict[str, Any]:
    """Write an MLP and return what was written; `weights` is one of `WEIGHTS`, or None for initial."""
    from nas.networks import ACTIVATIONS, SparseMLP

    known("activation", activation, ACTIVATIONS)
    wiring = _with_weights(wiring, weights)
    with as_input_errors(_FEWER):
        network = SparseMLP(wiring, activation, rng=stream(seed, "weights", wiring.fingerprint))
        _hold(network, weights)
    kind = {"network": "mlp", "cell": None, "activation": activation}
    return _write(out, network, wiring, "outputs = network(inputs)", kind, weights)


def _with_weights(wiring: Wiring, weights: str | None) -> Wiring:
    """Return a wiring with the weights of its graph unless they are to be ignored; refuse a choice among none."""
    if weights is None:
        return wiring
    known("weights", weights, WEIGHTS)
    if wiring.weights is None:
        raise InputError(f"weights={weights}: the graph has no weights; leave it out, or give a graph that has some")
    return wiring.replace(weights=None) if weights == "ignore" else wiring


def _hold(network: Any, weights: str | None) -> None:
    """Let weights of the graph stay what they are, where that is asked for."""
    from nas.networks.structure import parts_of

    if weights == "fixed":
        for part in parts_of(network):
            part.hold()


def _write(
    out: Path, network: Any, wiring: Wiring, call: str, kind: Mapping[str, str | None], weights: str | None
) -> dict[str, Any]:
    from nas.networks import n_parameters, save_network

    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"out={out}: there is something already; give a folder that is new or empty")
    if out.is_symlink():
        raise InputError(f"out={out}: is a link; give the name of a folder that is not there yet")
    hidden = wiring.hidden
    parts = n_parameters(network)
    written = {
        "out": str(out),
        "fingerprint": wiring.fingerprint,
        "nodes": hidden.n_neurons,
        "edges": hidden.n_edges,
        "n_parameters": parts["total"],
        "n_dead": len(dead_neurons(wiring)),
        **kind,
        "weights": (weights or "initial") if wiring.weights is not None else None,
    }
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with atomic_folder(out) as temporary:
            save_network(network, temporary / "network.safetensors")
            write_wiring(wiring.replace(weights=None), temporary / "wiring.json")
            card = _card(written, parts, call)
            (temporary / "card.md").write_text(card, encoding="utf-8")
    except OSError as error:
        raise unusable(error, f"out={out}", "give a folder that can be written") from None
    return written


def _card(written: Mapping[str, Any], parts: Mapping[str, int], call: str) -> str:
    start = {
        "initial": "begins with the weights of its graph, and drawn ones elsewhere",
        "fixed": "the weights of its graph are fixed, others are drawn and can be trained",
        None: "freshly initialised",
    }[written["weights"]]
    rows = [*written.items(), *((f"parameters: {name}", count) for name, count in parts.items())]
    table = "\n".join(f"| {name} | {value} |" for name, value in rows if name != "out" and value is not None)
    load = f'from nas.networks import load_network\n\nnetwork = load_network("network.safetensors")\n{call}'
    return f"""# {written["fingerprint"][:12]}: untrained, {start}

| what | value |
| --- | --- |
{table}

## Load

```python
{load}
```

Written by WireNAS {__version__}.
"""
