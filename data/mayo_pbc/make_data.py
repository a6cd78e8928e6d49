"""Convert the Mayo Clinic PBC sequential data to the contract: python data/mayo_pbc/make_data.py.

Keeps the patients whose disease was at stage 4 (cirrhosis) at entry. Study days start at 1, so a
day counted from entry in the source becomes that day plus one.
"""

import hashlib
from pathlib import Path

import pandas as pd

HERE = Path(__file__).resolve().parent
SHA256 = "9b89fb4404e33d7063d40f001cc294a1c21fd88c0e9f92a1baccf54a600f3c79"
WINDOWS = {0: (0, 0, 0), 6: (122, 274, 183), 12: (275, 456, 365), 24: (610, 850, 731)}
"""Month of the visit: first day, last day and the day it is due, counted from entry."""
LABS = {
    "BILI": ("bili", "mg/dL"),
    "ALB": ("albumin", "g/dL"),
    "PT": ("protime", "s"),
    "AST": ("ast", "U/L"),
}


def read_source() -> pd.DataFrame:
    """Return the visits of the stage-4 patients, after checking the file's checksum."""
    path = HERE / "pbcseq.csv"
    seen = hashlib.sha256(path.read_bytes()).hexdigest()
    if seen != SHA256:
        raise ValueError(f"{path.name}: sha256 is {seen}; expected {SHA256}")
    visits = pd.read_csv(path)
    entry = visits[(visits["day"] == 0) & (visits["stage"] == 4)]
    return visits[visits["id"].isin(entry["id"])].assign(
        USUBJID=lambda d: "PBC-" + d["id"].astype(str).str.zfill(3)
    )


def make_adsl(visits: pd.DataFrame) -> pd.DataFrame:
    """Return one row a patient."""
    first = visits.drop_duplicates("id")
    last_day = first["futime"] + 1
    return pd.DataFrame(
        {
            "USUBJID": first["USUBJID"],
            "AGE": first["age"].round(1),
            "SEX": first["sex"].str.upper(),
            "DIAG": "Primary biliary cholangitis",
            "MSCSRC": "NOT APPLICABLE",
            "TRTSDY": "",
            "EOSSTT": first["status"].map({0: "ONGOING", 1: "DISCONTINUED", 2: "DISCONTINUED"}),
            "DCSREAS": first["status"].map({0: "", 1: "LIVER TRANSPLANT", 2: "DEATH"}),
            "EOSDY": last_day,
            "DTHDY": last_day.where(first["status"] == 2).astype("Int64"),
            "LTXDY": last_day.where(first["status"] == 1).astype("Int64"),
            "SAFFL": "N",
            "FASFL": "Y",
        }
    )


def make_adlb(visits: pd.DataFrame) -> pd.DataFrame:
    """Return one row a measurement: of the visits in a window, the one nearest to its due day."""
    tables = []
    for month, (first, last, due) in WINDOWS.items():
        inside = visits[visits["day"].between(first, last)]
        order = inside.assign(distance=(inside["day"] - due).abs())
        nearest = order.sort_values(["id", "distance", "day"]).drop_duplicates("id")
        for code, (column, unit) in LABS.items():
            tables.append(
                pd.DataFrame(
                    {
                        "USUBJID": nearest["USUBJID"],
                        "PARAMCD": code,
                        "AVISIT": f"Month {month}" if month else "Baseline",
                        "AVISITN": month,
                        "ADY": nearest["day"] + 1,
                        "AVAL": nearest[column],
                        "AVALU": unit,
                    }
                ).dropna(subset="AVAL")
            )
    return pd.concat(tables).sort_values(["USUBJID", "AVISITN"], kind="stable")


def write_data(folder: Path) -> None:
    """Write adsl.csv and adlb.csv into a folder."""
    visits = read_source()
    make_adsl(visits).to_csv(folder / "adsl.csv", index=False, lineterminator="\n")
    make_adlb(visits).to_csv(folder / "adlb.csv", index=False, lineterminator="\n")


if __name__ == "__main__":
    write_data(HERE)
