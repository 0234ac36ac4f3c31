"""Secrets never survive, and diagnostic text is never harmed."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubecause.evidence.redact import REDACTED, Redactor, redact_line, redact_lines

HARMLESS = [
    "Access denied for user 'x'@'h' (using password: YES)",
    "ERROR 1045 (28000): Access denied for user 'root'@'::1' (using password: NO)",
    'secret "db" not found',
    'MountVolume.SetUp failed for volume "tls" : secret "db-token" not found',
    "Error: couldn't find key password in Secret shop/db",
    "      imagePullSecrets:",
    "Image pull secrets:  regcred",
    "Mountable secrets:   default-token-x7k2p",
    "Tokens:              default-token-x7k2p",
    "        secretName: tls",
    "    SecretName:  shop-tls",
    "          secretKeyRef:",
    "      DB_PASSWORD:  <set to the key 'password' in secret 'db'>  Optional: false",
    "failed to request a serviceaccount token: context deadline exceeded",
    "          tokenExpirationSeconds: 3607",
    "    TokenExpirationSeconds:    3607",
    "failed to fetch anonymous token: unexpected status from GET https://auth.docker.io/token: 401 Unauthorized",
    'failed to fetch oauth token: Post "https://auth.example.com/token": dial tcp: lookup auth.example.com: no such host',
    "automountServiceAccountToken: false",
    "unauthorized: authentication required",
    "kube-apiserver --token-auth-file=/x",
    "password: ",
    "password=",
    "        key: tls.key",
    "      key: password",
    "  name: db-password",
    'error getting secret: secrets "db" is forbidden: User "system:serviceaccount:a:b" cannot get resource "secrets"',
    "Unable to authenticate the request: [invalid bearer token, Token has been invalidated]",
    'WWW-Authenticate: Bearer realm="https://auth.docker.io/token",service="registry.docker.io"',
    "invalid token: signature is invalid",
    "token: x509: certificate signed by unknown authority",
    'FATAL:  password authentication failed for user "app"',
    "mysql: [Warning] Using a password on the command line interface can be insecure.",
    "unknown flag: --token is not supported",
    "      /var/run/secrets/kubernetes.io/serviceaccount from kube-api-access-x7k2p (ro)",
    "DB_PASSWORD:  16 bytes",
    "token_file=/var/run/secrets/kubernetes.io/serviceaccount/token",
    "    --service-account-private-key-file=/etc/kubernetes/pki/sa.key",
    "PWD=/root",
    "kubeadm join 10.0.0.1:6443 --discovery-token-ca-cert-hash sha256:7c2e69131a36ae2a042a339b33381c6d",
    "at Microsoft.Extensions.RedisCache.GetAsync(String key, CancellationToken token)",
    "- --password=$(DB_PASSWORD)",
    "mysqladmin ping -uroot -p${MYSQL_ROOT_PASSWORD}",
    "Authorization: Bearer $(cat /var/run/secrets/kubernetes.io/serviceaccount/token)",
    '"initial-cluster-token":"etcd-cluster"',
    "http://web.shop:8080/healthz",
    "dial tcp 10.96.0.1:443: connect: connection refused",
    "docker.io/library/nginx@sha256:0d17b565c37bcbd895e9d92315a05c1c3c9a29f762b011a10c54a66cd53c9b31",
    'W0301 reflector.go:533] failed to list *v1.Secret: secrets is forbidden: User "u" cannot list resource "secrets"',
    'E1 pod_workers.go "Error syncing pod" err="failed to sync secret cache: timed out waiting for the condition"',
    'Normal  Pulled  kubelet  Secret: "regcred" not found',
    '"secret": {"secretName": "tls", "defaultMode": 420}',
    'Unable to retrieve pull secret secret="shop/regcred" err="secret \\"regcred\\" not found"',
    "密码: 错误",
    "max_tokens: 4096",
    'RBAC: clusterrole.rbac.authorization.k8s.io "x" not found',
    "docker login -u robot",
    "mysql -u root -p shop",
    "curl -u admin https://x",
    "NAME                    SECRETS   AGE",
]


@pytest.mark.parametrize("line", HARMLESS)
def test_diagnostic_text_is_kept(line: str) -> None:
    """Text that only talks about secrets stays as it is."""
    assert line == redact_line(line)
    assert [line, "", "next"] == redact_lines([line, "", "next"])


# Each shape holds {s} where the secret stands; {b} is the same in base64.
ONE_LINE = [
    "password={s}",
    "password: {s}",
    "DB_PASSWORD={s}",
    "export DB_PASSWORD={s}",
    "      DB_PASSWORD:     {s}",
    "spring.datasource.password = {s}",
    '"password": "{s}",',
    '{{"user":"root","password":"{s}","host":"db"}}',
    '{{"log":"login {{\\"password\\":\\"{s}\\",\\"user\\":\\"x\\"}}"}}',
    "{{'user': 'ts', 'password': '{s}', 'db': 'ts'}}",
    "time=now level=info password={s} user=root",
    "Using generated security password: {s}",
    "client_secret={s}&grant_type=x",
    "GET /login?user=a&token={s}&x=1 HTTP/1.1",
    "mysql://user:{s}@db:3306/shop",
    "redis://:{s}@redis:6379/0",
    "dial postgres://app:{s}@db/shop?sslmode=disable: refused",
    "root:{s}@tcp(10.0.0.1:3306)/shop",
    "jdbc:mysql://db/shop?user=root&password={s}",
    "jdbc:oracle:thin:scott/{s}@//db:1521/x",
    "Authorization: Bearer {s}",
    "Authorization: Basic {b}",
    "-H 'Authorization: token {s}' https://x",
    '{{"Authorization":["Bearer {s}"]}}',
    "> X-Auth-Token: {s}",
    "X-Vault-Token: {s}",
    "Server=db;User Id=sa;Password={s};Database=x",
    "AccountName=a;AccountKey={b};EndpointSuffix=core.windows.net",
    "mysql -uroot -p{s} -h db",
    "mysqldump --password={s} shop",
    "mysql --password {s} shop",
    'command: ["mysqladmin","-uroot","-p{s}","ping"]',
    "sshpass -p {s} ssh root@node",
    "docker login -u robot -p {s} registry:5000",
    "redis-cli -h redis -a {s} ping",
    "curl -u admin:{s} https://x",
    "kubectl create secret generic db --from-literal=pw={s}",
    "kubectl create secret docker-registry r --docker-password={s}",
    '      args: ["--token", "{s}"]',
    "kubeadm join 10.0.0.1:6443 --token {s} --discovery-token-ca-cert-hash sha256:aa",
    "kubeadm join 10.0.0.1:6443 --control-plane --certificate-key {s}",
    "requirepass {s}",
    "masterauth {s}",
    "CREATE USER 'a'@'%' IDENTIFIED BY '{s}'",
    "<password>{s}</password>",
    "    client-key-data: {b}",
    "    token: {s}",
    '  "auth": "{b}"',
    '{{"auths":{{"registry:5000":{{"username":"u","password":"{s}","auth":"{b}"}}}}}}',
    '{{"name":"DB_PASSWORD","value":"{s}"}}',
    "Env:[]EnvVar{{EnvVar{{Name:DB_PASSWORD,Value:{s},ValueFrom:nil,}},}}",
    "{{User:root Password:{s} Host:db}}",
    "map[host:db password:{s}]",
    '"MYSQL_ROOT_PASSWORD={s}",',
    "- --admin-password={s}",
    "MYSQL_PWD={s} mysql",
    "secret_access_key = {s}",
    "apiKey: {s}",
    "api_key={s}",
    "API Key: {s}",
    "密码：{s}",
    "密码为 {s}",
    "Set-Cookie: session={s}; Path=/",
    '{{"apiVersion":"v1","data":{{"x":"{b}"}},"kind":"Secret","metadata":{{"name":"db"}}}}',
    '{{"kind":"Secret","stringData":{{"x":"{s}"}}}}',
    '    "kubectl.kubernetes.io/last-applied-configuration": "{{\\"data\\":{{\\"x\\":\\"{b}\\"}},\\"kind\\":\\"Secret\\"}}\\n"',
    '      {{"apiVersion":"v1","kind":"Secret","data":{{"a":"eA==","x":"{b}"}}}}',
    '"key": "-----BEGIN RSA PRIVATE KEY-----\\n{b}\\n-----END RSA PRIVATE KEY-----\\n"',
    "eyJhbGciOiJIUzI1NiJ9.eyJ{b}.{s}",
    "https://hooks.slack.com/services/T0/B0/{s}",
]
MANY_LINES = [
    ["-----BEGIN RSA PRIVATE KEY-----", "{b}", "-----END RSA PRIVATE KEY-----", "after"],
    ["    tls.key: |", "      -----BEGIN EC PRIVATE KEY-----", "      {b}", "      -----END EC PRIVATE KEY-----"],
    ["- name: DB_PASSWORD", "  value: {s}", "- name: HOST", "  value: db"],
    ["- name: DB_PASSWORD", "  value: '{s}'"],
    ["- value: {s}", "  name: DB_PASSWORD"],
    ['  "name": "DB_PASSWORD",', '  "value": "{s}"'],
    ["password: |", "  {s}", "other: x"],
    ["- --password", "- {s}"],
    ['  "--password",', '  "{s}"'],
    ["- mysqladmin", "- -uroot", "- -p{s}"],
    ["apiVersion: v1", "data:", "  x: {b}", "  y: eA==", "kind: Secret", "metadata:", "  name: db"],
    ["apiVersion: v1", "kind: Secret", "stringData:", "  x: {s}", "  conf: |", "    a = {s}", "type: Opaque"],
    ["items:", "- apiVersion: v1", "  data:", "    x: {b}", "  kind: Secret", "- apiVersion: v1", "  kind: ConfigMap"],
    ["- data:", "    x: {b}", "  kind: Secret"],
    ["kind: Secret", "data: {{x: {b}}}"],
    ["{{", '  "apiVersion": "v1",', '  "data": {{', '    "x": "{b}"', "  }},", '  "kind": "Secret"', "}}"],
    ["$ kubectl get secret db -o jsonpath='{{.data.x}}' | base64 -d", "{s}", "$ kubectl get pods"],
    ["[root@m1 ~]# kubectl get secret db -o jsonpath='{{.data.x}}'", "{b}[root@m1 ~]# ls"],
]
SECRETS = st.text("ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz0123456789+_-.!", min_size=9, max_size=24).map(
    lambda s: f"zQ7{s}9k"
)


def fill(shape: str, secret: str) -> str:
    """The shape with a secret in it."""
    return shape.format(s=secret, b=encoded(secret))


def encoded(secret: str) -> str:
    """The secret in base64."""
    return base64.b64encode(secret.encode()).decode().rstrip("=")


@pytest.mark.parametrize("shape", ONE_LINE)
@settings(max_examples=15, deadline=None)
@given(secret=SECRETS)
def test_a_secret_in_a_line_never_survives(shape: str, secret: str) -> None:
    """A secret planted in any supported shape is gone, and a second pass changes nothing."""
    line = fill(shape, secret)

    result = redact_line(line)

    assert REDACTED in result
    assert secret not in result
    assert encoded(secret) not in result
    assert result == redact_line(result)
    assert [result] == redact_lines([line])


@pytest.mark.parametrize("shape", MANY_LINES, ids=lambda shape: shape[0])
@settings(max_examples=15, deadline=None)
@given(secret=SECRETS)
def test_a_secret_over_lines_never_survives(shape: list[str], secret: str) -> None:
    """A secret that stands on another line than its name is gone; lines keep their number."""
    lines = [fill(line, secret) for line in shape]

    result = redact_lines(lines)

    assert len(lines) == len(result)
    assert secret not in "\n".join(result)
    assert encoded(secret) not in "\n".join(result)
    assert result == redact_lines(result)


@pytest.mark.parametrize("shape", MANY_LINES[:16], ids=lambda shape: shape[0])
def test_chunks_do_not_let_secrets_through(shape: list[str]) -> None:
    """Wherever a text is cut into two chunks, a secret that is known by then, or looks encoded, is gone."""
    secret = "zQ7hunter2hunter2hunter"
    lines = [fill(line, secret) for line in shape]
    for cut in range(1, len(lines)):
        redactor = Redactor()

        result = redactor.feed(lines[:cut], more=True) + redactor.feed(lines[cut:])

        if "value: {s}" not in shape[0]:  # the name comes in the next chunk
            assert secret not in "\n".join(result), cut
        assert encoded(secret) not in "\n".join(result), cut


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("mysql://user:pw@host:3306/db", f"mysql://user:{REDACTED}@host:3306/db"),
        ("http://host:8080?mail=a@b", "http://host:8080?mail=a@b"),
        ('{"user":"root","password":"pw","host":"db"}', f'{{"user":"root","password":"{REDACTED}","host":"db"}}'),
        ('{"password": 123456, "port": 3306}', f'{{"password": {REDACTED}, "port": 3306}}'),
        ("Server=db;Password=pw;Database=x", f"Server=db;Password={REDACTED};Database=x"),
        ("level=info token=abc123 msg=refused", f"level=info token={REDACTED} msg=refused"),
        ("token=abc123 msg=refused", f"token={REDACTED} msg=refused"),
        ("login failed (password=abc) for root", f"login failed (password={REDACTED}) for root"),
        ("user aws AKIAIOSFODNN7EXAMPLE denied", f"user aws {REDACTED} denied"),
        ("token abcdef.0123456789abcdef valid", f"token {REDACTED} valid"),
        ("abcdef.0123456789abcdef   23h   <none>", f"{REDACTED}   23h   <none>"),
        ("lookup master.clusterdomainxyz on 10.96.0.10:53", "lookup master.clusterdomainxyz on 10.96.0.10:53"),
        ("ghp_0123456789abcdefghijABCDEFGHIJ0123456", REDACTED),
        ("xoxb-123456789012-abcdefghij", REDACTED),
        ("AIzaSyA0123456789abcdefghijklmnopqrstuv", REDACTED),
    ],
)
def test_only_the_secret_goes(line: str, expected: str) -> None:
    """What stands around a secret stays: users, hosts, the next setting, the end of the sentence."""
    assert expected == redact_line(line)


def test_other_objects_keep_their_data() -> None:
    """The data of a ConfigMap beside a Secret stays, and so do the keys of the Secret."""
    lines = ["items:", "- data:", "    mode: fast", "  kind: ConfigMap", "- data:", "    pw: aHVudGVyMg==", "  kind: Secret"]

    assert [
        "items:",
        "- data:",
        "    mode: fast",
        "  kind: ConfigMap",
        "- data:",
        f"    pw: {REDACTED}",
        "  kind: Secret",
    ] == redact_lines(lines)


def test_json_list_keeps_other_objects() -> None:
    """In a list on one line, only the values of Secrets go, and it is still JSON."""
    objects = [{"kind": "ConfigMap", "data": {"a": "plain"}}, {"kind": "Secret", "data": {"b": "aHVudGVyMg=="}, "type": "Opaque"}]
    expected = [{"kind": "ConfigMap", "data": {"a": "plain"}}, {"kind": "Secret", "data": {"b": REDACTED}, "type": "Opaque"}]

    assert {"items": expected} == json.loads(redact_line(json.dumps({"items": objects})))


def test_secrets_in_each_other_take_bounded_time() -> None:
    """Objects that call themselves Secret and hold each other are cut; anything worse than linear work would not end."""
    line = (
        '{"a":' * 3000
        + '{"data":{"x":"hunter2hunter2"},"kind":"Secret"}'
        + ',"data":{"y":"hunter2hunter2"},"kind":"Secret"}' * 3000
    )
    result = redact_line(line)

    assert "hunter2" not in result


def test_cut_json_does_not_show_data_of_unknown_kind() -> None:
    """Where a very long line was cut inside a data mapping, encoded values go: their kind may have come later."""
    line = '{"items":[' + '{"kind":"Pod","name":"x"},' * 1000 + '{"apiVersion":"v1","data":{"a":"aHVudGVyMg==","b":"aHVudGVyMm'

    assert "aHVudGVy" not in redact_line(line)


def test_very_long_json_line_is_redacted_and_stays_json() -> None:
    """A list of many pods on one line loses its planted password and nothing else."""
    env = [{"name": "HOST", "value": "db"}, {"name": "DB_PASSWORD", "value": "hunter2hunter2"}]
    pods = {"items": [{"name": f"pod-{n}", "env": env} for n in range(2000)]}

    result = json.loads(redact_line(json.dumps(pods, separators=(",", ":"))))

    assert 2000 == len(result["items"])
    assert {REDACTED} == {pod["env"][1]["value"] for pod in result["items"]}
    assert {"db"} == {pod["env"][0]["value"] for pod in result["items"]}


def test_errors_below_a_command_that_shows_a_secret_stay() -> None:
    """Only what the command printed goes, not its error."""
    lines = ["$ kubectl get secret db -o jsonpath='{.data.x}'", 'Error from server (NotFound): secrets "db" not found']

    assert lines == redact_lines(lines)


def test_certificates_stay() -> None:
    """A certificate is public; only private keys go."""
    lines = ["-----BEGIN CERTIFICATE-----", "MIIDdummydummydummy", "-----END CERTIFICATE-----"]

    assert lines == redact_lines(lines)


PIECES = (
    "password token secret kind data name value : = \" ' \\ { } [ ] , - -p // :// @ user Secret "
    '"kind":"Secret" "data":{ eyJ bearer '
    "authorization : | > -----BEGIN RSA PRIVATE KEY----- <redacted> api_key key mysql curl -u a1b2c3d4 $X ${Y} <x> ; & \t 密码 ："
)
WORDS = st.sampled_from(sorted(set(PIECES.split(" "))))
WORD_LINES = st.lists(WORDS | st.text(max_size=6), max_size=14).map(" ".join) | st.lists(WORDS, max_size=10).map("".join)


@settings(max_examples=400, deadline=None)
@given(st.lists(WORD_LINES, max_size=8))
def test_redaction_is_idempotent_and_never_raises(lines: list[str]) -> None:
    """Any lines: no error, the same number of lines, and a second pass changes nothing."""
    lines = [line.replace("\n", " ") for line in lines]

    once = redact_lines(lines)

    assert len(lines) == len(once)
    assert once == redact_lines(once)


@settings(max_examples=200, deadline=None)
@given(st.text())
def test_any_text_is_survived(text: str) -> None:
    """Any text at all, lone surrogates included, passes through without an error."""
    lines = text.split("\n")

    assert len(lines) == len(redact_lines(lines))


HOSTILE = [
    *(
        "a:a",
        "password=",
        "://a:",
        "token: ",
        '"password":"',
        "eyJ-",
        ")",
        "aaaa",
        "-p ",
        "curl -u ",
        '{"data":{',
        "\\",
        "bearer ",
    ),
    *('"kind":"Secret"', "<token>", "jdbc:oracle:a:b/", "name: ", "-----BEGIN RSA PRIVATE KEY-----", "identified by '", "a@tcp("),
    *("api key", ", ", "' \\\"", "auth.", "key-key_", "{password:", '"secret":{'),
]


@pytest.mark.parametrize("piece", HOSTILE)
def test_hostile_lines_take_bounded_time(piece: str) -> None:
    """A line of 64 KiB made of one piece over and over is read; a pattern that backtracks would not end."""
    line = "password token @tcp( " + piece * (65_000 // len(piece)) + "x"

    assert 2 == len(redact_lines([line, line[:16_000]]))
