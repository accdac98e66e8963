"""Terminals of other encodings."""

import codecs

import pytest

from nas.cli.console import encode_readably


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp437"])
def test_signs_that_an_encoding_lacks_are_written_readably(encoding):
    encode_readably()
    text = "0.5 ± 0.1 – a … é →"
    assert "?" not in text.encode(encoding, "wirenas").decode(encoding)
    assert codecs.encode("±–…→é", "ascii", "wirenas") == b"+/--...->e"
