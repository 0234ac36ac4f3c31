"""Terminal transcripts and pastes: prompts and commands taken off, quoting and frames removed.

The command before an output and the host in its prompt are the best description the output has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import msgspec

_TOOLS = (
    "kubectl|k|oc|kubeadm|helm|docker|crictl|ctr|nerdctl|podman|systemctl|service|journalctl|dmesg|cat|grep|egrep|tail|head|less|more|"
    "ls|lsattr|df|du|free|top|atop|iotop|iostat|vmstat|ps|ss|netstat|lsof|ip|ifconfig|iptables|iptables-save|nft|ipvsadm|curl|wget|"
    "ping|nc|telnet|nslookup|dig|host|openssl|etcdctl|etcd|route|sysctl|uname|date|uptime|mount|lsblk|ethtool|tcpdump|tc|conntrack|"
    "stern|minikube|kind|k3s|k9s|watch|find|stat|getent|nsenter|stap|perf|strace|hostname|swapon|lsmod|modprobe|chronyc|timedatectl|rpm|"
    "kubelet|kubectx|cilium|calicoctl|istioctl|velero|az|aws|gcloud"
)
_BEFORE = r"(?:sudo\s+(?:-\w+\s+)*|[A-Z_]+=\S+\s+|watch\s+(?:-\S+\s+)*)*"
_NAMED = re.compile(  # a prompt with a host: any command, or none
    r"\s{0,40}(?:\([\w.-]+\)\s)?(?:\[[\w.+-]+@(?P<host1>[\w.-]+)(?:\s[^\]\n]{0,200})?\]|[\w.+-]+@(?P<host2>[\w-][\w.-]*)(?::?[~/][^\s$#%>]{0,200})?:?)\s?[$#%>❯]\s*(?P<command>\S.*)?$"
)
_BARE = re.compile(  # "$ cmd", "# cmd", "node-1# cmd", "controlplane $ cmd", "☩ cmd", "PS C:\> cmd": a known tool must follow
    rf"\s{{0,40}}(?:(?P<host>[a-z][\w.-]{{0,80}}?)\s?)?(?:PS\s)?(?:[A-Z]:\\[^>\n]{{0,200}})?[$#%>❯☩➜»]\s?(?P<command>{_BEFORE}(?:{_TOOLS})(?:\s.*)?)$"
)
_PROMPTLESS = re.compile(
    rf"(?P<command>{_BEFORE}(?:kubectl|oc|crictl|docker|systemctl|journalctl|iptables|ss|netstat|df)\s+[a-z-].*)$"
)
_PROSE = re.compile(
    r"(?i)[^-|'\"<]*\b(?:with|when|the|is|are|was|not|hangs?|fails?|failed|and|after|but|shows?|returns?|says)\b[^-|'\"<]*$"
)
_DUMPED_LOG = re.compile(  # kubectl cluster-info dump puts logs between the objects
    r"==== (?:END logs .{1,600}|"
    r"START logs for container (?P<container>[\w.-]{1,253}) of pod (?P<namespace>[\w.-]{1,63})/(?P<pod>[\w.-]{1,253})) ====$"
)
_QUOTE = re.compile(r"\s{0,3}>\s?")
_FRAME = re.compile(r"^\s{0,10}[│┃║|]\s?(.*?)\s?[│┃║|]?\s*$")
_FRAME_LINE = re.compile(r"\s{0,10}[│┃║]")


class Section(msgspec.Struct, frozen=True):
    """Output of one command (or text before the first).

    :param offset: index of ``lines[0]`` in the whole text.
    """

    lines: Sequence[str]
    offset: int
    command: str | None = None
    host: str | None = None


def prompt_of(line: str) -> tuple[str, str | None] | None:
    """Command and host of a prompt line; None when the line is none.

    >>> prompt_of("[root@w1 ~]# df -h"), prompt_of("$ kubectl get po"), prompt_of("# Conditions:")
    (('df -h', 'w1'), ('kubectl get po', None), None)
    """
    if line.startswith("===="):
        return _dumped(line)
    if not any(sign in line for sign in "$#%>❯☩➜»"):
        return _promptless(line)
    found = _NAMED.match(line)
    if found:
        return (found["command"] or "").strip(), found["host1"] or found["host2"]
    found = _BARE.match(line)
    if found:
        return found["command"].strip(), found["host"]
    return _promptless(line)


def _dumped(line: str) -> tuple[str, None] | None:
    """The command that would have printed the log which begins here; an empty one where it ends."""
    found = _DUMPED_LOG.match(line)
    if not found:
        return None
    return (f"kubectl logs {found['pod']} -n {found['namespace']} -c {found['container']}" if found["pod"] else "", None)


def _promptless(line: str) -> tuple[str, None] | None:
    """A line that is nothing but a command; a sentence that begins with a tool's name is not."""
    found = _PROMPTLESS.match(line)
    return (found["command"].strip(), None) if found and not _PROSE.match(line) else None


def split_sections(lines: Sequence[str]) -> Iterator[Section]:
    """The outputs of a transcript in order; one section without a command when there is no prompt."""
    start, command, host = 0, None, None
    continued = False
    for index, line in enumerate(lines):
        if continued and command is not None:
            command = f"{command.removesuffix(chr(92))} {line.strip()}"
            continued = line.rstrip().endswith("\\")
            start = index + 1
            continue
        found = prompt_of(line) if len(line) < 2000 else None
        if found is None:
            continue
        if index > start:
            yield Section(lines[start:index], start, command or None, host)
        (command, host), start = found, index + 1
        continued = command.endswith("\\")
    if len(lines) > start:
        yield Section(lines[start:], start, command or None, host)


def unframed(lines: Sequence[str]) -> list[str]:
    """Lines without what people's tools put around them: ``> `` quotes, box frames, common indentation."""
    result = list(lines)
    filled = [line for line in result if line.strip()]
    if filled and all(_QUOTE.match(line) for line in filled):
        result = [_QUOTE.sub("", line, count=1) for line in result]
    if sum(1 for line in filled if _FRAME_LINE.match(line)) > len(filled) / 2:
        result = [_FRAME.sub(r"\1", line) if _FRAME_LINE.match(line) else line for line in result]
    indents = [len(line) - len(line.lstrip()) for line in result if line.strip()]
    common = min(indents, default=0)
    return [line[common:] for line in result] if common else result
