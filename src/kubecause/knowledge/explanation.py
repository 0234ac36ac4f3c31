"""What ``kubecause explain`` found, and its text in English or Chinese."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

import msgspec

from kubecause.knowledge.schema import Case, Fix
from kubecause.text import Language, Text, fill

Kind = Literal["fault", "state", "exit-code", "message", "words", "unknown"]


class Candidate(msgspec.Struct, frozen=True):
    """A fault that may lie behind the word.

    :param steps: how many ``leads_to`` links lie between it and the state looked up.
    """

    fault: str
    title: Text
    symptom: bool = False
    steps: int = 0


class Explanation(msgspec.Struct, frozen=True):
    """The answer to one word.

    :param kind: what the word was taken for; ``unknown`` when nothing fits.
    :param meaning: what a state or exit code means, or the title of a fault without a case.
    :param fault: the one fault it is about, where there is exactly one.
    :param case: the case of that fault or of the state, where it is written.
    :param code: the exit code as a process can report it, 0 to 255.
    :param candidates: what may lie behind it, likeliest first.
    :param names: what the message bound, for ``<placeholders>``.
    """

    word: str
    kind: Kind
    meaning: Text | None = None
    fault: str | None = None
    case: Case | None = None
    code: int | None = None
    candidates: tuple[Candidate, ...] = ()
    names: Mapping[str, str] = msgspec.field(default_factory=dict)


_LABELS: dict[str, Text] = {
    "unknown": Text(
        en="nothing is known by this word; try a fault id, a pod status, an exit code or the words of an error message",
        zh="没有找到相关内容；可以试试故障 id、Pod 状态、退出码或错误信息中的文字",
    ),
    "no-case": Text(en="Listed in the catalogue; no case is written for it yet.", zh="目录中已列出，但还没有编写案例。"),
    "exit-code": Text(en="exit code", zh="退出码"),
    "symptom": Text(en="a symptom: it always has a deeper cause", zh="这是症状，必有更深的原因"),
    "why": Text(en="Why", zh="原因"),
    "signs": Text(en="Recognised by", zh="识别依据"),
    "effects": Text(en="Leads to", zh="会导致"),
    "state": Text(en="Known as", zh="对应的症状"),
    "causes": Text(en="May be caused by", zh="可能的原因"),
    "found": Text(en="Fits", zh="匹配的故障"),
    "states": Text(en="States on the way", zh="中间状态"),
    "look": Text(en="Look", zh="进一步检查"),
    "fixes": Text(en="Fixes, mildest first", zh="修复方法（由轻到重）"),
    "verify": Text(en="then", zh="确认"),
    "shows": Text(en="shows", zh="应显示"),
    "harm": Text(en="harm", zh="影响"),
    "safe": Text(en="safe", zh="安全"),
    "disruptive": Text(en="disruptive", zh="会中断业务"),
    "destructive": Text(en="destructive", zh="会丢失数据"),
    "references": Text(en="References", zh="参考"),
}


def explain_text(explanation: Explanation, language: Language) -> str:
    """The explanation as lines of text, without colour, ending in a line end."""
    return "\n".join(_Writer(explanation, language).lines()) + "\n"


class _Writer:
    def __init__(self, explanation: Explanation, language: Language) -> None:
        self.it = explanation
        self.language = language

    def lines(self) -> Iterator[str]:
        it = self.it
        if it.kind == "unknown":
            yield self._pair(it.word, self._label("unknown"))
            return
        if it.code is not None:
            yield f"{self._label('exit-code')} {it.code}" + (self._aside(it.word) if it.word != str(it.code) else "")
        elif it.fault is not None:
            yield it.fault
        else:
            yield it.word
        if it.meaning is not None:
            yield self._say(it.meaning)
        if it.fault is not None:
            yield from self._case(it.case) if it.case is not None else [self._label("no-case")]
        yield from self._candidates()
        if it.case is not None:
            yield from self._advice(it.case)

    def _case(self, case: Case) -> Iterator[str]:
        yield self._say(case.title)
        if case.symptom:
            yield self._label("symptom")
        yield ""
        yield self._say(case.what)
        yield ""
        yield self._pair(self._label("why"), self._say(case.why))
        yield from self._section("signs", [self._sign(case, name) for name in case.signals])
        yield from self._section("effects", sorted({effect.fault for effect in case.leads_to}))

    def _sign(self, case: Case, name: str) -> str:
        signal = case.signals[name]
        if signal.fact is not None:
            looked_for = f"{signal.fact} " + ", ".join(f"{key}={value}" for key, value in signal.where.items())
        else:
            looked_for = " | ".join(signal.contains) or str(signal.regex)
        return looked_for.strip() + (self._aside(self._say(signal.says)) if signal.says else "")

    def _candidates(self) -> Iterator[str]:
        states = [one for one in self.it.candidates if one.symptom]
        causes = [one for one in self.it.candidates if not one.symptom]
        if self.it.kind == "state":
            yield from self._section("state", [self._candidate(one) for one in states if not one.steps])
            states = [one for one in states if one.steps]
        label = "found" if self.it.kind in ("message", "words") and self.it.fault is None else "causes"
        yield from self._section(label, [self._candidate(one) for one in causes])
        yield from self._section("states" if causes else label, [self._candidate(one) for one in states])

    def _candidate(self, candidate: Candidate) -> str:
        return self._pair(candidate.fault, self._say(candidate.title))

    def _advice(self, case: Case) -> Iterator[str]:
        yield from self._section("look", [f"[{look.at}] {self._fill(look.run)}  # {self._say(look.tells)}" for look in case.look])
        if case.fixes:
            yield from ("", self._pair(self._label("fixes"), ""))
        for number, fix in enumerate(case.fixes, 1):
            yield from self._fix(number, fix)
        yield from self._section("references", [f"{reference.url}  # {reference.tells}" for reference in case.references])

    def _fix(self, number: int, fix: Fix) -> Iterator[str]:
        risk = [self._label(fix.risk)] + ([self._pair(self._label("harm"), self._say(fix.harm))] if fix.harm else [])
        yield f"  {number}. {self._say(fix.title)}{self._aside(self._mark('; ', '；').join(risk))}"
        if fix.when:
            yield f"     {self._say(fix.when)}"
        for step in fix.steps:
            yield f"     [{step.at}] {self._fill(step.run)}" + (f"  # {self._say(step.only)}" if step.only else "")
        check = fix.verify
        then, shows = self._label("verify"), self._label("shows")
        yield f"     {then} [{check.at}] {self._fill(check.run)} {shows} {self._fill(check.expect)}"

    def _section(self, label: str, rows: list[str]) -> Iterator[str]:
        if rows:
            yield ""
            yield self._pair(self._label(label), "")
            yield from (f"  {row}" for row in rows)

    def _pair(self, name: str, text: str) -> str:
        return f"{name}{self._mark(': ', '：')}{text}".rstrip()

    def _aside(self, text: str) -> str:
        return f"{self._mark(' (', '（')}{text}{self._mark(')', '）')}"

    def _mark(self, en: str, zh: str) -> str:
        return zh if self.language == "zh" else en

    def _label(self, name: str) -> str:
        return _LABELS[name].to(self.language)

    def _say(self, text: Text) -> str:
        return self._fill(text.to(self.language).strip())

    def _fill(self, text: str) -> str:
        return fill(text, self.it.names)
