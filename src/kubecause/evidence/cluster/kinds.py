"""Which kinds a cluster has without asking it: plurals, groups, short names, and the path of their objects.

The built-in kinds of Kubernetes 1.27 to 1.36 that a diagnosis reads, at a version that all of these serve; plurals and
short names as ``kubectl api-resources`` prints them. What is not here is found by asking (``discovery.py``).
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

import msgspec

from kubecause.errors import UsageError


class Kind(msgspec.Struct, frozen=True):
    """One kind of object as the API serves it.

    :ivar group: ``apps``; empty for the core group.
    :ivar short: kubectl's short names.
    """

    kind: str
    plural: str
    group: str
    version: str
    namespaced: bool
    short: tuple[str, ...] = ()

    @property
    def api_version(self) -> str:
        """``v1``, ``apps/v1``."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def resource(self) -> str:
        """The resource as permissions and refusals name it: ``pods``, ``deployments.apps``."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    def path(self, namespace: str | None, name: str | None = None) -> str:
        """The path of one object, or of all; ``namespace`` None means every namespace, and is ignored for cluster-wide kinds.

        :raises UsageError: a name or namespace that no object can have, or a namespaced object without its namespace.
        """
        root = f"/apis/{quote(self.group, safe='')}/{quote(self.version, safe='')}" if self.group else f"/api/{self.version}"
        if self.namespaced and namespace is not None:
            root += f"/namespaces/{segment(namespace)}"
        elif self.namespaced and name is not None:
            raise UsageError(f"{self.kind} {name}: lives in a namespace; name it with -n")
        root += f"/{quote(self.plural, safe='')}"
        return root if name is None else f"{root}/{segment(name)}"


def segment(name: str) -> str:
    """A name as one part of a path.

    Kubernetes itself forbids ``.``, ``..``, ``/`` and ``%`` in names (apimachinery ``IsValidPathSegmentName``); with them
    a request would go elsewhere.

    :raises UsageError: no object can have this name.
    """
    if not name or name in {".", ".."} or "/" in name or "%" in name or any(ord(letter) < 0x21 for letter in name):
        raise UsageError(f"{name[:80]!r}: not a name that an object can have")
    return quote(name, safe=":")


def _kinds(text: str) -> list[Kind]:
    """Rows ``Kind plural group/version scope short,short``; scope is ``ns`` or ``cluster``."""
    out = []
    for row in text.split("\n"):
        if row.strip():
            kind, plural, where, scope, *short = row.split()
            group, _, version = where.rpartition("/")
            out.append(Kind(kind, plural, group, version, scope == "ns", tuple(short[0].split(",")) if short else ()))
    return out


_BUILT_IN = _kinds("""
Pod                              pods                              v1                                ns       po
Service                          services                          v1                                ns       svc
Node                             nodes                             v1                                cluster  no
Namespace                        namespaces                        v1                                cluster  ns
Event                            events                            v1                                ns       ev
ConfigMap                        configmaps                        v1                                ns       cm
Secret                           secrets                           v1                                ns
ServiceAccount                   serviceaccounts                   v1                                ns       sa
Endpoints                        endpoints                         v1                                ns       ep
PersistentVolumeClaim            persistentvolumeclaims            v1                                ns       pvc
PersistentVolume                 persistentvolumes                 v1                                cluster  pv
ReplicationController            replicationcontrollers            v1                                ns       rc
ResourceQuota                    resourcequotas                    v1                                ns       quota
LimitRange                       limitranges                       v1                                ns       limits
PodTemplate                      podtemplates                      v1                                ns
ComponentStatus                  componentstatuses                 v1                                cluster  cs
Deployment                       deployments                       apps/v1                           ns       deploy
ReplicaSet                       replicasets                       apps/v1                           ns       rs
StatefulSet                      statefulsets                      apps/v1                           ns       sts
DaemonSet                        daemonsets                        apps/v1                           ns       ds
ControllerRevision               controllerrevisions               apps/v1                           ns
Job                              jobs                              batch/v1                          ns
CronJob                          cronjobs                          batch/v1                          ns       cj
HorizontalPodAutoscaler          horizontalpodautoscalers          autoscaling/v2                    ns       hpa
PodDisruptionBudget              poddisruptionbudgets              policy/v1                         ns       pdb
Ingress                          ingresses                         networking.k8s.io/v1              ns       ing
IngressClass                     ingressclasses                    networking.k8s.io/v1              cluster
NetworkPolicy                    networkpolicies                   networking.k8s.io/v1              ns       netpol
EndpointSlice                    endpointslices                    discovery.k8s.io/v1               ns
StorageClass                     storageclasses                    storage.k8s.io/v1                 cluster  sc
VolumeAttachment                 volumeattachments                 storage.k8s.io/v1                 cluster
CSIDriver                        csidrivers                        storage.k8s.io/v1                 cluster
CSINode                          csinodes                          storage.k8s.io/v1                 cluster
CSIStorageCapacity               csistoragecapacities              storage.k8s.io/v1                 ns
Role                             roles                             rbac.authorization.k8s.io/v1      ns
RoleBinding                      rolebindings                      rbac.authorization.k8s.io/v1      ns
ClusterRole                      clusterroles                      rbac.authorization.k8s.io/v1      cluster
ClusterRoleBinding               clusterrolebindings               rbac.authorization.k8s.io/v1      cluster
ValidatingWebhookConfiguration   validatingwebhookconfigurations   admissionregistration.k8s.io/v1   cluster
MutatingWebhookConfiguration     mutatingwebhookconfigurations     admissionregistration.k8s.io/v1   cluster
APIService                       apiservices                       apiregistration.k8s.io/v1         cluster
CustomResourceDefinition         customresourcedefinitions         apiextensions.k8s.io/v1           cluster  crd,crds
Lease                            leases                            coordination.k8s.io/v1            ns
PriorityClass                    priorityclasses                   scheduling.k8s.io/v1              cluster  pc
RuntimeClass                     runtimeclasses                    node.k8s.io/v1                    cluster
CertificateSigningRequest        certificatesigningrequests        certificates.k8s.io/v1            cluster  csr
""")
# Kinds whose name another kind has already, and kinds of 1.27 to 1.36 that not every one of these versions serves.
_FURTHER = _kinds("""
Event                              events                              events.k8s.io/v1                  ns       ev
PodMetrics                         pods                                metrics.k8s.io/v1beta1            ns
NodeMetrics                        nodes                               metrics.k8s.io/v1beta1            cluster
ValidatingAdmissionPolicy          validatingadmissionpolicies         admissionregistration.k8s.io/v1   cluster
ValidatingAdmissionPolicyBinding   validatingadmissionpolicybindings   admissionregistration.k8s.io/v1   cluster
ResourceClaim                      resourceclaims                      resource.k8s.io/v1                ns
ResourceClaimTemplate              resourceclaimtemplates              resource.k8s.io/v1                ns
ResourceSlice                      resourceslices                      resource.k8s.io/v1                cluster
DeviceClass                        deviceclasses                       resource.k8s.io/v1                cluster
VolumeAttributesClass              volumeattributesclasses             storage.k8s.io/v1                 cluster  vac
ServiceCIDR                        servicecidrs                        networking.k8s.io/v1              cluster
IPAddress                          ipaddresses                         networking.k8s.io/v1              cluster  ip
""")


def _by_kind() -> dict[str, Kind]:
    out: dict[str, Kind] = {}
    for kind in (*_BUILT_IN, *_FURTHER):
        out.setdefault(kind.kind, kind)
    return out


KINDS: Mapping[str, Kind] = _by_kind()


def _words() -> dict[str, Kind]:
    out: dict[str, Kind] = {}
    for kind in (*_BUILT_IN, *_FURTHER):
        for word in (kind.plural, kind.kind.lower(), *kind.short):
            out.setdefault(word, kind)
            if kind.group:
                out.setdefault(f"{word}.{kind.group}", kind)
                out.setdefault(f"{word}.{kind.version}.{kind.group}", kind)
    return out


_BY_WORD = _words()


def kind_of_word(word: str) -> Kind | None:
    """The built-in kind that kubectl means by a word: ``po``, ``pods``, ``Pod``, ``deployments.apps``, ``deployment.v1.apps``."""
    return _BY_WORD.get(word.lower())


def kind_of_object(api_version: str, kind: str) -> Kind | None:
    """The built-in kind of an object or owner reference, whatever version of the group it names."""
    group = api_version.rpartition("/")[0]
    return _BY_WORD.get(f"{kind.lower()}.{group}" if group else kind.lower())
