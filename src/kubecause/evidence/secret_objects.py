"""Kubernetes Secrets printed as YAML or JSON: the values of ``data`` and ``stringData`` are cut, their keys stay.

The keys are evidence ("couldn't find key X in Secret Y"), the values never are. ``kind: Secret`` may stand after the
data (kubectl sorts its keys), so the object is searched in both directions from the line with its kind.
"""

from __future__ import annotations

import re

import msgspec

from kubecause.evidence.secret_shapes import REDACTED, closing_quote, is_harmless

KIND = re.compile(r"""(?i)kind\\*["']?\s{0,4}:\s{0,4}\\*["']?secret\b(?!s)""")
_KIND_LINE = re.compile(r"""\s*(?:-\s+)*["']?kind["']?\s*:\s*["']?\w""")
_DATA_LINE = re.compile(r"""\s*(?:-\s+)*["']?(data|stringData)["']?\s*:\s*(.*)""")
_ENTRY = re.compile(r"""(\s*(?:"[^"]*"|'[^']*'|[^\s:"']+)\s*:\s*)(.*)""")
_BASE64 = re.compile(r"[A-Za-z0-9+/]{8,}={0,2}")
_FLOW_VALUE = re.compile(r"""((?:[{,]|^)\s*["']?[\w.-]+["']?\s*:\s*)("[^"]*"?|'[^']*'?|[^,}"']+)""")
_BLOCK = re.compile(r"[|>][+-]?\d?[+-]?\s*(?:#.*)?")


def column(line: str) -> int:
    """Column of the first key of a line, behind its list dashes; a blank line is deeper than anything."""
    stripped = line.lstrip(" ")
    at = len(line) - len(stripped)
    while stripped.startswith("- "):
        rest = stripped[1:].lstrip(" ")
        at += len(stripped) - len(rest)
        stripped = rest
    return at if stripped else 1 << 20


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" ")) if line.strip() else 1 << 20


class OpenSecret(msgspec.Struct, frozen=True):
    """A Secret that goes on behind the last line: the column of its keys, and whether its data goes on."""

    level: int
    in_data: bool


def redact_object(lines: list[str], kind_at: int) -> OpenSecret | None:
    """Cut the data of the Secret whose ``kind`` stands on line ``kind_at`` (block YAML or indented JSON), in place.

    Returns what is still open at the end of ``lines``.
    """
    level = column(lines[kind_at])
    first = _indent(lines[kind_at]) < level  # "- kind: Secret" starts the object
    for at in range(kind_at - 1, -1 if not first else kind_at, -1):
        line = lines[at]
        here = column(line)
        if here < level or line.startswith("---") or (here == level and _KIND_LINE.match(line)):
            break
        if here == level:
            _data_line(lines, at, level)
            if _indent(line) < level:
                break
    return redact_rest(lines, kind_at + 1, OpenSecret(level, in_data=False))


def redact_rest(lines: list[str], start: int, secret: OpenSecret) -> OpenSecret | None:
    """Cut the data of a Secret from line ``start`` to its end; returns what is still open at the end of ``lines``."""
    level = secret.level
    at = redact_block(lines, start, level) if secret.in_data else start
    if secret.in_data and at == len(lines):
        return secret
    while at < len(lines):
        line = lines[at]
        if _indent(line) < level or line.startswith("---") or (column(line) == level and _KIND_LINE.match(line)):
            return None
        if column(line) == level and _DATA_LINE.match(line):
            at = _data_line(lines, at, level)
            if at == len(lines):
                return OpenSecret(level, in_data=True)
        else:
            at += 1
    return OpenSecret(level, in_data=False)


def _data_line(lines: list[str], at: int, level: int) -> int:
    """Cut what line ``at`` opens if it is ``data:``; gives the line behind it."""
    found = _DATA_LINE.match(lines[at])
    if not found:
        return at + 1
    inline = found[2]
    if inline and inline.strip() not in {"{", "|"}:
        head = lines[at][: found.start(2)]
        lines[at] = head + _FLOW_VALUE.sub(_cut_flow, inline)
    return redact_block(lines, at + 1, level)


def _cut_flow(found: re.Match[str]) -> str:
    value = found[2]
    if is_harmless(value.strip("\"' ")):
        return found[0]
    quote = value[0] if value[0] in "\"'" else ""
    return f"{found[1]}{quote}{REDACTED}{quote}"


def redact_block(lines: list[str], start: int, level: int, *, only_base64: bool = False) -> int:
    """Cut the values of a mapping whose entries are indented deeper than ``level``; gives the line that ends it.

    :param only_base64: whether the kind of the object is unknown and only what looks encoded may be cut.
    """
    inner = -1
    for at in range(start, len(lines)):
        line = lines[at]
        if not line.strip():
            continue
        depth = _indent(line)
        if depth <= level:
            return at
        if inner < 0 or depth < inner:
            inner = depth
        lines[at] = _cut_entry(line, depth > inner, only_base64)
    return len(lines)


def _cut_entry(line: str, continued: bool, only_base64: bool) -> str:
    entry = None if continued else _ENTRY.fullmatch(line)
    if entry is None:
        text = line.strip()
        if not text.strip("{}[],") or (only_base64 and not _BASE64.fullmatch(text)) or (text.startswith("#") and not continued):
            return line
        return line if is_harmless(text) else line[: _indent(line)] + REDACTED
    value = entry[2]
    tail = "," if value.endswith(",") else ""
    value = value.removesuffix(",").strip()
    quote = value[0] if value[:1] in {'"', "'"} else ""
    if only_base64 and not _BASE64.fullmatch(value.strip("\"'")):
        return line
    if value in {"{", "["} or _BLOCK.fullmatch(value) or is_harmless(value.strip("\"'")):
        return line
    return f"{entry[1]}{quote}{REDACTED}{quote}{tail}"


def redact_undecided(lines: list[str]) -> int | None:
    """Cut what looks encoded in the data of objects that go on behind the last line and have not told their kind.

    Returns the column of the data mapping that the last line is inside of, if it is inside one.
    """
    level, waiting, inside = 1 << 20, list[int](), None

    def decide() -> int | None:
        ends = [redact_block(lines, start + 1, level, only_base64=True) for start in waiting]
        waiting.clear()
        return level if len(lines) in ends else inside

    for at in range(len(lines) - 1, max(-1, len(lines) - 20_000), -1):
        here = column(lines[at])
        if here > level or here >= 1 << 20:
            continue
        if here < level:
            inside, level = decide(), here
        found = _DATA_LINE.match(lines[at])
        if found and not found[2].strip("{ "):
            waiting.append(at)
        elif _KIND_LINE.match(lines[at]):
            waiting.clear()
        if _indent(lines[at]) < level:  # "- key:" starts the object
            inside, level = decide(), _indent(lines[at])
        if lines[at].startswith("---"):
            break
    return decide()


# --- JSON on one line, also inside strings of JSON (last-applied-configuration) ------------------------------------

_MARK = re.compile(r'\\*"|[{}]')
_JSON_KIND = re.compile(r'kind(\\*)"\s{0,4}:\s{0,4}\\*"Secret\\*"')
_KEY_END = re.compile(r'\\*"\s{0,8}:')
_LONG = 16_384  # characters of a line that may have been cut


class _Object:
    """One JSON object that is being read: its kind, and the spans of its data values."""

    __slots__ = ("data_of", "key", "secret", "values")

    def __init__(self, data_of: _Object | None) -> None:
        self.key = ""
        self.secret = False
        self.data_of = data_of  # the object whose data this is
        self.values: list[tuple[int, int]] = []


def redact_json(line: str) -> str:
    """Cut the data of every Secret in a line of JSON, at any depth of quoting."""
    for depth in sorted({len(found[1]) for found in _JSON_KIND.finditer(line)}):
        line = _redact_json(line, "\\" * depth + '"')
    return _cut_tail(line) if len(line) > _LONG else line


def _redact_json(line: str, quote: str) -> str:
    spans: list[tuple[int, int]] = []
    done, work = 0, 0
    for kind in re.finditer(rf"(?<!\\){re.escape(quote)}kind{re.escape(quote)}", line):
        if kind.start() < done or not _JSON_KIND.match(line, kind.start() + len(quote)):
            continue
        start = _object_start(line, kind.start(), quote) if work <= 4 * len(line) else 0  # many in each other: all at once
        done = _scan(line, start, quote, spans)
        work += done - start
    kept: list[str] = []
    at = 0
    for start, end in sorted(spans):
        if start >= at:
            kept += [line[at:start], REDACTED]
            at = end
    return "".join([*kept, line[at:]])


def _object_start(line: str, at: int, quote: str) -> int:
    """Where the object starts that the key at ``at`` belongs to, read backwards; 0 if nowhere."""
    size, depth = 2048, len(quote) - 1
    while True:
        low = max(0, at - size)
        nested, in_string = 0, False
        for mark in reversed(list(_MARK.finditer(line, low, at))):
            text = mark[0]
            if text[-1] == '"':
                if len(text) - 1 < depth:
                    return mark.end()  # the string that holds this JSON starts here
                in_string ^= (len(text) - 1) % (2 * depth + 2) == depth
            elif not in_string and text == "}":
                nested += 1
            elif not in_string:
                nested -= 1
                if nested < 0:
                    return mark.start()
        if low == 0:
            return 0
        size *= 4


def _scan(line: str, start: int, quote: str, spans: list[tuple[int, int]]) -> int:
    """Note the data of Secrets in the object at ``start`` and in what it holds; gives its end."""
    depth = len(quote) - 1
    stack: list[_Object] = []
    at = start
    while mark := _MARK.search(line, at):
        at = mark.end()
        text = mark[0]
        if text == "{":
            parent = stack[-1] if stack else None
            stack.append(_Object(parent if parent and parent.key in {"data", "stringData"} else None))
        elif text == "}":
            _close(stack, spans)
            if not stack and start:
                return at
        elif len(text) - 1 < depth:  # the string that holds this JSON ends here
            while stack:
                _close(stack, spans)
            if start:
                return at
        elif len(text) - 1 == depth:
            end = closing_quote(line, quote, at)
            end = len(line) if end < 0 else end
            if stack:
                _string(line, stack[-1], at, end)
            at = end + depth + 1
    while stack:
        _close(stack, spans)
    return len(line)


def _cut_tail(line: str) -> str:
    """Cut what looks encoded in a data mapping that a cut line leaves open: its kind may have stood behind the cut."""
    start = line.rfind('"data":{')
    if start < 0 or line.find("}", start) >= 0:
        return line
    return line[:start] + re.sub(r'(:\s?")[A-Za-z0-9+/]{8,}={0,2}("|$)', rf"\1{REDACTED}\2", line[start:])


def _string(line: str, owner: _Object, start: int, end: int) -> None:
    text = line[start : min(end, start + 64)]
    if _KEY_END.match(line, end):
        owner.key = text
    elif owner.data_of is not None:
        if not is_harmless(line[start:end]):
            owner.data_of.values.append((start, end))
    elif owner.key == "kind" and text == "Secret":
        owner.secret = True


def _close(stack: list[_Object], spans: list[tuple[int, int]]) -> None:
    if stack:
        done = stack.pop()
        if done.secret:
            spans += done.values
