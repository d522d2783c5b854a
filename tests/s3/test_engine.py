"""Which engine sends the requests, and its way to the server: certificates and proxies."""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from frogmove import engine as engines
from frogmove.client import Client
from frogmove.config import Config
from frogmove.engine import Engine
from frogmove.errors import UsageError
from frogmove.s3 import timeouts
from frogmove.s3.errors import Kind
from frogmove.s3.limits import Limits
from frogmove.s3.models import Copy
from tests.canned_server import XML
from tests.factories import an_object, md5
from tests.s3.contract_cases import refusal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from frogmove.s3.crt import CrtS3


COPY = Copy("external", an_object("a"), "internal", "a")

COPIED = f'{XML}<CopyObjectResult><ETag>"{md5(b"x")}"</ETag></CopyObjectResult>'


# The way there


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of 127.0.0.1 that nobody has signed, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "frogmove's tests")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
            ),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "certificate.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    path.with_suffix(".key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


@contextmanager
def over_tls(certificate: Path) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_PUT(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(COPIED)))
            self.end_headers()
            self.wfile.write(COPIED.encode())

        def log_message(self, *args: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *args: Any) -> None:
            pass

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_suffix(".key"))
    with Server(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"https://localhost:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def tunnels() -> Iterator[tuple[str, list[str]]]:
    """Run a proxy that takes CONNECT and nothing else."""
    asked: list[str] = []

    def pump(one: socket.socket, other: socket.socket) -> None:
        try:
            while data := one.recv(65536):
                other.sendall(data)
        except OSError:
            pass
        finally:
            other.close()

    def serve(connection: socket.socket) -> None:
        words = connection.recv(65536).decode().split(" ")
        asked.append(f"{words[0]} {words[1]}")
        host, _, port = words[1].rpartition(":")
        onward = socket.create_connection((host, int(port)))
        connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        threading.Thread(target=pump, args=(onward, connection), daemon=True).start()
        pump(connection, onward)

    def accept() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", asked


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize("engine", ["boto3", "crt"])
@pytest.mark.parametrize("variable", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"])
def test_certificate_is_trusted_only_where_its_bundle_is_named(
    monkeypatch: pytest.MonkeyPatch, certificate: Path, engine: str, variable: str
) -> None:
    monkeypatch.setattr(timeouts, "HANDSHAKE", 1.0)
    with over_tls(certificate) as endpoint_url:
        config = Config(endpoint_url=endpoint_url, engine=engine)
        stranger = Client(config, Limits(attempts=1))
        problem = refusal(stranger.s3.copy(COPY).exception())
        assert (problem.kind, problem.code) == (Kind.UNREACHABLE, "SSLError")
        assert "self-signed certificate" in problem.message
        stranger.close()
        monkeypatch.setenv(variable, str(certificate))
        friend = Client(config, Limits(attempts=1))
        assert friend.s3.copy(COPY).result().etag == md5(b"x")
        friend.close()


@pytest.mark.usefixtures("credentials")
def test_https_goes_through_a_proxy_in_a_tunnel(
    monkeypatch: pytest.MonkeyPatch, certificate: Path
) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", str(certificate))
    with over_tls(certificate) as endpoint_url, tunnels() as (proxy, asked):
        monkeypatch.setenv("HTTPS_PROXY", proxy)
        config = Config(endpoint_url=endpoint_url, engine="crt")
        engine = Client(config, Limits(attempts=1))
        assert engine.s3.copy(COPY).result().etag == md5(b"x")
        engine.close()
    assert asked == [f"CONNECT {endpoint_url.removeprefix('https://')}"]


# Which engine


@pytest.mark.usefixtures("credentials")
def test_auto_engine_is_crt_and_says_so() -> None:
    made = Client(Config(endpoint_url="http://127.0.0.1:9"), Limits(), Engine.AUTO)
    assert made.engine == "crt"
    made.close()
    chosen = Config(endpoint_url="http://127.0.0.1:9", engine="boto3")
    made = Client(chosen, Limits(), Engine.AUTO)
    assert made.engine.startswith("boto3")
    made.close()


@pytest.mark.usefixtures("credentials")
def test_auto_engine_is_boto3_where_awscrt_is_missing_and_says_why(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing(*_: object) -> CrtS3:
        raise ImportError("No module named 'awscrt'")

    monkeypatch.setattr(engines, "_crt_engine", missing)
    made = Client(Config(endpoint_url="http://127.0.0.1:9"), Limits(), Engine.AUTO)
    assert made.engine.startswith("boto3")
    assert "awscrt" in made.engine
    made.close()
    with pytest.raises(UsageError, match="awscrt"):
        Client(Config(endpoint_url="http://127.0.0.1:9", engine="crt"), Limits())
    with pytest.raises(UsageError, match="curl"):
        Client(Config(endpoint_url="http://127.0.0.1:9", engine="curl"), Limits())


@pytest.mark.usefixtures("credentials")
def test_certificates_that_awscrt_cannot_read_are_left_to_boto3(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bundle = tmp_path / "bundle.pem"
    bundle.write_text("no certificate\n")
    monkeypatch.setenv("AWS_CA_BUNDLE", str(bundle))
    made = Client(Config(endpoint_url="https://127.0.0.1:9"), Limits(), Engine.AUTO)
    assert made.engine.startswith("boto3")
    assert str(bundle) in made.engine
    made.close()


@pytest.mark.usefixtures("credentials")
@pytest.mark.parametrize("engine", ["boto3", "crt"])
def test_system_without_threads_is_reported_in_one_sentence(
    engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    made = Client(Config(endpoint_url="http://127.0.0.1:9", engine=engine), Limits(attempts=1))
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        asked = made.s3.list_page("bucket", "")
    assert isinstance(asked.exception(), UsageError)
    assert "no more threads" in str(asked.exception())
