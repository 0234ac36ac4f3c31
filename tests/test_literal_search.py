"""Literals are found whatever searches for them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

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


MANY = [f"literal {number}".encode() for number in range(500)]


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file where what was made of many literals is kept, in a cache of this test."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    hyperscan_search(MANY)
    return tmp_path / "kubecause" / "literals.hyperscan"


def test_what_was_made_of_many_literals_is_read_again(kept: Path) -> None:
    """It finds the same, is not made again, and gives way to what is made of other literals."""
    before = kept.stat().st_mtime_ns

    assert sorted(hyperscan_search(MANY)(b"LITERAL 12")) == [(9, 1), (10, 12)]
    assert kept.stat().st_mtime_ns == before
    assert hyperscan_search([*MANY[:300], b"other"])(b"other") == [(5, 300)]
    assert kept.stat().st_mtime_ns != before


@pytest.mark.parametrize(
    "damage",
    [lambda data: data[:0], lambda data: data[:-9], lambda data: data[:90] + bytes(9) + data[99:], lambda data: data + b"more"],
    ids=["empty", "cut", "changed", "longer"],
)
def test_damage_is_not_searched_with(kept: Path, damage: Callable[[bytes], bytes]) -> None:
    """It is made anew."""
    good = kept.read_bytes()
    kept.write_bytes(damage(good))

    assert sorted(hyperscan_search(MANY)(b"literal 499")) == [(9, 4), (10, 49), (11, 499)]
    assert kept.read_bytes() == good
