"""Networks straight from a prior, without a search: draw, attach, initialise, write. Imports torch to build one."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from nas.errors import InputError, known
from nas.seeds import stream, stream_seed
from priors import (
    PRIORS,
    BarabasiAlbert,
    ErdosRenyi,
    Layered,
    Prior,
    WattsStrogatz,
    Wiring,
    attach,
    layer,
    orient,
    stack,
    write_wiring,
)
from priors.version import __version__

__all__ = ["draw_wiring", "write_mlp", "write_rnn"]


def _watts_strogatz(given: Mapping[str, Any]) -> Prior:
    return WattsStrogatz(**_needed(given, "watts-strogatz", n="nodes", k="k", p="p"))


def _barabasi_albert(given: Mapping[str, Any]) -> Prior:
    needed = _needed(given, "barabasi-albert", n="nodes", m="m")
    return BarabasiAlbert(**needed, **({} if given["initial"] is None else {"initial": given["initial"]}))


def _erdos_renyi(given: Mapping[str, Any]) -> Prior:
    return ErdosRenyi(**_needed(given, "erdos-renyi", n="nodes"), p=given["p"], edges=given["edges"])


def _layered(given: Mapping[str, Any]) -> Prior:
    text = _needed(given, "layered", sizes="sizes")["sizes"]
    try:
        sizes = tuple(int(size) for size in text.split(","))
    except ValueError:
        raise InputError(f"sizes={text!r}: neurons per layer are written like 32,32") from None
    return Layered(sizes, given["density"], edges=given["edges"])


_PRIORS: dict[str, tuple[Callable[[Mapping[str, Any]], Prior], frozenset[str]]] = {
    "watts-strogatz": (_watts_strogatz, frozenset({"nodes", "k", "p"})),
    "barabasi-albert": (_barabasi_albert, frozenset({"nodes", "m", "initial"})),
    "erdos-renyi": (_erdos_renyi, frozenset({"nodes", "p", "edges"})),
    "layered": (_layered, frozenset({"sizes", "density", "edges"})),
}


def _needed(given: Mapping[str, Any], prior: str, **names: str) -> dict[str, Any]:
    """Return the prior's own parameters from those given; `names` maps the former to the latter."""
    missing = [name for name in names.values() if given[name] is None]
    if missing:
        raise InputError(f"{missing[0]} is missing: {prior} needs {', '.join(names.values())}")
    return {own: given[name] for own, name in names.items()}


def draw_wiring(
    prior: str,
    parameters: Mapping[str, Any],
    structure: str,
    orientation: str,
    units: tuple[int, int],
    attachment: str,
    sizes: Mapping[str, int],
    seed: int,
) -> Wiring:
    """Draw a wiring from a named prior and attach input and output units.

    Parameters
    ----------
    prior : str
        A key of ``priors.PRIORS``.
    parameters : mapping
        nodes, k, p, m, initial, edges, sizes and density; None for those that the prior does not take.
    structure : {"dag", "recurrent", "stack"}
        As in `Space`.
    orientation, attachment : str
        As in `Space`.
    units : (n_inputs, n_outputs)
    sizes : mapping
        reads, readouts and width, as in `Space`.
    seed : int

    Raises
    ------
    InputError
        Naming what is missing, not taken, or out of bounds.
    """
    known("prior", prior, PRIORS)
    known("structure", structure, ("dag", "recurrent", "stack"))
    make, taken = _PRIORS[prior]
    for name, value in parameters.items():
        if value is not None and name not in taken:
            raise InputError(f"{name}={value}: {prior} does not take it; it takes {', '.join(sorted(taken))}")
    if prior == "layered" and structure == "recurrent":
        raise InputError("structure=recurrent: a layered wiring has no recurrent edges of its own; valid: stack")
    try:
        wiring = make(parameters).sample(stream(seed, "wiring", 0))
        if structure != "recurrent" and prior != "layered":
            wiring = layer(orient(wiring, orientation, stream_seed(seed, "wiring", 1)))
        if structure == "stack":
            wiring = stack(wiring)
        return attach(wiring, *units, attachment, stream_seed(seed, "wiring", 2), **sizes)
    except ValueError as error:
        raise InputError(str(error)) from None


def write_rnn(out: Path, wiring: Wiring, cell: str, spectral_radius: float | None, seed: int) -> dict[str, Any]:
    """Write an RNN, with its head where the wiring has output units, and return what was written."""
    from nas.networks import CELLS, SequenceNetwork, SparseRNN

    known("cell", cell, CELLS)
    kind = SequenceNetwork if wiring.outputs else SparseRNN
    try:
        rng = stream(seed, "weights", wiring.fingerprint)
        network = kind(wiring, cell, rng=rng, spectral_radius=spectral_radius)
    except ValueError as error:
        raise InputError(str(error)) from None
    call = "outputs, state = network(inputs)  # like nn.LSTM with batch_first=True"
    if wiring.outputs:
        call = "outputs = network(inputs, lengths)  # network.rnn is called like nn.LSTM with batch_first=True"
    return _write(out, network, wiring, call, {"network": "rnn", "cell": cell, "activation": None})


def write_mlp(out: Path, wiring: Wiring, activation: str, seed: int) -> dict[str, Any]:
    """Write an MLP and return what was written."""
    from nas.networks import ACTIVATIONS, SparseMLP

    known("activation", activation, ACTIVATIONS)
    try:
        network = SparseMLP(wiring, activation, rng=stream(seed, "weights", wiring.fingerprint))
    except ValueError as error:
        raise InputError(str(error)) from None
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
        temporary = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    except OSError as error:
        raise InputError(f"out={out}: {error.strerror}; give a folder that can be written") from None
    try:
        save_network(network, temporary / "network.safetensors")
        write_wiring(wiring, temporary / "wiring.json")
        (temporary / "card.md").write_text(_card(written, parts, call), encoding="utf-8")
        temporary.chmod(0o755)
        _move(temporary, out)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return written


def _move(folder: Path, out: Path) -> None:
    try:
        folder.replace(out)
    except OSError as error:
        raise InputError(f"out={out}: {error.strerror}; give the name of a folder that is not there yet") from None


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
