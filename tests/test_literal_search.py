"""Literals are found whatever searches for them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubecause.literal_search import PLAIN_WORK, LiteralScanner, hyperscan_search, plain_search

pytest.importorskip("hyperscan")
PIECES = [b"oom", b"oomkilled", b"killed", b"aa", "密码".encode(), b" -p"]
WORDS = st.sampled_from(["OOMKilled", "oom", "aaaa", "密码", "Ä", " -P", "kil", "led", "\n", "x"])
SEARCHES = [plain_search(PIECES), hyperscan_search(PIECES)]


@settings(max_examples=200, deadline=None)
@given(st.lists(WORDS, max_size=30).map("".join))
def test_both_ways_of_searching_find_the_same(text: str) -> None:
    """Plain search and hyperscan agree on every place, overlapping matches and letters of any case included."""
    found, again = (sorted(search(text.encode())) for search in SEARCHES)

    assert found == again


def test_a_scanner_finds_the_same_before_and_after_it_changes_its_way() -> None:
    """The blocks behind the first ones are searched with the same outcome."""
    scanner = LiteralScanner([b"OOMKilled"])
    block = b"x" * (PLAIN_WORK // 2) + b"oomKILLED"

    assert [[(len(block), 0)]] * 4 == [scanner.scan(block) for _ in range(4)]


def test_threads_may_share_a_scanner() -> None:
    """Pages of a large list are searched by several threads at once."""
    scanner = LiteralScanner([b"OOMKilled"])
    block = (b"x" * 500 + b"oomKILLED") * 2_000

    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(scanner.scan, [block] * 60))

    assert [2_000] * 60 == [len(places) for places in found]
