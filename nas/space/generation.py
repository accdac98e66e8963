"""Networks straight from a prior, without a search: draw, attach, initialise, write."""

from __future__ import annotations

import shutil
import uuid
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nas.errors import InputError, as_input_errors, known
from nas.seeds import stream, stream_seed
from nas.space.families import FAMILIES, Drawing
from priors import ATTACHMENTS, GraphFileWarning, Prior, Wiring, attach, layer, orient, read_wiring, stack, write_wiring
from priors.version import __version__

__all__ = ["draw_wiring", "write_mlp", "write_rnn"]

_FEWER = "the network needs more memory than there is; give fewer neurons or edges"
_CYCLES = (
    "graph={}: has directed cycles, and layers need a graph without: `wirenas generate rnn` takes it as it is, or give "
    "--undirected, after which --orientation gives each pair one direction"
)
_STRUCTURES = {"mlp": ("dag",), "rnn": ("recurrent", "stack")}


def draw_wiring(
    drawing: Drawing, network: str, n_outputs: int, attachment: str, structure: str | None = None
) -> Wiring:
    """Draw a wiring from a named prior, or take a graph file's, for an MLP or an RNN; attach input and output units.

    Without output units an RNN has no head. Attachment and structure are as in `Space`; the structure is by default the
    first that the network and the graph allow. An InputError names what is missing, not taken, or out of bounds.
    """
    if network == "mlp" and n_outputs < 1:
        raise InputError(f"n_outputs={n_outputs}: an MLP needs an integer n_outputs with 1 <= n_outputs")
    if (drawing.prior is None) == (drawing.graph is None):
        raise InputError(f"prior={drawing.prior}, graph={drawing.graph}: give one of the two")
    known("attachment", attachment, ATTACHMENTS)
    with as_input_errors(_FEWER):
        graph = _given(drawing) if drawing.graph is not None else None
    if drawing.prior is not None:
        has_directions = not FAMILIES[known("prior", drawing.prior, FAMILIES)].is_undirected
    else:
        assert graph is not None
        has_directions = not graph.is_undirected
    structure = _structure(drawing, network, structure, has_directions and (graph is None or graph.is_acyclic))
    with as_input_errors(_FEWER):
        prior = None if graph is not None else _prior(drawing)
    _refuse_ignored(drawing, structure, n_outputs, attachment, has_directions)
    with as_input_errors(_FEWER):
        wiring = graph if prior is None else prior.sample(stream(drawing.seed, "wiring", 0))
        assert wiring is not None
        if structure != "recurrent":
            if not has_directions:
                wiring = orient(wiring, drawing.orientation, stream_seed(drawing.seed, "wiring", 1))
            elif not wiring.is_acyclic:
                raise InputError(_CYCLES.format(drawing.graph))
            if wiring.n_layers == 1:
                wiring = layer(wiring)
        if structure == "stack":
            wiring = stack(wiring)
        rng = stream_seed(drawing.seed, "wiring", 2)
        counts = {"reads": drawing.reads, "readouts": drawing.readouts, "width": drawing.width}
        return attach(wiring, drawing.inputs, n_outputs, attachment, rng, **counts)


def _given(drawing: Drawing) -> Wiring:
    """Return the graph of a file, which no argument of a prior goes with."""
    for name, value in drawing.arguments.items():
        if value is not None:
            raise InputError(f"{name}={value}: a graph file ignores it; leave it out, or give prior in place of graph")
    graph = read_wiring(str(drawing.graph), **drawing.reading)
    if graph.inputs or graph.outputs:
        raise InputError(f"{drawing.graph}: has input or output units already; give a graph of hidden neurons alone")
    if not graph.n_neurons:
        raise InputError(f"{drawing.graph}: holds no node; a network needs at least 1")
    return graph


def _refuse_ignored(drawing: Drawing, structure: str, n_outputs: int, attachment: str, has_directions: bool) -> None:
    """Refuse what another graph, structure or attachment would heed; defaults are as good as not given."""
    only = f"attachment={attachment} ignores it; leave it out, or give attachment="
    origin = f"prior={drawing.prior}" if drawing.graph is None else f"graph={drawing.graph}"
    for name, is_heeded, why in (
        ("orientation", not has_directions, f"{origin} has directions of its own; leave it out"),
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
        if value != getattr(type(drawing), name) and not is_heeded:
            raise InputError(f"{name}={value}: {why}")


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


def _prior(drawing: Drawing) -> Prior:
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
    return family.make(**{taken[name].name: taken[name].parse(value) for name, value in given.items()})


def without_weights(wiring: Wiring, why: str) -> Wiring:
    """Return a wiring without the weights of its graph, if it has some, and warn that they are not used."""
    if wiring.weights is None:
        return wiring
    warnings.warn(f"weights of the graph are not used: {why}", GraphFileWarning, stacklevel=3)
    return wiring.replace(weights=None)


def write_rnn(out: Path, wiring: Wiring, cell: str, spectral_radius: float | None, seed: int) -> dict[str, Any]:
    """Write an RNN, with its head where the wiring has output units, and return what was written."""
    from nas.networks import CELLS, SequenceNetwork, SparseRNN

    known("cell", cell, CELLS)
    kind = SequenceNetwork if wiring.outputs else SparseRNN
    if spectral_radius is not None and wiring.is_acyclic:
        raise InputError(
            f"spectral_radius={spectral_radius}: the graph has no cycles, whose weights alone it scales; leave it out, "
            "or give more edges"
        )
    if CELLS[cell].gates > 1:
        wiring = without_weights(
            wiring, f"cell={cell} has several weights an edge; cells tanh and relu start with them"
        )
    with as_input_errors(_FEWER):
        rng = stream(seed, "weights", wiring.fingerprint)
        network = kind(wiring, cell, rng=rng, spectral_radius=spectral_radius)
    call = "outputs, state = network(inputs)  # like nn.LSTM with batch_first=True"
    if wiring.outputs:
        call = "outputs = network(inputs, lengths)  # network.rnn is called like nn.LSTM with batch_first=True"
    return _write(out, network, wiring, call, {"network": "rnn", "cell": cell, "activation": None})


def write_mlp(out: Path, wiring: Wiring, activation: str, seed: int) -> dict[str, Any]:
    """Write an MLP and return what was written."""
    from nas.networks import ACTIVATIONS, SparseMLP

    known("activation", activation, ACTIVATIONS)
    with as_input_errors(_FEWER):
        network = SparseMLP(wiring, activation, rng=stream(seed, "weights", wiring.fingerprint))
    return _write(
        out, network, wiring, "outputs = network(inputs)", {"network": "mlp", "cell": None, "activation": activation}
    )


def _write(out: Path, network: Any, wiring: Wiring, call: str, kind: Mapping[str, str | None]) -> dict[str, Any]:
    from nas.networks import n_parameters, save_network

    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"out={out}: there is something already; give a folder that is new or empty")
    hidden = wiring.hidden
    parts = n_parameters(network)
    written = {
        "out": str(out),
        "fingerprint": wiring.fingerprint,
        "nodes": hidden.n_neurons,
        "edges": hidden.n_edges,
        "n_parameters": parts["total"],
        **kind,
    }
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        temporary = out.parent / f".{uuid.uuid4().hex}.tmp"
        temporary.mkdir()
    except OSError as error:
        raise InputError(f"out={out}: {error.strerror}; give a folder that can be written") from None
    try:
        save_network(network, temporary / "network.safetensors")
        write_wiring(wiring.replace(weights=None), temporary / "wiring.json")
        (temporary / "card.md").write_text(_card(written, parts, call), encoding="utf-8")
        try:
            temporary.replace(out)
        except OSError as error:
            raise InputError(f"out={out}: {error.strerror}; give the name of a folder that is not there yet") from None
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return written


def _card(written: Mapping[str, Any], parts: Mapping[str, int], call: str) -> str:
    rows = [*written.items(), *((f"parameters: {name}", count) for name, count in parts.items())]
    table = "\n".join(f"| {name} | {value} |" for name, value in rows if name != "out" and value is not None)
    load = f'from nas.networks import load_network\n\nnetwork = load_network("network.safetensors")\n{call}'
    return f"""# {written["fingerprint"][:12]}: untrained, freshly initialised

| what | value |
| --- | --- |
{table}

## Load

```python
{load}
```

Written by WireNAS {__version__}.
"""
