"""What a secret looks like inside one line of text, and how it is cut out without harming the words around it.

Two questions are answered here: where the value of a secret key starts and ends, and which strings are secrets
whatever stands before them (tokens of well-known makers, JWTs, user information in URLs). Secrets that span lines are
the business of ``redact.py`` and ``secret_objects.py``.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable

from kubecause.evidence.secret_names import NAME_LITERALS, is_secret_key

REDACTED = "<redacted>"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# --- values -----------------------------------------------------------------------------------------------------

_HARMLESS = re.compile(
    r"""(?ix) <[^<>]*>(?:\s.*)? | \*+ | x{3,} | -+ | \\+ | \*{2,}[\w ]+\*{2,} | \d+\s+bytes
    | yes | no | true | false | null | none | nil | undefined | unset | n/a | enabled | disabled | required | optional
    | \[?redacted\]? | \[?hidden\]? | \[?masked\]?
    | \$\{[^}]*\}? | \$\(.* | \$[A-Z_][A-Z0-9_]* | %\(\w+\)s | %[sdvq] | \{\{.* | [|>][+-]?\d?
    | file:.* | /(?:etc|var|run|home|root|opt|usr|mnt|srv|tmp|proc|host|secrets?|vault)(?:/[\w.@+-]+)+/? """
)
_FAILURE_WORDS = _words(
    "invalid expired missing unknown unexpected denied unauthorized forbidden failed failure error not eof empty incorrect wrong "
    "authentication authorization rejected revoked required timeout must cannot could no unable mismatch is are was the a an "
    "permission context malformed signature rotated refreshed"
)
_SPRING = re.compile(r"\{\w{1,32}\}\S")  # {noop}value
_QUOTE = re.compile(r"\\*[\"']")
_TOKEN_END = re.compile(
    r"""[\s"'<>\\`]"""
    r"""|[;&,](?=\s*(?:[\w.-]+(?:\s[\w.-]+)?\\*["']?[=:]|$|\s))"""  # the next setting
    r"""|[)\]}](?=[)\]}]{0,8}(?:[\s,;.]|$))|,(?=["'{])"""
)
_NEXT_PAIR = re.compile(r"\s+[\w.-]+=|\s+#\s")
_NAMESPACED = re.compile(r"[a-z0-9][a-z0-9-]*/[a-z0-9][a-z0-9.-]*")
_OBJECT_NAME = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?")


def is_harmless(value: str) -> bool:
    """Whether a value cannot be a secret: empty, masked already, a reference, a flag, a path."""
    value = value.strip()
    return not value or value.startswith(REDACTED) or _HARMLESS.fullmatch(value) is not None


def closing_quote(line: str, quote: str, start: int) -> int:
    r"""Where the string ends that was opened by ``quote`` (``"``, ``'`` or, in nested JSON, ``\"``); -1 if nowhere.

    A quote escaped n times closes a string of the same depth; one with more backslashes belongs to the text.
    """
    mark, depth = quote[-1], len(quote) - 1
    at = line.find(mark, start)
    while at >= 0:
        slashes = at
        while slashes > start and line[slashes - 1] == "\\":
            slashes -= 1
        if (at - slashes) % (2 * (depth + 1)) == depth:
            return at - depth
        at = line.find(mark, at + 1)
    return -1


def _quoted(line: str, start: int) -> tuple[int, int] | None:
    """Span of the string whose opening quote stands at ``start``; without an end it reaches to the end of the line."""
    opening = _QUOTE.match(line, start)
    if not opening:
        return None
    close = closing_quote(line, opening[0], opening.end())
    return opening.end(), len(line) if close < 0 else close


_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_KEY_LETTERS = string.ascii_letters + string.digits + "_.-"
_NAME = re.compile("|".join(NAME_LITERALS))
_PAIR = re.compile(r"""([A-Za-z0-9_.-]++)(\\*["'])?\]?\s{0,40}+(=>|:=|==?|[:=：])\s{0,80}+""")
_LINE_START = re.compile(r"[\s>+|-]*(?:(?:export|set|env|declare -x|setenv)\s+|\w+@[\w.-]+:\S*[#$]\s+)?[\"']?")
_WORD_BEFORE = re.compile(r"([A-Za-z]+)['\"]?\s{1,4}$")
_WORD = re.compile(r"\S+")


def _unquoted_end(line: str, key_start: int, start: int) -> int:
    """Where a value without quotes ends: at the quote around ``"key=value"``, at the next pair, at a blank, or never."""
    before = line[key_start - 1] if key_start else ""
    if before and before in "\"'":
        slashes = len(line[: key_start - 1]) - len(line[: key_start - 1].rstrip("\\"))
        close = closing_quote(line, "\\" * slashes + before, start)
        if close >= 0:
            return close
    if key_start < 200 and _LINE_START.fullmatch(line, 0, key_start):
        following = _NEXT_PAIR.search(line, start)
        return following.start() if following else len(line)
    end = _TOKEN_END.search(line, start)
    return end.start() if end else len(line)


def _is_prose(line: str, key: str, key_start: int, start: int, end: int) -> bool:
    """Whether ``key: value`` is a sentence (``failed to fetch token: unexpected status``), not a setting."""
    word = _WORD.match(line, start, min(end, start + 200))
    first = word[0].rstrip(".,;)]") if word else ""
    sentence_goes_on = bool(line[start + len(first) :].strip(" .,;)]}\"'"))
    if first.endswith(":") and sentence_goes_on:
        return True
    after_word = _WORD_BEFORE.search(line, max(0, key_start - 40), key_start) is not None
    if first.lower() in _FAILURE_WORDS:
        return after_word or sentence_goes_on
    if not after_word:
        return False
    if first.isdigit() and len(first) < 4:
        return sentence_goes_on
    return first.isalpha() and ("pass" not in key.lower() or sentence_goes_on)


def _value_span(line: str, pair: re.Match[str]) -> tuple[int, int] | None:
    """Span of the secret behind a secret key, or None where there is none."""
    key, key_quote, separator = pair[1], pair[2], pair[3]
    start = pair.end()
    if start >= len(line):
        return None
    span = _quoted(line, start)
    if span:
        value = line[span[0] : span[1]]
        names_object = _NAMESPACED.fullmatch(value) or _named_in_prose(line, pair.start(), value)
        if key.lower() == "secret" and not key_quote and names_object:
            return None
        return None if is_harmless(value) else span
    if line[start] in "{[(" and not _SPRING.match(line, start):
        return None  # a structure: its own keys are looked at one by one
    if separator in ":：" and pair.start() and line[pair.start() - 1] in "/*":
        return None  # https://host/token: 401, list *v1.Secret: secrets is forbidden
    end = _unquoted_end(line, pair.start(), start)
    if key_quote:  # JSON number, or a literal after a quoted key
        found = _TOKEN_END.search(line, start)
        end = found.start() if found else len(line)
        if line[start:end].rstrip(",}] ") in {"true", "false", "null"}:
            return None
    if separator in ":：" and not key_quote and _is_prose(line, key, pair.start(), start, end):
        return None
    value = line[start:end].rstrip()
    if is_harmless(value.rstrip(").],;}")) or (key.lower() == "secret" and _NAMESPACED.fullmatch(value)):
        return None
    if key.lower() in {"auth", "_auth"} and (len(value) < 8 or not re.fullmatch(r"[A-Za-z0-9+/]+=*", value)):
        return None
    return start, start + len(value)


def _named_in_prose(line: str, key_start: int, value: str) -> bool:
    return bool(_WORD_BEFORE.search(line, max(0, key_start - 40), key_start) and _OBJECT_NAME.fullmatch(value))


_TWO_WORDS = re.compile(r"(?i)\b(?:api|access|secret|private|encryption|signing|master|shared|storage|account)[ ]$")


def redact_pairs(line: str) -> str:
    """``key: value``, ``key=value`` and their relatives in JSON, YAML, Go and shell, with secret keys."""
    low = line.lower()
    if len(low) != len(line):  # a letter that is longer in lower case
        low = line.translate(_LOWER)
    kept: list[str] = []
    done = at = 0
    while name := _NAME.search(low, at):
        before = line[max(at, name.start() - 100) : name.start()]
        pair = _PAIR.match(line, name.start() - len(before) + len(before.rstrip(_KEY_LETTERS)))
        at = pair.end() if pair else name.end()
        span = _value_span(line, pair) if pair and _is_secret(line, pair) else None
        if span:
            kept += [line[done : span[0]], REDACTED]
            done = at = span[1]
    return "".join([*kept, line[done:]]) if done else line


def _is_secret(line: str, pair: re.Match[str]) -> bool:
    key, start = pair[1], pair.start()
    return is_secret_key(key) or (key.lower() == "key" and _TWO_WORDS.search(line, max(0, start - 20), start) is not None)


# --- shapes that are secret by themselves -----------------------------------------------------------------------

_MAKERS = re.compile(
    r"""(?x)(?<![A-Za-z0-9_-])(?:
      eyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)?   # JSON web token
    | eyJ(?:hdXRocy|yZWdpc3Ry)[A-Za-z0-9+/=]+                         # docker configuration in base64
    | LS0tLS1CRUdJTi(?!BDRVJU|BQVUJM)[A-Za-z0-9+/=_-]+                # PEM in base64, unless a certificate or public key
    | (?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Z0-9])
    | LTAI[A-Za-z0-9]{12,26} | AKID[A-Za-z0-9]{16,40}
    | gh[pousr]_[A-Za-z0-9]{20,} | github_pat_\w{20,} | glpat-[\w-]{20,}
    | xox[abeprs]-[A-Za-z0-9-]{8,} | AIza[\w-]{30,} | ya29\.[\w-]{20,}
    | sk-[A-Za-z0-9_-]{20,} | sk_live_\w{16,} | hvs\.[\w-]{20,} | dckr_pat_[\w-]{20,} | npm_[A-Za-z0-9]{30,}
    )"""
)
_HOOK = re.compile(
    r"(hooks\.slack\.com/(?:services|workflows)/|open\.(?:feishu|larksuite)\.\w+/open-apis/bot/v2/hook/)[^\s\"'<>]+"
)
_USER_INFO = re.compile(r"(?<=://)([^\s/@:\"'<>]{0,128}):([^\s/\"'<>]+)@(?=[\w\[.$-])")
_TOKEN_IN_URL = re.compile(r"(?<=://)[A-Za-z0-9_-]{20,}@(?=[\w\[])")
_DSN = re.compile(r"(?<![\w.%-])([\w.%-]{1,64}):([^\s\"']{1,256})@(?=(?:tcp|unix|udp)\()")
_ORACLE = re.compile(r"(jdbc:oracle:\w+:[\w$#]{1,64}/)([^\s@]{1,256})(?=@)")
_AUTHORIZATION = re.compile(
    r"""(?i)(authorization\\*["']?\]?\s{0,8}[:=]\s{0,8}(?:\[\s{0,4})?\\*["']?"""
    r"""(?:bearer|basic|digest|token|negotiate|ntlm|apikey|aws4-[\w-]+)\s{1,8})([^\s"'\\][^"'\\]*)"""
)
_BEARER = re.compile(r"(?i)(\bbearer\s{1,8})([A-Za-z0-9._~+/-]{8,}=*)")
_IDENTIFIED = re.compile(
    r"(?i)(\bidentified\s{1,4}(?:with\s{1,4}\S{1,64}\s{1,4})?(?:by|as)\s{1,4}(?:password\s{1,4})?)(['\"])(.*?)(\2|$)"
)
_XML = re.compile(r"(?i)(<([\w:.-]{0,40}(?:password|passwd|secret|token|passphrase|apikey)\w{0,10})>)([^<]+)(?=</)")
_CHINESE = re.compile(r"((?:密码|口令|密钥|令牌|密匙)\s{0,4}(?:[:：=]|是|为)\s{0,4})([^\s\u3000-\u303f\u4e00-\u9fff，；。、]+)")
_CONFIG_WORDS = re.compile(r"(?i)(?<![\w-])((?:requirepass|masterauth|primaryauth)\s{1,8}[\"']?)([^\s\"':=][^\s\"']*)")
_FLAG = re.compile(r"""(?<![\w-])(--?[A-Za-z][\w.-]{2,60})(?:\s{1,8}|\\*["'],\s{0,8}\\*["'])(["']?)([^\s"'\\,-][^\s"'\\]*)""")
_FLAG_PROSE = _words(
    "is flag flags and or option options argument requires must cannot can for from to with has was are value in on not"
)
_LITERAL_FLAG = re.compile(r"(--from-literal[=\s]\s{0,4}[\"']?[\w.-]{1,128}=)([^\s\"']+)")
_SHORT_FLAG = re.compile(r"""((?:^|[\s"'])-p)((?:\s{1,4}(?=[^\s-]))?)(["']?)([^\s"',]+)""")
_JOINED_P = re.compile(r"(?i)\b(?:mysql\w*|mariadb[\w-]*|mycli)\b")
_SPACED_P = re.compile(r"(?i)\b(?:sshpass|login|mongo\w*|htpasswd)\b")
_COMMAND_FLAGS = (
    ("curl", re.compile(r"""(\s(?:-u|--user|--proxy-user)[\s=]{0,4}["']?[^\s:"']{0,128}:)([^\s"']+)""")),
    ("redis-cli", re.compile(r"""(\s-a\s{1,4}["']?)([^\s"']+)""")),
    ("ldap", re.compile(r"""(\s-w\s{1,4}["']?)([^\s"']+)""")),
)
_BOOTSTRAP = re.compile(r"(?<![A-Za-z0-9.-])[a-z0-9]{6}\.[a-z0-9]{16}(?![A-Za-z0-9.-])")
_BOOTSTRAP_END = re.compile(r"\.[a-z0-9]{16}(?![a-z0-9])")
_BOOTSTRAP_WORDS = re.compile(r"(?i)token|kubeadm|bootstrap|\bjoin\b|signing")
_PEM_INLINE = re.compile(r"(-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,10}-----)(.*?)(-----END|$)")
_ENV_PAIR = re.compile(
    r"""\b(?:[nN]ame|[kK]ey)\\*["']?\s{0,8}:\s{0,8}\\*["']?([\w.-]+)\\*["']?\s{0,8},\s{0,8}\\*["']?[vV]alue\\*["']?\s{0,8}:\s{0,8}"""
)
_ENV_END = re.compile(r",\s{0,4}(?:ValueFrom|valueFrom)|[}\]]|,(?=[\"'{ ])")


def _second(found: re.Match[str]) -> str:
    return found[0] if is_harmless(found[2]) else found[1] + REDACTED


def _user_info(found: re.Match[str]) -> str:
    # http://host:8080?mail=a@b: what looks like a password starts with a port
    if is_harmless(found[2]) or re.match(r"\d+[?#]", found[2]):
        return found[0]
    return f"{found[1]}:{REDACTED}@"


def _dsn(found: re.Match[str]) -> str:
    return found[0] if is_harmless(found[2]) else f"{found[1]}:{REDACTED}@"


def _bearer(found: re.Match[str]) -> str:
    value = found[2]
    return found[1] + REDACTED if any(c.isdigit() for c in value) or len(value) >= 24 else found[0]


def _flag(found: re.Match[str]) -> str:
    value = found[3]
    if not is_secret_key(found[1]) or is_harmless(value) or value.lower().rstrip(".,:") in _FLAG_PROSE:
        return found[0]
    return found[0][: found.start(3) - found.start()] + REDACTED


def _identified(found: re.Match[str]) -> str:
    return found[0] if is_harmless(found[3]) else f"{found[1]}{found[2]}{REDACTED}{found[4]}"


def _xml(found: re.Match[str]) -> str:
    return found[0] if is_harmless(found[3]) else found[1] + REDACTED


def _pem(found: re.Match[str]) -> str:
    if not found[2].strip("\\nr\"',. ") or found[2].startswith(REDACTED):
        return found[0]
    return found[1] + REDACTED + found[3]


def _bootstrap(line: str) -> str:
    def cut(found: re.Match[str]) -> str:
        code = found[0][7:]
        random = not code.isalpha() and not code.isdigit()
        return REDACTED if random or _BOOTSTRAP_WORDS.search(line) else found[0]

    return _BOOTSTRAP.sub(cut, line) if _BOOTSTRAP_END.search(line) else line


def _short_flags(line: str) -> str:
    joined, spaced = _JOINED_P.search(line) is not None, _SPACED_P.search(line) is not None

    def cut(found: re.Match[str]) -> str:
        allowed = spaced if found[2] else joined or (spaced and "sshpass" in line)
        return f"{found[1]}{found[2]}{found[3]}{REDACTED}" if allowed and not is_harmless(found[4]) else found[0]

    return _SHORT_FLAG.sub(cut, line) if joined or spaced else line


def _command_flags(line: str) -> str:
    for command, flag in _COMMAND_FLAGS:
        if command in line:
            line = flag.sub(_second, line)
    return line


def _env_pairs(line: str) -> str:
    kept: list[str] = []
    done = at = 0
    while found := _ENV_PAIR.search(line, at):
        at = found.end()
        if not is_secret_key(found[1]):
            continue
        span = _quoted(line, at)
        if span is None:
            end = _ENV_END.search(line, at)
            span = (at, end.start() if end else len(line))
        if not is_harmless(line[span[0] : span[1]]):
            kept += [line[done : span[0]], REDACTED]
            done = at = span[1]
    return "".join([*kept, line[done:]]) if done else line


# Each rule with literals of which one stands in every line (lower case) that it can change.
_RULES: tuple[tuple[tuple[str, ...], Callable[[str], str]], ...] = (
    (("private key",), lambda line: _PEM_INLINE.sub(_pem, line)),
    (("authoriz",), lambda line: _AUTHORIZATION.sub(_second, line)),
    (("bearer",), lambda line: _BEARER.sub(_bearer, line)),
    (("@",), lambda line: _TOKEN_IN_URL.sub(REDACTED + "@", _USER_INFO.sub(_user_info, line)) if "://" in line else line),
    (("@tcp(", "@unix(", "@udp("), lambda line: _DSN.sub(_dsn, line)),
    (("jdbc:oracle",), lambda line: _ORACLE.sub(_second, line)),
    (("identified",), lambda line: _IDENTIFIED.sub(_identified, line)),
    (("</",), lambda line: _XML.sub(_xml, line)),
    (("密", "口令", "令牌"), lambda line: _CHINESE.sub(_second, line)),
    (("requirepass", "masterauth", "primaryauth"), lambda line: _CONFIG_WORDS.sub(_second, line)),
    (("name", "key"), lambda line: _env_pairs(line) if "alue" in line or "VALUE" in line else line),
    (("--from-literal",), lambda line: _LITERAL_FLAG.sub(_second, line)),
    ((" -", '"-', "'-"), lambda line: _FLAG.sub(_flag, line)),
    (("-p",), _short_flags),
    (("curl", "redis-cli", "ldap"), _command_flags),
    (("hooks.slack", "/open-apis/bot"), lambda line: _HOOK.sub(rf"\1{REDACTED}", line)),
    (NAME_LITERALS, redact_pairs),
)
MAKER_LITERALS = ("eyj", "ls0tls1crudjti", "akia", "asia", "ltai", "akid", "ghp_", "gho_", "ghs_", "ghu_", "ghr_", "github_pat_",
                  "glpat-", "xox", "aiza", "ya29.", "sk-", "sk_live_", "hvs.", "dckr_pat_", "npm_")  # fmt: skip


def redact_shapes(line: str) -> str:
    """One line without the secrets that can be recognised within it. Running it twice changes nothing more."""
    low = line.lower()
    for literals, rule in _RULES:
        for literal in literals:
            if literal in low:
                line = rule(line)
                break
    if any(literal in low for literal in MAKER_LITERALS):
        line = _MAKERS.sub(REDACTED, line)
    return _bootstrap(line) if "." in line else line
