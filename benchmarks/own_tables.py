"""Tables as users have them: bundled data sets with what goes wrong in real files, written to csv, parquet and npz."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd


def _frame(name: str, **options: Any) -> pd.DataFrame:
    from sklearn import datasets

    bunch = getattr(datasets, f"load_{name}")(as_frame=True, **options)
    frame = bunch.frame
    if hasattr(bunch, "target_names"):
        frame["target"] = [str(bunch.target_names[int(code)]) for code in frame["target"]]
    return frame


def wine(path: Path) -> str:
    """Text labels."""
    _frame("wine").to_csv(path / "wine.csv", index=False)
    return f"csv:{path}/wine.csv"


def iris_parquet(path: Path) -> str:
    """Text labels, in parquet."""
    _frame("iris").to_parquet(path / "iris.parquet", index=False)
    return f"parquet:{path}/iris.parquet"


def cancer_holes(path: Path) -> str:
    """10 % missing values, a constant column and an id."""
    frame = _frame("breast_cancer")
    rng = np.random.default_rng(0)
    inputs = frame.drop(columns="target")
    inputs = inputs.mask(rng.random(inputs.shape) < 0.1)
    inputs.insert(0, "patient_id", rng.permutation(len(inputs)) + 10_000)
    inputs["site"] = "Berlin"
    pd.concat([inputs, frame["target"]], axis=1).to_csv(path / "cancer.csv", index=False)
    return f"csv:{path}/cancer.csv"


def diabetes(path: Path) -> str:
    """Numbers to predict."""
    _frame("diabetes", scaled=False).to_csv(path / "diabetes.csv", index=False)
    return f"csv:{path}/diabetes.csv"


def european(path: Path) -> str:
    """Semicolons, decimal commas, dates with points, umlauts in an old encoding."""
    rng = np.random.default_rng(1)
    n = 300
    size, town = rng.normal(80, 25, n).clip(20), rng.choice(["Köln", "Bonn", "Ulm"], n)
    day = pd.date_range("2019-01-01", periods=n, freq="3D")
    price = 900 * size + 40_000 * (town == "Köln") + 20 * np.arange(n) + rng.normal(0, 9_000, n)
    frame = pd.DataFrame(
        {
            "Größe": [f"{own:.1f}".replace(".", ",") for own in size],
            "Ort": town,
            "Datum": day.strftime("%d.%m.%Y"),
            "Preis": [f"{own:,.2f}".replace(",", " ").replace(".", ",").replace(" ", ".") for own in price],
        }
    )
    frame.to_csv(path / "wohnungen.csv", sep=";", index=False, encoding="cp1252")
    return f"csv:{path}/wohnungen.csv"


def many_classes(path: Path, n: int = 6_000) -> str:
    """300 classes."""
    rng = np.random.default_rng(2)
    centres = rng.normal(size=(300, 8))
    own = rng.integers(0, 300, n)
    frame = pd.DataFrame(centres[own] + rng.normal(0, 0.3, (n, 8)), columns=[f"f{k}" for k in range(8)])
    frame["label"] = [f"class-{code}" for code in own]
    frame.to_csv(path / "many.csv", index=False)
    return f"csv:{path}/many.csv"


def thirty_rows(path: Path) -> str:
    """30 rows."""
    _frame("iris").iloc[::5].to_csv(path / "thirty.csv", index=False)
    return f"csv:{path}/thirty.csv"


def large(path: Path, n: int = 200_000) -> str:
    """200,000 rows, of mixed types."""
    rng = np.random.default_rng(3)
    values = rng.normal(size=(n, 6)).astype(np.float32)
    kind = rng.choice(["a", "b", "c", "d"], n)
    score = values[:, 0] * values[:, 1] + (kind == "b") - 0.5 * values[:, 2] + rng.normal(0, 0.5, n)
    frame = pd.DataFrame(values, columns=[f"v{k}" for k in range(6)])
    frame["kind"], frame["won"] = kind, np.where(score > 0, "yes", "no")
    frame.to_parquet(path / "large.parquet", index=False)
    return f"parquet:{path}/large.parquet"


def reviews(path: Path) -> str:
    """Free text, a column of mixed types, and rare categories."""
    rng = np.random.default_rng(4)
    good, bad = ["great", "lovely", "fine"], ["awful", "broken", "late"]
    stars = rng.integers(1, 6, 400)
    rows = [" ".join(rng.choice(good if own > 3 else bad, 3)) + " item" for own in stars]
    weight = [str(own) for own in rng.integers(1, 500, 400)]
    for place in range(0, 400, 40):
        weight[place] = "unknown weight"
    frame = pd.DataFrame({"text": rows, "weight": weight, "shop": rng.integers(0, 150, 400), "stars": stars})
    frame["shop"] = [f"shop {own}" for own in frame["shop"]]
    frame.to_csv(path / "reviews.csv", index=False)
    return f"csv:{path}/reviews.csv"


BUNDLED: dict[str, tuple[Callable[[Path], str], str]] = {
    "wine": (wine, "target"),
    "iris in parquet": (iris_parquet, "target"),
    "cancer with holes": (cancer_holes, "target"),
    "diabetes": (diabetes, "target"),
    "European decimals": (european, "Preis"),
    "300 classes": (many_classes, "label"),
    "30 rows": (thirty_rows, "target"),
    "reviews": (reviews, "stars"),
    "200,000 rows": (large, "won"),
}
"""Tables that are made here, and their targets."""

SHARED = {
    "Higgs sample": "tabular/higgs-sample/higgs_sample.npz",
    "Japanese vowels": "sequences/japanese-vowels/japanese-vowels.npz",
    "Italy power demand": "sequences/italy-power-demand/italy-power-demand.npz",
}
"""Published files in the folder of shared data."""
