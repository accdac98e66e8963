"""Parts of a survey: what was stored is read back, in order, once, whatever happened in between."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nas.errors import InputError
from nas.space.space import Space
from nas.store import survey_parts as module
from nas.store.survey_parts import Parts, list_parts, read_identity, read_rows, schema_of

IDENTITY = {"seed": 3, "metric": "accuracy"}
PARAMETERS = {name: domain.kind for name, domain in Space().domains().items()}
SCHEMA = schema_of(PARAMETERS)


def row(number: int, replicate: int = 0, **fields: Any) -> dict[str, Any]:
    return {"number": number, "replicate": replicate, "value": number / 7, "param_family": "erdos-renyi", **fields}


def append(parts: Parts, n_wirings: int, per_wiring: int = 2) -> None:
    first = parts.n_wirings
    parts.append(n_wirings, [row(first + i, j) for i in range(n_wirings) for j in range(per_wiring)])


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def numbers(folder: Path) -> list[tuple[int, int]]:
    table = read_rows(list_parts(folder))
    return list(zip(table["number"].to_pylist(), table["replicate"].to_pylist(), strict=True))


def expected(n_wirings: int, per_wiring: int = 2) -> list[tuple[int, int]]:
    return [(i, j) for i in range(n_wirings) for j in range(per_wiring)]


def test_what_is_stored_is_read_back_with_types_and_nulls(tmp_path: Path):
    full: dict[str, Any] = {}
    for field in SCHEMA:
        full[field.name] = (
            "text"
            if field.type == pa.string()
            else True
            if field.type == pa.bool_()
            else 0.1 + 0.2
            if field.type == pa.float64()
            else 2**31 - 1
        )
    full |= {"number": 0}
    rows = [full, row(1)]
    Parts(tmp_path / "parts", IDENTITY, 1, PARAMETERS).append(2, rows)
    assert names(tmp_path / "parts") == ["part-000000000-000000001.parquet"]
    table = read_rows(list_parts(tmp_path / "parts"))
    assert table.schema == SCHEMA
    assert table.to_pylist() == [full, {**dict.fromkeys(SCHEMA.names), **row(1)}]
    assert read_identity(list_parts(tmp_path / "parts")[0]) == IDENTITY


def test_any_reader_of_parquet_reads_the_folder(tmp_path: Path):
    parts = Parts(tmp_path, IDENTITY, 2, PARAMETERS)
    append(parts, 2)
    append(parts, 3)
    (tmp_path / ".0123456789abcdef0123456789abcdef.tmp").write_text("half")
    assert pq.read_table(tmp_path)["number"].to_pylist() == [number for number, _ in expected(5)]


def test_the_columns_are_those_of_the_space():
    assert module.FORMAT == 2
    assert " ".join(SCHEMA.names) == (
        "number replicate learning_rate param_family param_n param_degree param_p param_initial param_orientation "
        "param_attachment param_graph_seed param_order_seed param_attach_seed fingerprint n_hidden n_edges n_layers "
        "n_sources n_sinks degree n_parameters value validation_loss test diverged steps epochs seconds engine "
        "versions error"
    )


def test_an_empty_folder_holds_no_rows(tmp_path: Path):
    assert Parts(tmp_path / "a" / "b", IDENTITY, 1, PARAMETERS).n_wirings == 0
    for folder in (tmp_path / "a" / "b", tmp_path / "missing"):
        assert list_parts(folder) == []
    assert read_rows([]).schema == schema_of({})
    assert read_rows([], ["value", "number"]).schema.names == ["value", "number"]


def test_columns_are_read_in_the_order_that_is_asked_for(tmp_path: Path):
    append(Parts(tmp_path, IDENTITY, 2, PARAMETERS), 1)
    assert read_rows(list_parts(tmp_path), ["value", "number"]).to_pylist() == [{"value": 0.0, "number": 0}] * 2


def test_columns_follow_from_the_parameters():
    own = schema_of({"family": str, "q": float, "depth": int})
    assert [name for name in own.names if name.startswith("param_")] == ["param_family", "param_q", "param_depth"]
    assert own.field("param_q").type == pa.float64()
    assert own.field("param_depth").type == pa.int64()


def test_a_column_that_is_not_known_does_not_vanish(tmp_path: Path):
    parts = Parts(tmp_path, IDENTITY, 1, PARAMETERS)
    with pytest.raises(ValueError, match="rows have columns that the survey has not: param_q"):
        parts.append(1, [row(0, param_q=0.5)])
    assert names(tmp_path) == []


def rewritten(path: Path, change: Callable[[pa.Table], pa.Table], version: int) -> None:
    """Write a part as another version would have."""
    metadata = {b"wirenas": json.dumps({"format": version, **IDENTITY}).encode()}
    pq.write_table(change(pq.read_table(path)).replace_schema_metadata(metadata), path)


def test_parts_of_other_versions_are_read_and_gone_on_with(tmp_path: Path):
    (path,) = grown(tmp_path, 2)
    rewritten(path, lambda table: table.drop_columns(["epochs", "param_p"]), 1)
    assert read_rows(list_parts(tmp_path), ["number", "epochs"])["epochs"].null_count == 4
    append(Parts(tmp_path, IDENTITY, 2, PARAMETERS), 1)
    assert "epochs" in pq.read_table(list_parts(tmp_path)[-1].path).column_names
    rewritten(path, lambda table: table.append_column("later", pa.array([1] * 4)), 2)
    rows = read_rows(list_parts(tmp_path))
    assert rows["later"].to_pylist() == [1] * 4 + [None] * 2
    assert numbers(tmp_path) == expected(3)
    Parts(tmp_path, IDENTITY, 2, PARAMETERS).merge()
    assert read_rows(list_parts(tmp_path))["later"].to_pylist() == [1] * 4 + [None] * 2


def test_too_few_rows_are_refused(tmp_path: Path):
    with pytest.raises(ValueError, match="1 rows: 1 wirings have 2"):
        Parts(tmp_path, IDENTITY, 2, PARAMETERS).append(1, [row(0)])
    assert names(tmp_path) == []


def test_another_process_goes_on_where_the_last_one_ended(tmp_path: Path):
    for n_wirings in (2, 1, 4):
        append(Parts(tmp_path, IDENTITY, 2, PARAMETERS), n_wirings)
    assert [(part.first, part.last) for part in list_parts(tmp_path)] == [(0, 1), (2, 2), (3, 6)]
    assert numbers(tmp_path) == expected(7)


# What does not belong there


def grown(folder: Path, *sizes: int) -> list[Path]:
    for size in sizes:
        append(Parts(folder, IDENTITY, 2, PARAMETERS), size)
    return [part.path for part in list_parts(folder)]


@pytest.mark.parametrize("name", ["rows.parquet", "part-0-1.parquet", "part-000000009-000000008.parquet", "notes.txt"])
def test_a_foreign_file_is_named(tmp_path: Path, name: str):
    grown(tmp_path, 2)
    (tmp_path / name).write_bytes(b"")
    for read in (lambda: list_parts(tmp_path), lambda: Parts(tmp_path, IDENTITY, 2, PARAMETERS)):
        with pytest.raises(InputError, match=f"{name}: not a part of a survey"):
            read()
    assert (tmp_path / name).exists()


def test_missing_wirings_are_named(tmp_path: Path):
    paths = grown(tmp_path, 2, 3, 1)
    paths[1].unlink()
    with pytest.raises(InputError, match="wirings 2 to 4 are missing"):
        list_parts(tmp_path)
    paths[0].unlink()
    with pytest.raises(InputError, match="wirings 0 to 4 are missing"):
        Parts(tmp_path, IDENTITY, 2, PARAMETERS)


def test_a_single_wiring_that_is_missing_is_named(tmp_path: Path):
    grown(tmp_path, 2, 1, 1)[1].unlink()
    with pytest.raises(InputError, match="wirings 2 to 2 are missing"):
        list_parts(tmp_path)


def test_wirings_in_two_parts_are_named(tmp_path: Path):
    paths = grown(tmp_path, 2, 3)
    paths[1].rename(tmp_path / "part-000000001-000000004.parquet")
    with pytest.raises(InputError, match=r"wirings 1 to 1 are in part-000000000-000000001\.parquet too"):
        list_parts(tmp_path)
    assert len(names(tmp_path)) == 2


def test_a_part_with_other_rows_than_its_name_says_is_named(tmp_path: Path):
    paths = grown(tmp_path, 2, 3)
    paths[1].rename(tmp_path / "part-000000002-000000005.parquet")
    with pytest.raises(InputError, match="6 rows where 8 belong"):
        Parts(tmp_path, IDENTITY, 2, PARAMETERS)


@pytest.mark.parametrize("damage", ["cut", "text", "page", "plain", "newer", "column"])
def test_a_part_that_cannot_be_read_is_named(tmp_path: Path, damage: str):
    (path,) = grown(tmp_path, 2)
    table = pq.read_table(path)
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-9])
    elif damage == "text":
        path.write_text("not Parquet")
    elif damage == "page":
        content = path.read_bytes()
        path.write_bytes(content[:4] + bytes(200) + content[204:])
    elif damage == "plain":
        pq.write_table(table.replace_schema_metadata(None), path)
    elif damage == "newer":
        pq.write_table(table.replace_schema_metadata({b"wirenas": b'{"format": 3}'}), path)
    else:
        pq.write_table(table.drop_columns(["value"]), path)
    before = path.read_bytes()
    # The pages are read with the rows only.
    opening = [] if damage == "page" else [lambda: Parts(tmp_path, IDENTITY, 2, PARAMETERS)]
    for read in (lambda: read_rows(list_parts(tmp_path)), *opening):
        with pytest.raises(InputError, match=r"part-000000000-000000001\.parquet: ") as caught:
            read()
        assert "\n" not in str(caught.value)
    assert path.read_bytes() == before


# Merging


def test_neighbours_are_merged_up_to_so_many_rows(tmp_path: Path):
    parts = Parts(tmp_path, IDENTITY, 2, PARAMETERS)
    for size in (3, 1, 1, 9, 2, 2):
        append(parts, size)
    parts.merge(most_rows=10)
    assert [(part.first, part.last) for part in list_parts(tmp_path)] == [(0, 4), (5, 13), (14, 17)]
    assert numbers(tmp_path) == expected(18)
    assert {str(read_identity(part)) for part in list_parts(tmp_path)} == {str(IDENTITY)}
    append(parts, 1)
    parts.merge()
    assert names(tmp_path) == ["part-000000000-000000018.parquet"]
    assert numbers(tmp_path) == expected(19)
    stamp = (tmp_path / names(tmp_path)[0]).stat().st_mtime_ns
    Parts(tmp_path, IDENTITY, 2, PARAMETERS).merge()
    assert (tmp_path / names(tmp_path)[0]).stat().st_mtime_ns == stamp


def test_a_merged_part_has_no_more_rows_than_asked_for(tmp_path: Path):
    grown(tmp_path, 3, 1, 1, 1)
    Parts(tmp_path, IDENTITY, 2, PARAMETERS).merge(most_rows=10)
    assert [(part.first, part.last) for part in list_parts(tmp_path)] == [(0, 4), (5, 5)]


def test_small_parts_do_not_pile_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "SMALL_ROWS", 20)
    monkeypatch.setattr(module, "_MOST_SMALL", 4)
    parts = Parts(tmp_path, IDENTITY, 2, PARAMETERS)
    for wirings in range(1, 60):
        append(parts, 1)
        assert len(names(tmp_path)) <= 2 * wirings // 20 + 3
        assert numbers(tmp_path) == expected(wirings)


class KilledError(BaseException):
    """Nothing catches it, as nothing catches a kill."""


@pytest.mark.parametrize("survivors", range(4))
def test_a_kill_while_merged_parts_are_removed_loses_and_doubles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, survivors: int
):
    grown(tmp_path, 2, 1, 3)
    parts = Parts(tmp_path, IDENTITY, 2, PARAMETERS)
    left = [None] * (3 - survivors)
    unlink = Path.unlink

    def dying(path: Path, missing_ok: bool = False) -> None:
        if path.suffix == ".parquet":
            if not left:
                raise KilledError
            left.pop()
        unlink(path, missing_ok=missing_ok)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", dying)
        if survivors:
            with pytest.raises(KilledError):
                parts.merge()
        else:
            parts.merge()
    assert len(names(tmp_path)) == 1 + survivors
    assert numbers(tmp_path) == expected(6)
    again = Parts(tmp_path, IDENTITY, 2, PARAMETERS)
    assert names(tmp_path) == ["part-000000000-000000005.parquet"]
    append(again, 1)
    assert numbers(tmp_path) == expected(7)


def test_a_kill_before_the_merged_part_is_there_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    before = grown(tmp_path, 2, 1, 3)

    def die(*_: Any, **__: Any) -> None:
        raise KilledError

    parts = Parts(tmp_path, IDENTITY, 2, PARAMETERS)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", die)
        patch.setattr(Path, "unlink", die)
        with pytest.raises(KilledError):
            parts.merge()
    assert len(names(tmp_path)) == 4
    assert numbers(tmp_path) == expected(6)
    Parts(tmp_path, IDENTITY, 2, PARAMETERS)
    assert [part.path for part in list_parts(tmp_path)] == before
    assert len(names(tmp_path)) == 3


@settings(deadline=None, max_examples=25)
@given(
    sizes=st.lists(st.integers(1, 5), min_size=1, max_size=8),
    merges=st.lists(st.integers(0, 30), max_size=4),
    per_wiring=st.integers(1, 3),
)
def test_rows_stay_the_same_whatever_is_merged(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], merges: list[int], per_wiring: int
):
    folder = tmp_path_factory.mktemp("parts")
    parts = Parts(folder, IDENTITY, per_wiring, PARAMETERS)
    for index, size in enumerate(sizes):
        append(parts, size, per_wiring)
        if index < len(merges):
            parts.merge(merges[index])
    assert numbers(folder) == expected(sum(sizes), per_wiring)
    assert Parts(folder, IDENTITY, per_wiring, PARAMETERS).n_wirings == sum(sizes)
