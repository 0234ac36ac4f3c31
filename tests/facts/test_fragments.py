"""Parts of objects that grep left of a YAML output."""

from typing import Any


def test_labels_that_grep_left_belong_to_the_object_of_the_command(read: Any) -> None:
    """``kubectl get pod NAME -o yaml | grep -A labels:`` gives the labels of that pod."""
    store, _ = read("$ kubectl get pod front -n shop -o yaml | grep -A 2 labels:\n  labels:\n    app: front\n    tier: 'web'\n")

    thing = store.named("Pod", "front", "shop")

    assert thing is not None
    assert thing.metadata.labels == {"app": "front", "tier": "web"}


def test_other_maps_of_a_fragment_are_left_alone(read: Any) -> None:
    """What grep left without saying what it is makes no object."""
    store, _ = read(
        "$ kubectl get pod front -n shop -o yaml | grep -A 2 resources:\n    resources:\n      limits:\n        cpu: 1\n"
    )

    assert store.named("Pod", "front", "shop") is None
