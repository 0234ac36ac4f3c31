"""Keys and certificates for the range, made with openssl: service account keys, client certificates, a registry's own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .daemons import run


@dataclass(frozen=True, slots=True)
class KeyPair:
    """Two PEM files."""

    certificate: Path
    key: Path


def make_key(path: Path) -> Path:
    """An RSA key, made once."""
    if not path.exists():
        run("openssl", "genrsa", "-out", str(path), "2048")
    return path


def self_signed(folder: Path, name: str, *, hosts: tuple[str, ...] = (), authority: bool = False, days: int = 3650) -> KeyPair:
    """A certificate that signs itself, for a server (``hosts`` are IP addresses) or as an authority."""
    pair = KeyPair(folder / f"{name}.crt", folder / f"{name}.key")
    if not pair.certificate.exists():
        names = ["-addext", "subjectAltName=" + ",".join(f"IP:{host}" for host in hosts)] if hosts else []
        basic = "CA:TRUE" if authority else "CA:FALSE"
        run(
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", str(days), "-subj", f"/CN={name}"),
            *("-keyout", str(pair.key), "-out", str(pair.certificate), "-addext", f"basicConstraints=critical,{basic}"),
            *names,
        )
    return pair


def signed_for(folder: Path, authority: KeyPair, user: str, groups: tuple[str, ...], *, minutes: int = 525600) -> KeyPair:
    """A client certificate for a user; negative ``minutes`` give one that has expired."""
    pair = KeyPair(folder / f"{user}.crt".replace(":", "-"), folder / f"{user}.key".replace(":", "-"))
    request = pair.key.with_suffix(".csr")
    subject = "".join(f"/O={group}" for group in groups) + f"/CN={user}"
    run("openssl", "req", "-newkey", "rsa:2048", "-nodes", "-subj", subject, "-keyout", str(pair.key), "-out", str(request))
    start, end = _dates(minutes)
    settings, database = folder / f"{pair.key.stem}.cnf", folder / f"{pair.key.stem}.index"
    database.write_text("", encoding="utf-8")
    settings.write_text(
        "[ca]\ndefault_ca=a\n[a]\n"
        f"database={database}\nnew_certs_dir={folder}\nrand_serial=yes\ndefault_md=sha256\npolicy=p\nunique_subject=no\n"
        "[p]\ncommonName=supplied\norganizationName=optional\n[x]\nextendedKeyUsage=clientAuth\n",
        encoding="utf-8",
    )
    run(
        *("openssl", "ca", "-batch", "-notext", "-config", str(settings), "-extensions", "x", "-in", str(request)),
        *("-cert", str(authority.certificate), "-keyfile", str(authority.key), "-out", str(pair.certificate)),
        *("-startdate", start, "-enddate", end),
    )
    return pair


def _dates(minutes: int) -> tuple[str, str]:
    """Begin and end as openssl wants them; the past when ``minutes`` is negative."""
    from datetime import UTC, datetime, timedelta

    now = datetime.now(UTC)
    begin = now + timedelta(minutes=min(minutes, 0)) - timedelta(days=1)
    return begin.strftime("%Y%m%d%H%M%SZ"), (now + timedelta(minutes=minutes)).strftime("%Y%m%d%H%M%SZ")
