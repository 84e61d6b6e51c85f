"""``awnas data``: files are fetched with a checksum, unpacked without surprises, and a layout is looked at."""

from __future__ import annotations

import functools
import gzip
import hashlib
import http.server
import io
import tarfile
import threading
import zipfile

import pytest
from typer.testing import CliRunner

from awnas_core.errors import DataError
from awnas_training.data import files
from awnas_training.data.command import app
from awnas_training.data.sources import SOURCES, DataSource, RemoteFile


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@pytest.fixture
def web(tmp_path_factory):
    """A folder, and the address at which a server on this machine offers it."""
    folder = tmp_path_factory.mktemp("web")
    handler = functools.partial(_Quiet, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def md5(content):
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def tar(entries):
    """Return a gzipped tar of name → text."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, text in entries.items():
            info = tarfile.TarInfo(name)
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text.encode()))
    return packed.getvalue()


def zipped(entries):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, text in entries.items():
            archive.writestr(name, text)
    return packed.getvalue()


def offer(web, name, content, folder=""):
    """Put a file on the server and return where to get it."""
    root, address = web
    (root / name).write_bytes(content)
    return RemoteFile(address + name, md5(content), folder)


@pytest.fixture
def source(web, monkeypatch):
    """A data set ``small`` of a tar, a gzipped file in a folder of its own, and a plain file."""
    parts = (
        offer(web, "images.tar.gz", tar({"images/a.txt": "A", "images/b.txt": "B"})),
        offer(web, "labels.gz", gzip.compress(b"labels"), "raw"),
        offer(web, "names.txt", b"names"),
    )
    monkeypatch.setitem(SOURCES, "small", DataSource(parts, ("images/a.txt", "raw/labels", "names.txt")))
    return parts


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("AWNAS_DATA", str(tmp_path))
    return tmp_path / "small"


def awnas_data(*words):
    return CliRunner().invoke(app, words)


def test_get_downloads_unpacks_and_checks(source, home):
    done = awnas_data("get", "small")
    assert done.exit_code == 0
    assert f"small: complete in {home}" in done.output
    assert source[0].url in done.output
    assert (home / "images" / "b.txt").read_text() == "B"
    assert (home / "raw" / "labels").read_text() == "labels"
    assert (home / "names.txt").read_text() == "names"
    assert awnas_data("check", "small").exit_code == 0


def test_get_fetches_nothing_that_is_there_already(source, home, web):
    awnas_data("get", "small")
    for part in web[0].iterdir():
        part.unlink()
    assert awnas_data("get", "small").exit_code == 0


def test_prepare_works_from_files_that_somebody_else_fetched(source, home, web):
    for part in source:
        (home / part.folder).mkdir(parents=True, exist_ok=True)
        (home / part.folder / part.name).write_bytes((web[0] / part.name).read_bytes())
    assert awnas_data("prepare", "small").exit_code == 0
    assert (home / "images" / "a.txt").read_text() == "A"


def test_check_names_what_is_missing_and_how_to_get_it(source, home):
    awnas_data("get", "small")
    (home / "images" / "a.txt").unlink()
    error = awnas_data("check", "small").exception
    assert isinstance(error, DataError)
    assert "images/a.txt missing; try: awnas data get small" in str(error)
    assert "names.txt" not in str(error)


def test_an_unknown_data_set_gets_a_suggestion(source):
    error = awnas_data("get", "smal").exception
    assert isinstance(error, DataError)
    assert "did you mean 'small'" in str(error)


def test_another_file_than_expected_is_refused_and_leaves_nothing(web, tmp_path):
    file = offer(web, "data.bin", b"right")
    (web[0] / "data.bin").write_bytes(b"wrong")
    with pytest.raises(DataError, match=rf"has MD5 {md5(b'wrong')}, expected {md5(b'right')}"):
        files.download(file, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_was_cut_short_is_fetched_again(web, tmp_path):
    file = offer(web, "data.bin", b"whole")
    (tmp_path / "data.bin").write_bytes(b"who")
    assert files.download(file, tmp_path).read_bytes() == b"whole"


def test_a_file_that_cannot_be_fetched_says_how_to_do_it_by_hand(web, tmp_path):
    with pytest.raises(DataError, match=r"cannot fetch .*absent.*by hand into .*then run awnas data prepare"):
        files.download(RemoteFile(web[1] + "absent", "0" * 32), tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "content"),
    [("evil.tar.gz", tar({"../outside.txt": "x"})), ("evil.zip", zipped({"../outside.txt": "x"}))],
)
def test_an_archive_that_leads_outside_is_not_unpacked(tmp_path, name, content):
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / name).write_bytes(content)
    with pytest.raises(DataError, match=r"outside"):
        files.unpack(RemoteFile(name, ""), folder)
    assert not (tmp_path / "outside.txt").exists()


TEXT = "".join(map(str, range(5000)))
ARCHIVES = {
    "a.tar.gz": tar({"a.txt": TEXT}),
    "a.zip": zipped({"a.txt": TEXT}),
    "a.gz": gzip.compress(TEXT.encode()),
}


DAMAGE = [
    (name, damage) for name in ARCHIVES for damage in ("cut short", "another byte", "no archive at all")
]
DAMAGE.remove(("a.tar.gz", "another byte"))  # tarfile leaves that to the checksum of the download


@pytest.mark.parametrize(("name", "damage"), DAMAGE)
def test_a_damaged_archive_says_to_fetch_it_again(tmp_path, name, damage):
    content = bytearray(ARCHIVES[name])
    if damage == "cut short":
        del content[len(content) // 2 :]
    elif damage == "another byte":
        content[len(content) // 2] ^= 0xFF
    else:
        content = b"<html>"
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=r"cannot be unpacked.*remove it and run awnas data get"):
        files.unpack(RemoteFile(name, ""), tmp_path)
    assert not list(tmp_path.glob(".part-*"))


def test_an_archive_that_is_missing_is_named(tmp_path):
    with pytest.raises(DataError, match=r"here\.zip' is missing; run awnas data get"):
        files.unpack(RemoteFile("not/here.zip", ""), tmp_path)


def test_validation_images_of_tiny_imagenet_move_into_folders_by_class(web, tmp_path, monkeypatch):
    inside = {
        "tiny-imagenet-200/wnids.txt": "n1\nn2\n",
        "tiny-imagenet-200/train/n1/images/n1_0.JPEG": "train",
        "tiny-imagenet-200/val/images/val_0.JPEG": "first",
        "tiny-imagenet-200/val/images/val_1.JPEG": "second",
        "tiny-imagenet-200/val/val_annotations.txt": "val_0.JPEG\tn2\t0\t0\t9\t9\nval_1.JPEG\tn1\t0\t0\t9\t9\n",
    }
    archive = offer(web, "tiny-imagenet-200.zip", zipped(inside))
    known = SOURCES["tiny-imagenet"]
    monkeypatch.setitem(SOURCES, "tiny-imagenet", DataSource((archive,), known.layout, known.prepare))
    monkeypatch.setenv("AWNAS_DATA", str(tmp_path))
    for _ in range(2):  # what is arranged already stays so
        assert awnas_data("get", "tiny-imagenet").exit_code == 0
        root = tmp_path / "tiny-imagenet"
        assert (root / "val" / "n2" / "val_0.JPEG").read_text() == "first"
        assert (root / "val" / "n1" / "val_1.JPEG").read_text() == "second"
        assert not (root / "val" / "images").exists()
        assert awnas_data("prepare", "tiny-imagenet").exit_code == 0


def test_every_source_states_a_checksum_and_a_layout():
    for source in (SOURCES[name] for name in SOURCES):
        assert source.layout
        for file in source.files:
            assert len(bytes.fromhex(file.md5)) == 16
            assert file.url.startswith("http")
