"""What the states mean that Kubernetes prints for pods, containers and nodes, and which faults they point at.

Names: waiting and terminated reasons of the kubelet, pod reasons, event reasons, node conditions and phases of the API.
"""

from __future__ import annotations

from kubecause.knowledge.meanings import Meaning, means

_PULL = (
    "image/not-found",
    "image/pull-auth-failed",
    "image/registry-dns-failure",
    "image/registry-unreachable",
    "image/registry-http-not-insecure",
    "image/registry-ca-untrusted",
    "image/rate-limited",
    "image/pull-timeout",
    "image/corrupted",
    "image/arch-mismatch",
    "registry/local-registry-down",
    "image/pull-failing",
)
_CAPACITY = ("scheduling/insufficient-cpu", "scheduling/insufficient-memory", "scheduling/too-many-pods")

STATES: dict[str, Meaning] = {
    "CrashLoopBackOff": means(
        "The container ends again and again; the kubelet waits longer before each new start, up to five minutes.",
        "容器反复退出，kubelet 每次重启前等待的时间越来越长，最长五分钟。",
        "container/crash-loop",
    ),
    "ImagePullBackOff": means(
        "Pulling the image failed before; the kubelet waits before it tries again.",
        "此前拉取镜像失败，kubelet 等待一段时间后再试。",
        *_PULL,
    ),
    "ErrImagePull": means("Pulling the image failed just now.", "刚刚拉取镜像失败。", *_PULL),
    "ErrImageNeverPull": means(
        "The image is not on the node and imagePullPolicy forbids pulling it.",
        "节点上没有该镜像，而 imagePullPolicy 禁止拉取。",
        "image/never-pull-missing",
    ),
    "InvalidImageName": means("The image reference cannot be parsed.", "镜像名称格式不正确，无法解析。", "image/invalid-name"),
    "ImageInspectError": means(
        "The runtime cannot read the image it has stored.",
        "运行时无法读取本地保存的镜像。",
        "image/inspect-failed",
        "image/corrupted",
    ),
    "RegistryUnavailable": means(
        "The registry did not answer.", "镜像仓库没有响应。", "image/registry-unreachable", "registry/local-registry-down"
    ),
    "SignatureValidationFailed": means("The signature of the image was refused.", "镜像签名校验未通过。"),
    "CreateContainerConfigError": means(
        "The kubelet cannot build the container's configuration: a Secret, ConfigMap or key is missing, or a rule forbids it.",
        "kubelet 无法生成容器配置：缺少 Secret、ConfigMap 或其中的键，或者被规则禁止。",
        "container/create-config-error",
        "config/secret-missing",
        "config/configmap-missing",
        "container/run-as-nonroot-violation",
    ),
    "CreateContainerError": means(
        "The runtime refused to create the container.",
        "运行时拒绝创建容器。",
        "container/command-not-found",
        "runtime/container-name-conflict",
        "runtime/oci-create-failed",
        "storage/mount-path-invalid",
    ),
    "RunContainerError": means(
        "The container was created but could not be started.",
        "容器已创建，但无法启动。",
        "runtime/oci-create-failed",
        "container/command-not-found",
        "container/command-not-executable",
    ),
    "CreatePodSandboxError": means(
        "The pod's sandbox, which holds its network, could not be made.", "无法创建承载 Pod 网络的沙箱。", "pod/stuck-creating"
    ),
    "PostStartHookError": means("The postStart hook failed.", "postStart 钩子执行失败。", "container/lifecycle-hook-failed"),
    "PreStartHookError": means("A hook before the start failed.", "启动前的钩子执行失败。", "container/lifecycle-hook-failed"),
    "ContainerCannotRun": means(
        "The runtime could not start the process.",
        "运行时无法启动进程。",
        "container/command-not-found",
        "container/command-not-executable",
        "runtime/oci-create-failed",
    ),
    "StartError": means(
        "containerd could not start the process.",
        "containerd 无法启动进程。",
        "container/command-not-found",
        "container/command-not-executable",
        "runtime/oci-create-failed",
    ),
    "OOMKilled": means(
        "The kernel killed a process of the container for want of memory, most often at the container's own limit.",
        "内核因内存不足杀死了容器中的进程，多数是达到了容器自身的内存限制。",
        "container/oom-killed",
        "container/jvm-heap-exceeds-limit",
        "container/killed-by-node-oom",
        "container/memory-limit-too-small",
    ),
    "Error": means(
        "The container ended with an exit code other than zero; look the code up.",
        "容器以非零退出码结束，请按退出码查询。",
        "container/exit-general-error",
        "container/exit-signal",
        "container/segfault",
    ),
    "Completed": means(
        "The process finished with exit code zero; in a pod that is meant to stay it will be started again.",
        "进程以退出码零正常结束；如果 Pod 应当常驻，它会被再次启动。",
        "container/completed-but-restarted",
    ),
    "ContainerStatusUnknown": means(
        "The kubelet lost sight of the container; the exit code 137 beside it is made up. Look at the pod's reason.",
        "kubelet 失去了该容器的状态，旁边的退出码 137 并非真实值，请查看 Pod 的 reason。",
        "pod/evicted",
        "node/shutdown",
    ),
    "ContainerCreating": means(
        "The pod has a node; its volumes, network or image are not ready yet.",
        "Pod 已分配节点，但存储卷、网络或镜像尚未就绪。",
        "pod/stuck-creating",
    ),
    "PodInitializing": means(
        "Init containers have not finished yet.", "Init 容器尚未全部完成。", "pod/init-container-failed", "pod/stuck-creating"
    ),
    "Pending": means(
        "The pod is accepted but not running: no node was chosen, or its containers do not exist yet.",
        "Pod 已被接受但没有运行：尚未选定节点，或容器还未创建。",
        "pod/stuck-pending",
    ),
    "Terminating": means(
        "Deletion was asked for and is not finished: a finalizer, the grace period, the runtime or the node holds it up.",
        "已请求删除但尚未完成：可能受阻于 finalizer、宽限期、运行时或节点。",
        "pod/stuck-terminating",
        "pod/finalizer-stuck",
        "control-plane/namespace-stuck-terminating",
    ),
    "Evicted": means(
        "The kubelet removed the pod to free disk, memory or process ids of the node.",
        "kubelet 为释放节点的磁盘、内存或进程号而驱逐了该 Pod。",
        "pod/evicted",
        "pod/ephemeral-storage-exceeded",
    ),
    "Preempting": means(
        "The pod makes room for one of higher priority.", "Pod 正在为更高优先级的 Pod 让出资源。", "pod/preempted"
    ),
    "NodeLost": means("The pod's node no longer reports.", "Pod 所在节点不再上报状态。", "pod/unknown-node-lost"),
    "Unknown": means(
        "The state cannot be read, as a rule because the node does not report.",
        "无法取得状态，通常是节点没有上报。",
        "pod/unknown-node-lost",
        "node/not-ready",
    ),
    "UnexpectedAdmissionError": means(
        "The kubelet refused the pod for a reason it did not expect, often a device plugin or a full disk.",
        "kubelet 因意外原因拒绝了 Pod，常见于设备插件异常或磁盘已满。",
        "pod/unexpected-admission-error",
    ),
    "OutOfcpu": means("The node had too little CPU left when the pod arrived.", "Pod 到达时节点的 CPU 余量不足。", _CAPACITY[0]),
    "OutOfmemory": means(
        "The node had too little memory left when the pod arrived.", "Pod 到达时节点的内存余量不足。", _CAPACITY[1]
    ),
    "OutOfpods": means("The node already ran as many pods as it may.", "节点的 Pod 数量已达上限。", _CAPACITY[2]),
    "NodeAffinity": means(
        "The node no longer matches what the pod asks of it.",
        "节点已不满足 Pod 的选择条件。",
        "scheduling/node-selector-mismatch",
        "scheduling/node-affinity-mismatch",
    ),
    "DeadlineExceeded": means(
        "The job or pod ran longer than it may, or an operation took too long.",
        "Job 或 Pod 运行超过了时限，或某个操作超时。",
        "workload/job-deadline-exceeded",
    ),
    "BackoffLimitExceeded": means(
        "The job's pods failed more often than it allows.", "Job 的 Pod 失败次数超过上限。", "workload/job-backoff-exceeded"
    ),
    "ProgressDeadlineExceeded": means(
        "The rollout made no progress in its time.", "滚动更新在期限内没有进展。", "workload/rollout-stuck"
    ),
    "FailedScheduling": means("No node fits the pod.", "没有节点能满足该 Pod。", "pod/stuck-pending"),
    "FailedMount": means("A volume could not be mounted.", "存储卷挂载失败。", "pod/stuck-creating"),
    "FailedCreatePodSandBox": means("The pod's sandbox could not be made.", "无法创建 Pod 沙箱。", "pod/stuck-creating"),
    "Unhealthy": means("A probe of the container failed.", "容器的探针检查失败。", "probe/failing"),
    "BackOff": means(
        "The kubelet waits before it tries a start or a pull again.",
        "kubelet 等待一段时间后再次启动容器或拉取镜像。",
        "container/crash-loop",
        *_PULL,
    ),
    "NotReady": means(
        "The node does not report, or reports that it cannot run pods.",
        "节点没有上报状态，或上报自己无法运行 Pod。",
        "node/not-ready",
    ),
    "SchedulingDisabled": means(
        "The node is cordoned: it takes no new pods.", "节点已被隔离，不再接收新的 Pod。", "node/cordoned"
    ),
    "DiskPressure": means(
        "The node runs short of disk and evicts pods.",
        "节点磁盘不足，正在驱逐 Pod。",
        "node/disk-pressure",
        "node/disk-full-runtime",
        "node/disk-full-kubelet",
        "node/inode-exhausted",
    ),
    "MemoryPressure": means(
        "The node runs short of memory and evicts pods.", "节点内存不足，正在驱逐 Pod。", "node/memory-pressure"
    ),
    "PIDPressure": means("The node runs out of process ids.", "节点的进程号即将耗尽。", "node/pid-pressure"),
    "NetworkUnavailable": means("The node's network is not set up.", "节点网络尚未配置好。", "cni/not-initialized"),
}
