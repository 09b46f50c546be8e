"""Small tables that once took gigabytes or minutes: refused by what they claim, or read folded."""

from __future__ import annotations

import io
import time
import zipfile
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.planting.bounds import peak_of

from headtohead.core.errors import ManifestError, UsageError
from headtohead.core.safety.limits import ENVIRONMENT, LIMITS, limit, parse_limits
from headtohead.core.tables.parquet import read_parquet_frame
from headtohead.data.listing.table_reader import parse_table
from headtohead.evaluate.external.files import read_prediction_file

MIB = 1 << 20


def _parquet(table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()


class TestParquet:
    def test_rows_are_refused_before_they_are_read(self) -> None:
        rows = pa.table({"path": pa.array(["a"] * 6_000_000)})
        content = _parquet(rows)
        assert len(content) < 100_000

        def read() -> None:
            with pytest.raises(
                ManifestError, match=r"6,000,000 rows; the limit is 5,000,000 \(--limit table-rows"
            ):
                parse_table("p.parquet", content)

        assert peak_of(read) < 5 * MIB

    def test_cells_are_counted_over_columns(self) -> None:
        table = pa.table({f"c{i}": pa.array([0] * 600_000, pa.int8()) for i in range(20)})
        with pytest.raises(ManifestError, match="12,000,000 cells"):
            parse_table("p.parquet", _parquet(table))

    def test_one_cell_of_many_megabytes(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(ENVIRONMENT, f"table-unfolded-bytes={4 * MIB}")
        content = _parquet(pa.table({"path": pa.array(["a" * (8 * MIB)])}))
        assert len(content) < 10_000
        with pytest.raises(ManifestError, match="claims to unfold"):
            parse_table("p.parquet", content)

    @pytest.mark.parametrize("reader", [parse_table, read_parquet_frame])
    def test_a_long_cell_that_repeats(self, reader: object) -> None:
        """Folded it is a dictionary with one entry; unfolded these are 2 GiB."""
        column = pa.array(["a" * MIB]).dictionary_encode()
        many = pa.DictionaryArray.from_arrays(pa.array([0] * 2000, pa.int32()), column.dictionary)
        content = _parquet(pa.table({"path": many.cast(pa.dictionary(pa.int32(), pa.string()))}))
        assert len(content) < 50_000
        with pytest.raises(ManifestError, match="repeats its cells to 2,097,152,000 bytes"):
            reader("p.parquet", content)  # type: ignore[operator]

    def test_a_sound_table_is_what_pandas_reads(self) -> None:
        frame = pd.DataFrame(
            {
                "path": ["a.png", "b.png", None],
                "n": [1, 2, 3],
                "x": [0.5, None, 2.0],
                "when": pd.to_datetime(["2020-01-01", "2020-05-06", "2021-02-03"]),
                "flag": [True, False, True],
            }
        )
        content = frame.to_parquet(index=False)
        assert content is not None
        pd.testing.assert_frame_equal(
            read_parquet_frame("p.parquet", content), pd.read_parquet(io.BytesIO(content))
        )
        read = parse_table("p.parquet", content)
        assert read.columns == ("path", "n", "x", "when", "flag")
        assert read.rows[0] == ("a.png", "1", "0.5", "2020-01-01 00:00:00", "True")
        assert read.rows[1][0] == "b.png"
        assert read.rows[2][:2] == ("", "3")

    def test_dates_and_text_that_python_does_not_hold(self) -> None:
        far = pa.array([2**60], pa.int64()).cast(pa.timestamp("us"))
        broken = pa.array([b"\xff\xfe"], pa.binary()).view(pa.string())
        for column in (far, broken):
            table = pa.table({"path": column})
            with pytest.raises(ManifestError, match=r"p\.parquet is not a readable Parquet file"):
                parse_table("p.parquet", _parquet(table))
        with pytest.raises(ManifestError, match=r"p\.parquet is not a readable Parquet file"):
            read_parquet_frame("p.parquet", _parquet(pa.table({"path": broken})))

    def test_predictions_of_another_run(self, tmp_path: Path) -> None:
        path = tmp_path / "predictions.parquet"
        path.write_bytes(_parquet(pa.table({"sample": pa.array(["a"] * 6_000_000)})))
        with pytest.raises(ManifestError, match="6,000,000 rows"):
            read_prediction_file(path)


def test_a_nul_in_a_name_is_refused(tmp_path: Path) -> None:
    """NumPy strips it from the end of a text, so that the look-up of the sample failed."""
    from headtohead.evaluate.external_predictions import read_predictions

    frame = pd.DataFrame(
        {"sample": ["a\0", "b", "c", "d"], "label": ["no", "yes"] * 2, "score": [0.1, 0.9, 0.2, 0.7]}
    )
    frame.to_parquet(tmp_path / "p.parquet", index=False)
    with pytest.raises(ManifestError, match="NUL character"):
        read_predictions([tmp_path / "p.parquet"])


class TestText:
    def test_many_columns_take_linear_time(self) -> None:
        header = ",".join(f"c{i}" for i in range(19_000))
        began = time.process_time()
        table = parse_table("t.csv", f"{header}\n{header}\n".encode())
        assert len(table.columns) == 19_000
        assert time.process_time() - began < 20

    def test_more_columns_are_refused(self) -> None:
        header = ",".join(f"c{i}" for i in range(100_000))
        with pytest.raises(
            ManifestError, match=r"100,000 columns; the limit is 20,000 \(--limit table-columns"
        ):
            parse_table("t.csv", f"{header}\n".encode())

    @pytest.mark.parametrize("name", ["t.csv", "t.jsonl"])
    def test_cells_are_counted_before_they_are_parsed(
        self, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv(ENVIRONMENT, "table-cells=1000")
        with pytest.raises(ManifestError, match="cells; the limit is 1,000"):
            parse_table(name, b"a,b\n" + b"1,2\n" * 600 if name == "t.csv" else b'{"a":1}\n' * 600)

    def test_records_without_a_common_column(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A thousand records with a column each of its own would be a million cells."""
        monkeypatch.setenv(ENVIRONMENT, "table-cells=100000")
        text = "\n".join(f'{{"c{i}": 1}}' for i in range(1000))
        with pytest.raises(ManifestError, match="1,000,000 cells"):
            parse_table("t.jsonl", text.encode())

    @pytest.mark.parametrize("text", ['[{"path": "\\ud800.png"}]', '{"la\\uDC00bel": ["a"]}'])
    def test_half_a_surrogate_pair_is_refused(self, text: str) -> None:
        """JSON can spell it, no file can hold it: what is written later would fail."""
        with pytest.raises(ManifestError, match=r"t\.json holds a character that is no Unicode text"):
            parse_table("t.json", text.encode())

    def test_a_whole_surrogate_pair_is_one_character(self) -> None:
        assert parse_table("t.json", b'[{"path": "\\ud83d\\ude00.png"}]').rows == (("\U0001f600.png",),)

    def test_bytes(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv(ENVIRONMENT, "table-bytes=10")
        with pytest.raises(ManifestError, match="the limit is 10"):
            parse_table("t.csv", b"path,label\na,b\n")
        (tmp_path / "p.csv").write_bytes(b"sample,label\na,b\n")
        with pytest.raises(ManifestError, match="the limit is 10"):
            read_prediction_file(tmp_path / "p.csv")


class TestWorkbook:
    def test_a_bomb_is_refused_by_its_directory(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pytest.importorskip("openpyxl")
        monkeypatch.setenv(ENVIRONMENT, f"table-unfolded-bytes={MIB}")
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as book:
            book.writestr("xl/worksheets/sheet1.xml", b"<row/>" * 400_000)
        with pytest.raises(ManifestError, match="claims to unfold"):
            parse_table("t.xlsx", buffer.getvalue())

    def test_a_lonely_cell_far_out_is_counted(self, monkeypatch: pytest.MonkeyPatch) -> None:
        openpyxl = pytest.importorskip("openpyxl")
        monkeypatch.setenv(ENVIRONMENT, "table-cells=5000")
        book, buffer = openpyxl.Workbook(), io.BytesIO()
        book.active.cell(row=900, column=900, value="x")
        book.save(buffer)
        with pytest.raises(ManifestError, match="cells; the limit is 5,000"):
            parse_table("t.xlsx", buffer.getvalue())


class TestLimits:
    def test_every_limit_has_a_default_and_words(self) -> None:
        assert all(number > 0 and words for number, words in LIMITS.values())

    @pytest.mark.parametrize(
        "text", ["pixels", "pixels=", "pixels=0", "pixels=-1", "pixels=1e9", "pixels=²", "x=1"]
    )
    def test_nonsense_is_refused(self, text: str) -> None:
        with pytest.raises(UsageError):
            parse_limits(text)

    def test_the_environment_raises_a_limit(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(ENVIRONMENT, "pixels=1_000")
        assert limit("pixels") == 1000
        assert limit("frames") == 20_000
