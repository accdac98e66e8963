"""Messages of commands name options as they are typed, and as a file has them where they come from there."""

import re
from pathlib import Path

import pytest
from command_line import wirenas

from nas.cli.naming import Flag, as_typed

FLAGS = {
    "nodes": Flag("--nodes", between=":"),
    "space.nodes": Flag("--nodes", between=":"),
    "priors": Flag("--prior"),
    "space.priors": Flag("--prior"),
    "screened": Flag("--screened", "--no-screened"),
    "out": Flag("--out"),
    "max_parameters": Flag("--max-parameters"),
    "weights": Flag("--weights"),
    "space.max_parameters": Flag("--max-parameters"),
}


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("space.max_parameters=3: too few", "--max-parameters 3: too few"),
        ("space.nodes=[20, 30]: no", "--nodes 20:30: no"),
        ("space.nodes.1='': no", "--nodes '': no"),
        ('space.priors=["a", "b"]: give priors="c", or nodes', "--prior a,b: give --prior c, or nodes"),
        ("screened=false: leave it out, or give screened=true", "--no-screened: leave it out, or give --screened"),
        ("nodes: too many, nodes: stay", "--nodes: too many, nodes: stay"),
        ("give 3, or another out", "give 3, or another --out"),
        ("give one of max_parameters, weights and nodes", "give one of --max-parameters, --weights and --nodes"),
        ("it is one of weights of an MLP, or one of weights", "it is one of weights of an MLP, or one of weights"),
        ("give one of weights or nodes", "give one of --weights or --nodes"),
        ("nodes.0.1='': no", "--nodes '': no"),
        ("larger space.nodes or space.max_parameters can", "larger --nodes or --max-parameters can"),
        ("a.out=3, my/out=3, unspace.nodes and 'out=3' stay", "a.out=3, my/out=3, unspace.nodes and 'out=3' stay"),
        ("3 weights out of 9 nodes, without nodesize", "3 weights out of 9 nodes, without nodesize"),
    ],
)
def test_options_become_flags(message: str, told: str):
    assert as_typed(message, FLAGS) == told
    assert as_typed(message, {}) == message


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("run --max-parameters 3", "--max-parameters 3: none of 1000 draws is so small"),
        ("run --momentum 0.8", "--momentum 0.8: --optimizer adam ignores it; leave it out, or give --optimizer sgd"),
        (
            "run file.toml",
            "recipe.momentum=0.8: recipe.optimizer=adam ignores it; leave it out, or give recipe.optimizer",
        ),
        ("run file.toml --momentum .7", "--momentum 0.7: recipe.optimizer=adam ignores it"),
        ("survey --nodes 30:20", "--nodes 30:20: a range needs"),
        ("prune --task digits", "no target: give one of --max-parameters, --weights and --density"),
        ("rewire --task digits --density .1 --every 100 --epochs 5", "--every 100 steps: the training has 90 steps"),
        ("generate mlp --prior watts-strogatz --nodes 9 --k 4 --p .2 --inputs 3 --outputs 0", "--outputs 0: an MLP"),
    ],
)
def test_commands_name_what_was_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: str, told: str):
    monkeypatch.chdir(tmp_path)
    Path("file.toml").write_text("[recipe]\nmomentum = 0.8\n", encoding="utf-8")
    code, text, err = wirenas(*arguments.split(), "--out", "new")
    assert (code, text, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"wirenas: {told}")
    assert not Path("new").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        "run --momentum 0.9",
        "run --network mlp --cell gru",
        "run --sampler random --batch 8",
        "run --width 16",
        "survey --momentum 0.9",
        "survey --task reber --network rnn --activation relu",
        "prune --task digits --weights 99 --cell gru",
        "prune --task digits --weights 99 --rate 0.5",
        "prune --task digits --weights 99 --schedule one-shot --every 1%",
        "prune --task digits --weights 99 --schedule one-shot --end 60%",
        "prune --task reber --weights 99 --activation relu",
        "rewire --task digits --weights 99 --method static --every 1%",
        "rewire --task digits --weights 99 --method static --fraction 0.3",
        "generate mlp --prior watts-strogatz --nodes 9 --k 4 --p 0.2 --inputs 3 --outputs 2 --width 16",
        "generate rnn --prior watts-strogatz --nodes 9 --k 4 --p 0.2 --inputs 3 --orientation random",
        "generate rnn --prior watts-strogatz --nodes 9 --k 4 --p 0.2 --inputs 3 --merge sum",
        "generate rnn --prior watts-strogatz --nodes 9 --k 4 --p 0.2 --inputs 3 --weights initial",
    ],
)
def test_what_is_typed_and_does_nothing_is_refused_though_it_is_the_default(tmp_path: Path, arguments: str):
    code, text, err = wirenas(*arguments.split(), "--out", tmp_path / "new")
    assert (code, text, err.count("\n")) == (2, "", 1)
    typed = [word for word in arguments.split() if word.startswith("--")][-1]
    assert re.match(rf"wirenas: {typed} \S+: .*leave it out", err)
    assert not (tmp_path / "new").exists()


def test_a_file_of_all_options_is_no_list_of_wishes(tmp_path: Path):
    code, text, _ = wirenas("run", "--print-toml", "--trials", 1, "--epochs", 1, "--final-seeds", 1, "--finalists", 1)
    assert code == 0
    assert "momentum = 0.9" in text
    (tmp_path / "all.toml").write_text(text, encoding="utf-8")
    assert wirenas("run", tmp_path / "all.toml", "--out", tmp_path / "out", "--json")[0] == 0
