"""The public functions of the notebook on PSF cutouts, written anew after their description.

Names, arguments, texts of errors and what is sent are those of `mast_api_psf.py` (spacetelescope/hst_notebooks), as the
project describes them; nothing is copied. The addresses of the archive are `SERVER` and `ARCHIVE`, which users change.
"""

from __future__ import annotations

import os
import time
from multiprocessing import Pool

import requests
from astropy.io import fits
from astroquery.mast import Mast
from tqdm import tqdm

SERVER = "https://mast.stsci.edu"
ARCHIVE = "https://archive.stsci.edu"

_SERVICES = {
    "UVIS": "Mast.Catalogs.Filtered.Wfc3Psf.Uvis",
    "IR": "Mast.Catalogs.Filtered.Wfc3Psf.Ir",
    "WFPC2": "Mast.Catalogs.Filtered.Wfpc2Psf.Uvis",
}
_RAW, _CALIBRATED = ("raw", "d0m"), ("flt", "c0m", "flc")


def request_url_prefix():
    return f"{SERVER}/api/v0.1/Download"


def set_filters(parameters):
    return [{"paramName": name, "values": values} for name, values in parameters.items()]


def set_min_max(min, max):
    return [{"min": min, "max": max}]


def download_request_file(dataURI_filename):
    uri, filename = dataURI_filename
    answer = requests.get(f"{request_url_prefix()}/file", params={"uri": uri})
    with open(filename, "wb") as file:
        file.write(answer.content)
    return filename


def download_request_pool(dataURIs, cpu_count=0):
    instrument = "WFC3PSF" if "WFC3" in dataURIs[0] else "WFPC2PSF"
    folder = os.path.join(time.strftime("MAST_%Y-%m-%dT%H%M"), instrument)
    os.makedirs(folder, exist_ok=True)
    wanted = [[uri, os.path.join(folder, uri.rpartition("/")[2])] for uri in dataURIs]
    with Pool(cpu_count or os.cpu_count()) as pool:
        list(tqdm(pool.imap(download_request_file, wanted), total=len(wanted)))
    return folder


def download_request_bundle(dataURIs, filename):
    answer = requests.post(f"{request_url_prefix()}/bundle.tar.gz", data=[("uri", uri) for uri in dataURIs])
    with open(filename, "wb") as file:
        file.write(answer.content)
    return filename


def mast_query_psf_database(detector, filts, columns=["*"]):  # noqa: B006  as it is there
    if not isinstance(detector, str):
        raise TypeError("detector must be a string.")
    if not isinstance(filts, list):
        raise TypeError("filts must be a list.")
    if not isinstance(columns, list):
        raise TypeError("columns must be a list.")
    if detector.upper() not in _SERVICES:
        raise ValueError(f"detector must be one of {', '.join(_SERVICES)}.")
    if detector.upper() == "WFPC2":
        columns[:] = ["filter_1" if column == "filter" else column for column in columns]
        for entry in filts:
            if "filter" in entry.values():
                entry["paramName"] = "filter_1"
    asked = {"columns": "*" if "*" in columns else ",".join(columns), "filters": filts}
    return Mast.service_request(_SERVICES[detector.upper()], asked)


def make_dataURIs(obs, detector, file_suffix, unsat_size=51, sat_size=101):
    if not isinstance(file_suffix, list):
        raise TypeError("detector must be a list.")
    if not set(file_suffix) <= {*_RAW, *_CALIBRATED}:
        raise ValueError("file_suffix must be of raw, d0m, flt, c0m, flc.")
    is_wfpc2 = detector.upper() == "WFPC2"
    uris = []
    for row in tqdm(obs, total=len(obs)):
        extension = row["chip"]
        if detector.upper() == "UVIS":
            extension = 4 if row["chip"] == "1" and row["subarray"] == 0 else 1
        size = unsat_size if row["qfit"] > 0 else sat_size
        for suffix in file_suffix:
            kind = "raw" if suffix in _RAW else "cal"
            cut = f"red={row['rootname']}_{suffix}[{extension}]&size={size}&x={row[f'x_{kind}']}&y={row[f'y_{kind}']}"
            filter_name = row["filter_1" if is_wfpc2 else "filter"]
            name = f"{row['rootname']}_{row['id']}_{filter_name}_{suffix}_cutout.fits"
            collection = "WFPC2PSF" if is_wfpc2 else "WFC3PSF"
            uris.append(f"mast:{collection}/url/cgi-bin/fitscut.cgi?{cut}&format=fits/{name}")
    return uris


def convert_dataURIs_to_dataURLs(dataURIs):
    urls = []
    for uri in tqdm(dataURIs, total=len(dataURIs)):
        pieces = uri.split("/")
        urls.append(f"{ARCHIVE}/cgi-bin/hla/{pieces[3]}&imagename={pieces[4]}")
    return urls


def extract_cutouts_pool(dataURLs, cpu_count=0):
    with Pool(cpu_count or os.cpu_count()) as pool:
        return list(tqdm(pool.imap(fits.getdata, dataURLs), total=len(dataURLs)))
