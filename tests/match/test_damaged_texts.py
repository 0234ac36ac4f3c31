"""Texts that lost their blanks and quotes: what still tells enough, and what does not."""

from __future__ import annotations

import msgspec
import pytest

from kubecause.knowledge import load_cases
from kubecause.knowledge.schema import Case, Signal
from kubecause.match.signals import TextSignal
from kubecause.model import Channel, Entity, Fact


@pytest.mark.parametrize(("beside", "heard"), [("execfailed", True), ('exec: "', False)])
def test_a_short_word_tells_nothing_without_the_marks_around_it(beside: str, heard: bool) -> None:
    """``exec: "`` is ``exec`` once quotes and blanks are gone, which stands in many texts."""
    case: Case = next(iter(load_cases().cases.values()))
    signal = msgspec.structs.replace(
        next(iter(signal for signal in case.signals.values() if signal.contains)),
        contains=["cannot start the container process"],
        with_=[beside],
        without=[],
        reason=[],
        channels=[Channel.EVENT],
    )
    text = "execfailed:cannotstartthecontainerprocess"
    fact = Fact("line", Entity("Pod", "web", "shop"), {"text": text, "channel": Channel.EVENT, "damaged": True})

    assert heard == (TextSignal(case, "some", _without_patterns(signal)).hit(fact, text) is not None)


def _without_patterns(signal: Signal) -> Signal:
    return msgspec.structs.replace(signal, regex=None, capture=[])
