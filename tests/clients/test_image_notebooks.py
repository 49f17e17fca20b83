"""Image sections of public notebooks against the demonstration: Pan-STARRS cutouts, and HLA's search of images.

The functions are those of spacetelescope/mast_notebooks (`PS1_image`) and of the SWEEPS notebook, with their arguments,
defaults and choices; only the address of the server is ours.
"""

from __future__ import annotations

from io import BytesIO, StringIO

import numpy as np
import pytest
import requests
import serving
from astropy.io import fits
from astropy.table import Table
from astropy.wcs import WCS
from PIL import Image

M87 = (187.70593, 12.39112)
FAR = (83.633, -75.0)
IC1613 = (16.141516, 2.177815)


@pytest.fixture(scope="module")
def url(simulated):
    with serving.serving(simulated) as server:
        yield server.url


def getimages(url, ra, dec, filters="grizy"):
    """Query ps1filenames.py service to get a list of images."""
    return Table.read(f"{url}/cgi-bin/ps1filenames.py?ra={ra}&dec={dec}&filters={filters}", format="ascii")


def geturl(url, ra, dec, size=240, output_size=None, filters="grizy", format="jpg", color=False):
    """Get URL for images in the table."""
    if color and format == "fits":
        raise ValueError("color images are available only for jpg or png formats")
    table = getimages(url, ra, dec, filters)
    address = f"{url}/cgi-bin/fitscut.cgi?ra={ra}&dec={dec}&size={size}&format={format}"
    if output_size:
        address += f"&output_size={output_size}"
    table = table[np.argsort(["yzirg".find(name) for name in table["filter"]])]
    if color:
        if len(table) > 3:
            table = table[[0, len(table) // 2, len(table) - 1]]
        return address + "".join(f"&{param}={table['filename'][i]}" for i, param in enumerate(["red", "green", "blue"]))
    return [f"{address}&red={name}" for name in table["filename"]]


def getimages_of_many(url, tra, tdec, filters="grizy", imagetypes="stack"):
    """Positions go in as a file."""
    file = StringIO("\n".join(f"{ra} {dec}" for ra, dec in zip(tra, tdec, strict=True)))
    answer = requests.post(
        f"{url}/cgi-bin/ps1filenames.py", data={"filters": filters, "type": imagetypes}, files={"file": file}
    )
    answer.raise_for_status()
    return Table.read(answer.text, format="ascii")


def test_a_colour_image_of_m_87(url):
    image = Image.open(BytesIO(requests.get(geturl(url, *M87, size=200, output_size=400, color=True)).content))
    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (400, 400))
    pixels = np.asarray(image).astype(int)
    assert pixels[180:220, 180:220].min() > pixels[:40, :40].max()


def test_a_fits_image_of_m_87(url):
    addresses = geturl(url, *M87, size=100, filters="i", format="fits")
    assert len(addresses) == 1
    with fits.open(addresses[0], cache=False) as hdus:
        data, header = hdus[0].data, hdus[0].header
    assert data.shape == (100, 100)
    x, y = WCS(header).all_world2pix(*M87, 0)
    assert (x, y) == pytest.approx((50, 50), abs=0.51)
    assert np.nanmax(data[45:56, 45:56]) == np.nanmax(data)
    assert "BSOFTEN" not in header


def test_where_there_is_nothing_the_table_is_empty(url):
    assert len(getimages(url, *FAR)) == 0


def test_many_positions_at_once(url):
    table = getimages_of_many(url, [M87[0], FAR[0], M87[0] + 0.01], [M87[1], FAR[1], M87[1]], "gi", "stack,warp")
    assert set(table["ra"]) == {M87[0], M87[0] + 0.01}
    assert set(table["type"]) == {"stack", "warp"}
    assert (table["mjd"][table["type"] == "warp"] > 54000).all()
    address = f"{url}/cgi-bin/fitscut.cgi?size=20&format=fits&ra={M87[0]}&dec={M87[1]}&red={table['filename'][-1]}"
    assert fits.getdata(address, cache=False).shape == (20, 20)


def test_colour_images_of_every_visit_in_the_order_of_time(url):
    """The search of the SWEEPS notebook, at a place of the demonstration."""
    given = "imagetype=color&inst=ACS&format=image/jpeg&spectral_elt=f814w,f475w&autoscale=95.0&asinh=1&naxis=33"
    address = f"{url}/cgi-bin/hlaSIAP.cgi?pos={IC1613[0]},{IC1613[1]}&size=0.0&{given}"
    table = Table.read(address, format="votable")
    assert len(table) == 12
    assert list(table["StartTime"]) == sorted(table["StartTime"])
    image = Image.open(BytesIO(requests.get(table["URL"][0]).content))
    assert (image.mode, image.size) == ("RGB", (33, 33))
