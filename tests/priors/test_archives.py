"""Archives of graphs that are hostile or damaged: each is refused in one line, quickly and without unpacking it."""

import io
import random
import tarfile
import zipfile
from pathlib import Path

import pools_on_disk as disk
import pytest

import priors.archives as archives
from priors import ErdosRenyi, GraphPool
from priors.formats.reading import GraphFileWarning


@pytest.mark.parametrize("kind", disk.KINDS[1:])
@pytest.mark.parametrize("name", ["/etc/a.json", "../a.json", "p/../../a.json", "..\\a.json", "\\a.json"])
def test_members_that_lead_out_of_their_archive_are_refused(name: str, kind: str, tmp_path: Path):
    disk.refused(
        disk.pack(kind, tmp_path, {name: disk.text_of(disk.PATH)}),
        "leads out of its archive",
        f"!{name}".replace("\\", "/"),
    )


@pytest.mark.parametrize("kind", ["zip", "tar", "tgz"])
def test_links_in_archives_are_refused(kind: str, tmp_path: Path):
    def as_link(entry: zipfile.ZipInfo | tarfile.TarInfo) -> zipfile.ZipInfo | tarfile.TarInfo:
        if isinstance(entry, zipfile.ZipInfo):
            entry.external_attr = (0o100644 if entry.filename == "a.json" else 0o120777) << 16
        elif entry.name != "a.json":
            entry.type, entry.linkname, entry.size = tarfile.SYMTYPE, "a.json", 0
        return entry

    disk.refused(
        disk.pack(kind, tmp_path, {"a.json": disk.text_of(disk.PATH), "b.json": b"a.json"}, as_link),
        "is a link",
        "!b.json",
    )
    assert not (tmp_path / "a.json").exists()


@pytest.mark.parametrize("kind", [tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.GNUTYPE_SPARSE])
def test_only_plain_members_of_a_tar_are_read(kind: bytes, tmp_path: Path):
    def changed(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.type, entry.linkname, entry.size = kind, "/etc/passwd", 0
        return entry

    disk.refused(disk.pack("tar", tmp_path, {"a.json": b""}, changed), "only plain files are read", "!a.json")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_names_are_there_once(tmp_path: Path):
    content = disk.text_of(disk.PATH)
    with zipfile.ZipFile(tmp_path / "twice.zip", "w") as archive:
        archive.writestr("a.json", content)
        archive.writestr("./a.json", content)
    disk.refused(tmp_path / "twice.zip", "is there twice", "!a.json")
    with tarfile.open(tmp_path / "twice.tgz", "w:gz") as archive:
        for _ in range(2):
            entry = tarfile.TarInfo("a.json")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    disk.refused(tmp_path / "twice.tgz", "is there twice", "!a.json")


def test_names_cannot_break_a_line(tmp_path: Path):
    for kind in ("zip", "tgz"):
        disk.refused(disk.pack(kind, tmp_path, {"a\n\x1b[31m.json": b"{"}), "is not JSON", r"!a\n\x1b[31m.json")


@pytest.mark.parametrize("kind", ["zip", "tgz"])
def test_bombs_are_not_unpacked(kind: str, tmp_path: Path):
    bomb = disk.pack(kind, tmp_path, {"a.json": b" " * (73 * 2**20)})
    assert bomb.stat().st_size < 2**17
    disk.refused(bomb, "holds more than the 75497472 bytes", "!a.json")


def test_archives_are_bounded_before_their_graphs_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(archives, "MAX_ARCHIVE", 2**20)
    files = {f"{index}.json": b" " * 2**19 for index in range(3)}
    disk.refused(disk.pack("zip", tmp_path, files), "unpacks to 1572864 bytes: at most 1048576 are read")
    for kind in ("tar", "tgz"):
        disk.refused(disk.pack(kind, tmp_path, files), "unpacks to more than the 1048576 bytes")
    (tmp_path / "large").mkdir()
    files = {"a.json": disk.text_of(disk.PATH), "large.bin": b" " * 2**21}
    with pytest.warns(GraphFileWarning, match=r"left out: large\.bin"):
        assert len(GraphPool.read(disk.pack("zip", tmp_path / "large", files))) == 1
    disk.refused(disk.pack("tgz", tmp_path / "large", files), "unpacks to more than the 1048576 bytes")


def test_long_heads_are_refused_unread(tmp_path: Path):
    entry = tarfile.TarInfo("long")
    entry.type, entry.size = tarfile.GNUTYPE_LONGNAME, 2**31
    (tmp_path / "pool.tar").write_bytes(entry.tobuf() + bytes(1024))
    disk.refused(tmp_path / "pool.tar", "tells of a piece of 2147483648 bytes")


def test_sizes_that_lead_backwards_end_the_reading(tmp_path: Path):
    entry = tarfile.TarInfo("a.json")
    head = bytearray(entry.tobuf(tarfile.GNU_FORMAT))
    head[124:136] = b"\xff" * 10 + (2**16 - 512).to_bytes(2, "big")
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    (tmp_path / "pool.tar").write_bytes(entry.tobuf() + bytes(head) + bytes(1024))
    disk.refused(tmp_path / "pool.tar", "is damaged")


def test_heads_of_heads_without_end_are_refused(tmp_path: Path):
    entry = tarfile.TarInfo("long")
    entry.type = tarfile.GNUTYPE_LONGNAME
    (tmp_path / "pool.tar").write_bytes(entry.tobuf() * 5000 + bytes(1024))
    disk.refused(tmp_path / "pool.tar", "is damaged")


def test_encrypted_members_and_other_compressions_are_refused(tmp_path: Path):
    for packing in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        with zipfile.ZipFile(tmp_path / "pool.zip", "w", packing) as archive:
            archive.writestr("a.json", disk.text_of(disk.PATH))
        disk.refused(tmp_path / "pool.zip", "packed otherwise than stored or deflated", "!a.json")
    content = bytearray(disk.pack("zip", tmp_path, {"a.json": disk.text_of(disk.PATH)}).read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "pool.zip").write_bytes(content)
    disk.refused(tmp_path / "pool.zip", "is encrypted", "!a.json")


@pytest.mark.parametrize("kind", disk.KINDS[1:])
def test_archives_that_are_cut_short_are_refused_everywhere(kind: str, tmp_path: Path):
    files = {f"{index}.json": disk.text_of(ErdosRenyi(9, p=0.3).sample(index)) for index in range(4)}
    content = disk.pack(kind, tmp_path, files).read_bytes()
    # A .tar ends with blocks of zeros, of which one is enough.
    whole = content.rstrip(b"\0") if kind == "tar" else content
    blocks = range(512, len(whole), 512) if kind == "tar" else ()
    for length in (*range(0, len(whole), 61), *range(len(whole) - 9, len(whole)), *blocks):
        (tmp_path / f"cut.{kind}").write_bytes(content[:length])
        disk.refused_anywhere(tmp_path / f"cut.{kind}")


def test_a_broken_head_amid_a_tar_does_not_shorten_the_pool(tmp_path: Path):
    path = disk.pack("tar", tmp_path, {f"{index}.json": disk.text_of(disk.PATH) for index in range(4)})
    content = bytearray(path.read_bytes())
    content[content.index(b"2.json")] ^= 1
    path.write_bytes(content)
    disk.refused(path, "is damaged: a member's head is broken")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", disk.KINDS[1:])
def test_damaged_archives_give_a_line_or_a_pool(kind: str, tmp_path: Path):
    files = {f"{'long' * 40 * (index % 2)}{index}.json": disk.text_of(disk.PATH) for index in range(3)}
    content, rng = disk.pack(kind, tmp_path, files).read_bytes(), random.Random(0)
    path, n_refused = tmp_path / f"damaged.{kind}", 0
    for _ in range(400):
        damaged = bytearray(content)
        for _ in range(rng.choice([1, 1, 2, 5])):
            damaged[rng.randrange(len(content.rstrip(b"\0")))] = rng.choice([0, 0xFF, 0x80, rng.randrange(256)])
        path.write_bytes(damaged)
        try:
            GraphPool.read(path)
        except ValueError as error:
            n_refused += 1
            line = str(error)
            assert line.startswith((f"{path}: ", f"{path}!"))
            assert "\n" not in line
            assert not line.endswith(": ")
    assert n_refused > 100
