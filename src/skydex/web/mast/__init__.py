"""MAST: the services of the Mikulski Archive that notebooks and astroquery ask for names and small catalogues.

`/api/v0/invoke` takes every request in one parameter and hands it to the service that it names; families of services
stand in modules of their own, and are entered in `invoke`. Beside it: what the columns of a service are
(`columnsconfig`), SANTA, the resolver of names, and downloads of products by their data URIs.
"""

from skydex.web.mast.invoke import SERVICE

__all__ = ["SERVICE"]
