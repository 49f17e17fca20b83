"""The page: what people see who open the address of the server in a browser; one module a page."""

from skydex.web.pages.plain import link_list, page
from skydex.web.pages.service import SERVICE

__all__ = ["SERVICE", "link_list", "page"]
