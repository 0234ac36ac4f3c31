"""kubecause names the root cause of what is broken in Kubernetes, from evidence alone."""

__version__ = "0.1.0"
