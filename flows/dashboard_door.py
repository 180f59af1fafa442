"""Who may enter Voilà: whom the API sends, and each to their own kernels alone."""

import hmac
import re
from typing import Any

from jupyter_server.auth import Authorizer, IdentityProvider, User
from jupyter_server.base.handlers import APIHandler
from tornado import web
from traitlets import Unicode
from voila.app import Voila

SECRET_HEADER, USER_HEADER = "X-Squash-Secret", "X-Squash-User"
_KERNEL = re.compile(r"/(?:kernels|shutdown|query|execution)/([0-9a-fA-F-]{36})(?:/|$)")


class Visitor(IdentityProvider):  # type: ignore[misc]
    """The user whom the API names, if the request carries the secret of this start."""

    secret = Unicode(config=True)
    auth_enabled = True
    login_available = False

    def get_user(self, handler: web.RequestHandler) -> User | None:
        """The user; None for a stranger, 404 where the path names a kernel of somebody else."""
        headers = handler.request.headers
        given, name = headers.get(SECRET_HEADER, ""), headers.get(USER_HEADER, "")
        if not name or not hmac.compare_digest(given.encode(), self.secret.encode()):
            return None
        found = _KERNEL.search(handler.request.path)
        if found and not owns(handler, name, found.group(1)):
            handler.current_user = None  # or the error's own page would ask for it in vain
            raise web.HTTPError(404)
        return User(username=name)

    def is_token_authenticated(self, handler: web.RequestHandler) -> bool:
        """The secret stands for a token: the API has looked at the request's origin itself."""
        return handler.current_user is not None

    def get_handlers(self) -> list[Any]:
        """No login page: the API has one."""
        return []


class Guard(Authorizer):  # type: ignore[misc]
    """A user may act on a kernel that was made for them, and on no other."""

    def is_authorized(self, handler: web.RequestHandler, user: User, action: str, resource: str) -> bool:
        """Asked by every handler of kernels; a second look beside `Visitor`'s."""
        kernel_id = handler.path_kwargs.get("kernel_id") or (handler.path_args or [""])[0]
        return resource == "kernels" and owns(handler, user.username, str(kernel_id))


def owns(handler: web.RequestHandler, user_id: str, kernel_id: str) -> bool:
    """Whether a kernel was made for this user."""
    return bool(handler.settings["kernel_manager"].owners.get(kernel_id) == user_id)


class Seat(APIHandler):  # type: ignore[misc]
    """Whether there is room for one more page of this user, or how many wait before them."""

    @web.authenticated
    async def post(self) -> None:
        """Keep a seat for a moment, or stay in line."""
        before = await self.kernel_manager.keep_seat(self.current_user.username)
        self.finish({"before": before})


class Dashboards(Voila):  # type: ignore[misc]
    """Voilà with seats."""

    def init_handlers(self) -> list[Any]:
        """Seats before all else; without handlers that publish files or folders."""
        kept = [handler for handler in super().init_handlers() if not re.search(r"/(tree|files|contents)", handler[0])]
        return [(self.base_url + "seat", Seat), *kept]
