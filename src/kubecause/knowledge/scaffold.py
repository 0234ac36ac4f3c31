"""``kubecause cases new GROUP/FAULT``: a case file to fill in, which lint refuses until it is filled."""

from __future__ import annotations

import difflib
from pathlib import Path

from kubecause.errors import UsageError
from kubecause.knowledge.catalogue import Fault, load_catalogue
from kubecause.model import Channel

_HEAD = """\
id: {id}  # the path below the folder of cases; never renamed
entity: {entity}  # what the fault lives on, as in the catalogue
status: draft  # draft, then tested (examples pass), then proven (reproduced on a machine)
{symptom}title:  # what is wrong, in one line of at most 90 characters; <names> are filled in
  en: ''  # the catalogue says: {en}
  zh: ''
what:  # the present state and its harm, in two sentences
  en: ''
  zh: ''
why:  # how a cluster comes to be like this
  en: ''
  zh: ''
words: []  # further words kubecause explain finds it by
signals:  # what to look for; each has a name of its own
  message:
    in: [event]  # {channels}
    contains: ''  # a literal of at least 6 characters; a list means any of them
    # with: must stand there too    without: must not stand there
    # regex: '(?P<name>[^ "]+)' must match and binds <name>    capture: the same, but may fail
  # state:
  #   fact: pod.status  # a fact of the vocabulary instead of a text
  #   where: {{status: Pending, 'age|gt': 300}}  # field: value, or field|operator: value
  #   bind: {{node: node}}  # name: field, for <node>
match: message  # enough to report; names joined by and, or, not, ( )
# confirmed: message and state  # nothing left to check
# possible: state  # too weak to report as probable
look:  # commands that settle what match leaves open
  - at: client  # client, node, pod, registry or etcd
    run: ''
    tells: {{en: '', zh: ''}}
leads_to: []  # effects, written here and nowhere else, as {{fault: pod/stuck-creating, via: node.pods}}
yields_to: []  # more exact faults that replace this one on the same entity
not_this: []  # look-alikes, as {{fault: group/other, tell: words that only the other one prints}}
"""

_FIXES = """\
fixes:  # mildest first
  - title: {en: '', zh: ''}
    risk: safe  # safe, disruptive or destructive; the last two need harm: {en: …, zh: …}
    steps:
      - {at: client, run: ''}
    verify: {at: client, run: '', expect: ''}  # the command that proves it worked
"""

_TAIL = """\
examples:  # every one is a test
  hit:
    - name: ''  # where the words come from
      in: event
      text: ''
      expect: {by: message}  # the signal that fires, and the names it binds
  miss:
    - name: ''  # a look-alike
      in: event
      text: ''
references: []  # pages a reader can open, as {url: https://…, tells: what it shows}
"""


def new_case(fault_id: str, folder: Path) -> Path:
    """Write a case file to fill in, and give its path.

    :param fault_id: ``group/fault`` of the catalogue.
    :param folder: the folder of cases.
    :raises UsageError: when the catalogue does not list the fault, the case exists, or it cannot be written.
    """
    faults = load_catalogue()
    fault = faults.get(fault_id)
    if fault is None:
        near = difflib.get_close_matches(fault_id, faults, 3)
        hint = f"did you mean {', '.join(near)}?" if near else "add it to faults.yaml first"
        raise UsageError(f"{fault_id} is not in the fault catalogue; {hint}")
    file = folder / f"{fault_id}.yaml"
    if file.exists():
        raise UsageError(f"{file} exists already; edit it, or remove it first")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8") as opened:
            opened.write(_scaffold(fault))
    except OSError as error:
        raise UsageError(f"{file} cannot be written: {error.strerror}; name another folder") from None
    return file


def _scaffold(fault: Fault) -> str:
    head = _HEAD.format(
        id=fault.id,
        entity=fault.entity,
        en=fault.en,
        symptom="symptom: true  # always has a deeper cause: no fixes, but look\n" if fault.symptom else "",
        channels=", ".join(Channel),
    )
    return head + ("" if fault.symptom else _FIXES) + _TAIL
