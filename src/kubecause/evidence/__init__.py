"""Evidence: a target in, documents and gaps out. Secrets stop here (:mod:`kubecause.evidence.redact`).

Saved evidence is opened in :mod:`kubecause.evidence.targets`, a cluster in :mod:`kubecause.evidence.cluster`; neither loads
the other.
"""
