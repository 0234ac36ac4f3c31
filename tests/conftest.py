"""Fixtures that run texts through the real stages."""

from collections.abc import Callable

import pytest

from kubecause.evidence.files import RawText
from kubecause.evidence.targets import documents_of
from kubecause.facts import Extraction
from kubecause.facts.joins import Joins
from kubecause.facts.store import Store
from kubecause.match import LITERALS, SignalIndex
from kubecause.match.analyses import run_analyses

Reading = Callable[..., tuple[Store, Joins]]


@pytest.fixture(scope="session")
def index() -> SignalIndex:
    """Signals of no case at all: only the words that analyses read in logs are kept."""
    return SignalIndex([], LITERALS)


@pytest.fixture
def read(index: SignalIndex) -> Reading:
    """A function from texts (by path) to the store and its joins."""

    def run(text: str = "", **files: str) -> tuple[Store, Joins]:
        extraction = Extraction(index.filter)
        named = {name.replace("__", "/"): content for name, content in files.items()}
        for source, content in {**({"paste.txt": text} if text else {}), **named}.items():
            for document in documents_of(RawText(source, content.strip("\n").split("\n"), 1, last=True)):
                extraction.read(document)
        return extraction.finish()

    return run


@pytest.fixture
def reason(read: Reading) -> Reading:
    """The same, with the facts of all analyses added."""

    def run(text: str = "", **files: str) -> tuple[Store, Joins]:
        store, joins = read(text, **files)
        run_analyses(store, joins)
        return store, joins

    return run
