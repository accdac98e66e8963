"""Networks straight from a prior, without a search: draw, attach, initialise, write. Imports torch to build one."""

from __future__ import annotations

import math
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nas.errors import InputError, as_input_errors, known
from nas.seeds import stream, stream_seed
from priors import (
    ATTACHMENTS,
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

if TYPE_CHECKING:
    from nas.cli.flags import Drawing

__all__ = ["draw_wiring", "write_mlp", "write_rnn"]


_FEWER = "the network needs more memory than there is; give fewer neurons or edges"
_STRUCTURES = {"mlp": ("dag",), "rnn": ("recurrent", "stack")}
_MOST_PAIRS = 10**9
"""Of nodes: erdos-renyi holds a number for each of them while it draws."""


def draw_wiring(
    drawing: Drawing, network: str, n_outputs: int, attachment: str, structure: str | None = None
) -> Wiring:
    """Draw a wiring from a named prior and attach input and output units.

    Parameters
    ----------
    drawing : Drawing
        The prior, its parameters and the seed.
    network : {"mlp", "rnn"}
        What the wiring is for.
    n_outputs : int
        Output units; 0 leaves an RNN without a head.
    attachment : str
        As in `Space`.
    structure : {"dag", "recurrent", "stack"}, optional
        As in `Space`; by default the first that the network and the prior allow.

    Raises
    ------
    InputError
        Naming what is missing, not taken, or out of bounds.
    """
    known("prior", drawing.prior, PRIORS)
    structure = _structure(drawing.prior, network, structure)
    if network == "mlp" and n_outputs < 1:
        raise InputError(f"n_outputs={n_outputs}: an MLP needs an integer n_outputs with 1 <= n_outputs")
    make, taken = _PRIORS[drawing.prior]
    for name in ("nodes", "k", "p", "m", "initial", "edges", "sizes", "density"):
        value = getattr(drawing, name)
        if value is not None and name not in taken:
            raise InputError(f"{name}={value}: {drawing.prior} does not take it; it takes {', '.join(sorted(taken))}")
    _refuse_ignored(drawing, structure, n_outputs, known("attachment", attachment, ATTACHMENTS))
    with as_input_errors(_FEWER):
        wiring = make(drawing).sample(stream(drawing.seed, "wiring", 0))
        if structure != "recurrent" and drawing.prior != "layered":
            wiring = layer(orient(wiring, drawing.orientation, stream_seed(drawing.seed, "wiring", 1)))
        if structure == "stack":
            wiring = stack(wiring)
        rng = stream_seed(drawing.seed, "wiring", 2)
        counts = {"reads": drawing.reads, "readouts": drawing.readouts, "width": drawing.width}
        return attach(wiring, drawing.inputs, n_outputs, attachment, rng, **counts)


def _refuse_ignored(drawing: Drawing, structure: str, n_outputs: int, attachment: str) -> None:
    """Refuse what another prior, structure or attachment would heed; defaults are as good as not given."""
    only = f"attachment={attachment} ignores it; leave it out, or give attachment="
    for name, is_heeded, why in (
        ("orientation", drawing.prior != "layered", "prior=layered has directions of its own; leave it out"),
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


def _structure(prior: str, network: str, structure: str | None) -> str:
    valid = ("stack",) if (prior, network) == ("layered", "rnn") else _STRUCTURES[network]
    if structure is not None and structure not in valid:
        raise InputError(
            f"structure={structure} does not fit network={network} with prior={prior}; valid: {' or '.join(valid)}"
        )
    return structure or valid[0]


def _watts_strogatz(drawing: Drawing) -> Prior:
    return WattsStrogatz(**_needed(drawing, n="nodes", k="k", p="p"))


def _barabasi_albert(drawing: Drawing) -> Prior:
    needed = _needed(drawing, n="nodes", m="m")
    if drawing.initial is not None:
        needed["initial"] = drawing.initial
    return BarabasiAlbert(**needed)


def _erdos_renyi(drawing: Drawing) -> Prior:
    n = _needed(drawing, n="nodes")["n"]
    if n * (n - 1) // 2 > _MOST_PAIRS:
        most = (1 + math.isqrt(1 + 8 * _MOST_PAIRS)) // 2
        raise InputError(f"nodes={n}: erdos-renyi needs memory for every pair of nodes; nearest valid is {most}")
    return ErdosRenyi(n, p=drawing.p, edges=drawing.edges)


def _layered(drawing: Drawing) -> Prior:
    text = _needed(drawing, sizes="sizes")["sizes"]
    try:
        sizes = tuple(int(size) for size in text.split(","))
    except ValueError:
        raise InputError(f"sizes={text!r}: neurons per layer are written like 32,32") from None
    return Layered(sizes, drawing.density, edges=drawing.edges)


_PRIORS: dict[str, tuple[Callable[[Drawing], Prior], frozenset[str]]] = {
    "watts-strogatz": (_watts_strogatz, frozenset({"nodes", "k", "p"})),
    "barabasi-albert": (_barabasi_albert, frozenset({"nodes", "m", "initial"})),
    "erdos-renyi": (_erdos_renyi, frozenset({"nodes", "p", "edges"})),
    "layered": (_layered, frozenset({"sizes", "density", "edges"})),
}


def _needed(drawing: Drawing, **names: str) -> dict[str, Any]:
    """Return the prior's own parameters from those given; `names` maps the former to the latter."""
    found: dict[str, Any] = {own: getattr(drawing, name) for own, name in names.items()}
    for own, value in found.items():
        if value is None:
            raise InputError(f"{names[own]} is missing: {drawing.prior} needs {', '.join(names.values())}")
    return found


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
