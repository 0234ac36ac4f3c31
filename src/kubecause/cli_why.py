"""``kubecause why`` and ``kubectl cause``: diagnose a live cluster."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from kubecause.errors import ConfigError, UsageError
from kubecause.memory import share_one_heap

if TYPE_CHECKING:
    from kubecause.evidence.cluster import ClusterSource
    from kubecause.model import Document, Gap, Result

_UNITS = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def add_cluster_flags(parser: argparse.ArgumentParser) -> None:
    """The objects to ask about, and kubectl's own flags."""
    parser.add_argument(
        "objects", nargs="*", metavar="OBJECT", help="pod/web-0, deploy/cart, node/w2, svc/web, ns/shop (default: the namespace)"
    )
    parser.add_argument("--kubeconfig", metavar="FILE", help="kubeconfig to use (default: KUBECONFIG, else ~/.kube/config)")
    parser.add_argument("--context", metavar="NAME", help="context of the kubeconfig (default: the current one)")
    parser.add_argument("-n", "--namespace", metavar="NS", help="namespace (default: that of the context)")
    parser.add_argument("-A", "--all-namespaces", action="store_true", help="the whole cluster")
    parser.add_argument("-l", "--selector", metavar="LABELS", help="only pods with these labels, as in app=web,tier!=cache")
    parser.add_argument("--as", dest="as_user", metavar="USER", help="user to impersonate")
    parser.add_argument("--as-group", dest="as_groups", metavar="GROUP", action="append", default=[], help="group to impersonate")
    parser.add_argument(
        "--request-timeout", metavar="TIME", default="10s", help="longest wait for one answer: 5s, 1m (default 10s)"
    )


def open_source(options: argparse.Namespace, environment: Mapping[str, str]) -> ClusterSource:
    """The cluster that the flags name; nothing is sent yet.

    :raises UsageError: for flags that make no sense.
    :raises ConfigError: when no kubeconfig leads to a cluster.
    """
    from msgspec.structs import replace

    from kubecause.evidence.cluster import ClusterSource
    from kubecause.evidence.cluster.kubeconfig import load_settings
    from kubecause.evidence.cluster.scope import parse_scope

    timeout = _seconds(options.request_timeout)
    scope = parse_scope(  # first: wrong usage is wrong whatever cluster it is about
        options.objects, namespace=options.namespace or "", everywhere=options.all_namespaces, selector=options.selector
    )
    settings = load_settings(
        kubeconfig=options.kubeconfig,
        context=options.context,
        environment=environment,
        as_user=options.as_user,
        as_groups=options.as_groups,
    )
    if scope.namespace == "":
        scope = replace(scope, namespace=settings.namespace)
    return ClusterSource(settings, scope, timeout=timeout)


def why(options: argparse.Namespace, *, keep: Callable[[Document | Gap], None] | None = None) -> tuple[Result, tuple[int, int]]:
    """Diagnose the cluster; returns the result, and the requests sent and bytes read.

    :param keep: called with every document and gap.
    """
    try:
        source = open_source(options, os.environ)
    except ConfigError as error:
        return _without_cluster(error, options, keep), (0, 0)
    try:
        share_one_heap()
        source.start()  # the server is at work while the reasoning loads
        from kubecause.knowledge import shipped
        from kubecause.pipeline import diagnose_source

        return diagnose_source(source, shipped(), keep=keep), source.cost
    finally:
        source.close()


def _without_cluster(error: ConfigError, options: argparse.Namespace, keep: Callable[[Document | Gap], None] | None) -> Result:
    """What a kubeconfig that leads to no cluster is itself a sign of."""
    from kubecause.evidence.cluster.unreachable import unconfigured
    from kubecause.knowledge import shipped
    from kubecause.pipeline import diagnose_documents

    document = unconfigured(error, kubeconfig=options.kubeconfig, environment=os.environ)
    result = diagnose_documents([document], shipped(), source=("cluster", options.context or "unknown"))
    if not result.diagnoses:
        raise error  # a context or field that is wrong: the error says which, and there is nothing to explain
    if keep:
        keep(document)
    return result


def _seconds(text: str) -> float:
    """A duration as kubectl takes it: ``10``, ``10s``, ``1m``; 0 means no limit, which is ten minutes here."""
    number = text.rstrip("abcdefghijklmnopqrstuvwxyz")
    try:
        found = float(number) * _UNITS[text[len(number) :]]
    except (ValueError, KeyError):
        raise UsageError(f"--request-timeout {text!r} is no duration; write 5s, 1m or a number of seconds") from None
    if not found >= 0:  # also not a number
        raise UsageError(f"--request-timeout {text!r} is negative; write 5s, 1m or a number of seconds")
    return found or 600.0
