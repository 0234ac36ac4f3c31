"""Built-in kinds: words and paths."""

import pytest

from kubecause.errors import UsageError
from kubecause.evidence.cluster.kinds import KINDS, kind_of_object, kind_of_word


@pytest.mark.parametrize(
    ("word", "resource"),
    [
        ("po", "pods"),
        ("Pod", "pods"),
        ("pods", "pods"),
        ("deploy", "deployments.apps"),
        ("deployments.apps", "deployments.apps"),
        ("deployment.v1.apps", "deployments.apps"),
        ("ing", "ingresses.networking.k8s.io"),
        ("netpol", "networkpolicies.networking.k8s.io"),
        ("hpa", "horizontalpodautoscalers.autoscaling"),
        ("ev", "events"),
        ("events.events.k8s.io", "events.events.k8s.io"),
        ("pods.metrics.k8s.io", "pods.metrics.k8s.io"),
        ("quota", "resourcequotas"),
        ("crds", "customresourcedefinitions.apiextensions.k8s.io"),
    ],
)
def test_words(word: str, resource: str) -> None:
    """Every word that kubectl takes."""
    kind = kind_of_word(word)

    assert kind is not None
    assert kind.resource == resource


def test_unknown_words_are_none() -> None:
    """A group that is not the kind's own does not match."""
    assert kind_of_word("widgets") is None
    assert kind_of_word("deployments.example.org") is None


def test_paths() -> None:
    """Core and other groups, with and without namespaces, quoted."""
    assert KINDS["Pod"].path("shop", "web-0") == "/api/v1/namespaces/shop/pods/web-0"
    assert KINDS["Pod"].path(None) == "/api/v1/pods"
    assert KINDS["Deployment"].path("shop") == "/apis/apps/v1/namespaces/shop/deployments"
    assert KINDS["Node"].path("shop", "w1") == "/api/v1/nodes/w1"
    assert KINDS["ClusterRole"].path(None, "system:node") == "/apis/rbac.authorization.k8s.io/v1/clusterroles/system:node"
    assert KINDS["APIService"].path(None, "v1 é".replace(" ", "?")) == "/apis/apiregistration.k8s.io/v1/apiservices/v1%3F%C3%A9"


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../../secrets/x", "a%2fb", "a b", "a\r\nHost: b"])
def test_names_that_would_lead_elsewhere_are_refused(name: str) -> None:
    """A name never changes which path is asked."""
    with pytest.raises(UsageError, match="not a name that an object can have"):
        KINDS["Pod"].path("shop", name)
    with pytest.raises(UsageError, match="not a name that an object can have"):
        KINDS["Pod"].path(name, "web-0")


def test_a_namespaced_object_needs_its_namespace() -> None:
    """A list may do without, one object may not."""
    with pytest.raises(UsageError, match="name it with -n"):
        KINDS["Pod"].path(None, "web-0")


def test_owner_references_name_kinds() -> None:
    """The group must be the kind's own; the version may be another."""
    assert kind_of_object("apps/v1", "ReplicaSet") is KINDS["ReplicaSet"]
    assert kind_of_object("apps/v1beta9", "ReplicaSet") is KINDS["ReplicaSet"]
    assert kind_of_object("v1", "Pod") is KINDS["Pod"]
    assert kind_of_object("example.org/v1", "Deployment") is None
    assert kind_of_object("metrics.k8s.io/v1beta1", "PodMetrics") is KINDS["PodMetrics"]
