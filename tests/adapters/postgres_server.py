"""A PostgreSQL of the tests' own: made in a folder, with TLS and passwords, started and stopped by the test that needs it."""

import contextlib
import datetime
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PASSWORD = "a password of the tests: @/%"


def binaries() -> Path:
    """Return the folder of initdb and postgres; skip where it is missing, fail there in CI."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    on_path = shutil.which("initdb")
    if found or on_path:
        return found[-1].parent if found else Path(str(on_path)).parent
    if os.environ.get("CI") == "true":
        pytest.fail("PostgreSQL is not installed: apt-get install postgresql")
    pytest.skip("PostgreSQL is not installed")


def unprivileged() -> dict:
    """Return how to start a process that root may not be: as user postgres, else nobody."""
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": []}
    pytest.skip("no user to run PostgreSQL as")


class Server:
    def __init__(self) -> None:
        self.bin, self._as = binaries(), unprivileged()
        self.folder = Path(tempfile.mkdtemp(prefix="lapwing-pg-"))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.certificate = self.folder / "server.crt"
        key, certificate = make_certificate()
        self.certificate.write_bytes(certificate)
        (self.folder / "server.key").write_bytes(key)
        (self.folder / "password").write_text(PASSWORD + "\n")
        for path in (self.folder, *self.folder.iterdir()):
            path.chmod(0o700 if path.is_dir() else 0o600)
            if self._as:
                os.chown(path, self._as["user"], self._as["group"])
        self._run("initdb", "-D", str(self.data), "-U", "lapwing", "--auth=scram-sha-256", f"--pwfile={self.folder / 'password'}",
                  "--encoding=UTF8", "--locale=C", "--no-sync")
        with (self.data / "postgresql.conf").open("a") as file:
            file.write(f"listen_addresses = '127.0.0.1'\nport = {self.port}\nunix_socket_directories = '{self.folder}'\nfsync = off\n"
                       f"ssl = on\nssl_cert_file = '{self.certificate}'\nssl_key_file = '{self.folder / 'server.key'}'\n"
                       "log_statement = 'all'\n")
        self.start()

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def _run(self, name: str, *words: str) -> None:
        done = subprocess.run([self.bin / name, *words], capture_output=True, text=True, cwd="/", **self._as)
        assert done.returncode == 0, done.stdout + done.stderr

    def start(self) -> None:
        with subprocess.Popen([self.bin / "pg_ctl", "-D", self.data, "-l", self.folder / "log", "-w", "-t", "60", "start"], cwd="/",
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **self._as) as starting:
            assert starting.wait() == 0, self.log

    def stop(self) -> None:
        self._run("pg_ctl", "-D", str(self.data), "-m", "immediate", "-w", "stop")

    def url(self, name: str, *, user: str = "lapwing") -> str:
        return f"postgresql://{user}@127.0.0.1:{self.port}/{name}"

    def remove(self) -> None:
        with contextlib.suppress(AssertionError):      # a test stopped it
            self.stop()
        shutil.rmtree(self.folder)


def make_certificate() -> tuple[bytes, bytes]:
    """Return a key and its own certificate for localhost, PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    begin = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    certificate = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
                   .not_valid_before(begin).not_valid_after(begin + datetime.timedelta(days=36_500))
                   .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
                   .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
                   .sign(key, hashes.SHA256()))
    return (key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
            certificate.public_bytes(serialization.Encoding.PEM))
