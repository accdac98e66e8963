"""Flags that are given several times, lists by comma, and terminals of other encodings."""

import codecs

import pytest
from command_line import refused

from nas.cli.console import encode_readably
from nas.cli.flags import _all_flags, given_options
from nas.options.options import CampaignOptions


@pytest.mark.parametrize(
    ("given", "way"),
    [
        (("run", "--p", "0", "--p", ".1", "--p", "1"), "a range: --p LOW:HIGH"),
        (("run", "--cell", "gru", "--cell=lstm"), "give it once"),
        (("survey", "--nodes", "8", "--nodes", "9"), "a range: --nodes LOW:HIGH"),
        (("generate", "rnn", "--k", "2", "--k", "4"), "give it once"),
    ],
)
def test_a_flag_of_one_value_is_given_once(given, way):
    line = refused(*given)
    assert "is given twice" in line
    assert way in line


def test_lists_are_given_by_comma_too():
    given = dict.fromkeys(flag.name for flag in _all_flags(CampaignOptions))
    given["prior"] = ["watts-strogatz,barabasi-albert", "erdos-renyi"]
    expected = ["watts-strogatz", "barabasi-albert", "erdos-renyi"]
    assert given_options(given) == {"space": {"priors": expected}}


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp437"])
def test_signs_that_an_encoding_lacks_are_written_readably(encoding):
    encode_readably()
    text = "0.5 ± 0.1 – a … é →"
    assert "?" not in text.encode(encoding, "wirenas").decode(encoding)
    assert codecs.encode("±–…→é", "ascii", "wirenas") == b"+/--...->e"
