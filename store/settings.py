"""Settings from the environment; a wrong value stops the start with its name and what it must be."""

import os
import secrets
from pathlib import Path
from typing import Self

from pydantic import ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from squashlib.errors import SquashError

#: A shorter key of HS256 can be guessed (RFC 7518 §3.2).
KEY_BYTES = 32
CHECKOUT = Path(__file__).parent.parent


class Settings(BaseSettings):
    """Where things live and who signs tokens (`SQUASH_…`).

    On PostgreSQL the platform works under a login that owns nothing, `SQUASH_DATABASE_URL` (`CREATE ROLE … LOGIN
    NOINHERIT`), while the tables belong to `SQUASH_DATABASE_OWNER_URL`, which only brings them up to date at the start:
    it makes the roles `squash_app` and `squash_service` and grants them to the login. The owner needs `CREATEROLE`, or
    an administrator makes and grants the two roles; it needs no superuser. Where there is but one login (Supabase's
    `postgres`), it is named by `SQUASH_DATABASE_URL` alone: each connection gives its rights up for a role at once, and
    the policies hold for the owner too.
    """

    model_config = SettingsConfigDict(env_prefix="SQUASH_", extra="ignore", hide_input_in_errors=True)

    home: Path = CHECKOUT / "data"
    database_url: str = ""
    database_owner_url: str = ""
    store_url: str = ""
    backup_url: str = ""
    redis_url: str | None = None
    jwt_issuer: str | None = None
    jwt_audience: str | None = None
    jwt_jwks_url: str | None = None
    jwt_hs256_secret: str | None = None
    dask_address: str | None = None
    work_pool: str | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.store_url and not self.store_url.startswith(("file://", "s3://")):
            raise ValueError("SQUASH_STORE_URL must begin with file:// or s3://")
        if self.backup_url and not self.backup_url.startswith(("file://", "s3://")):
            raise ValueError("SQUASH_BACKUP_URL must begin with file:// or s3://")
        if self.database_url and not self.database_url.startswith(("sqlite", "postgresql")):
            raise ValueError("SQUASH_DATABASE_URL must begin with sqlite: or postgresql:")
        if self.database_owner_url and not (self.database_owner_url + self.database_url).count("postgresql") == 2:
            raise ValueError("SQUASH_DATABASE_OWNER_URL and SQUASH_DATABASE_URL must both begin with postgresql:")
        if self.jwt_jwks_url and self.jwt_hs256_secret:
            raise ValueError("SQUASH_JWT_HS256_SECRET excludes SQUASH_JWT_JWKS_URL; set one of the two")
        if self.jwt_hs256_secret and len(self.jwt_hs256_secret.encode()) < KEY_BYTES:
            raise ValueError(f"SQUASH_JWT_HS256_SECRET must be at least {KEY_BYTES} bytes")
        if (self.jwt_jwks_url or self.jwt_hs256_secret) and not (self.jwt_issuer and self.jwt_audience):
            raise ValueError("SQUASH_JWT_ISSUER and SQUASH_JWT_AUDIENCE must be set beside an issuer's key")
        return self

    @property
    def catalog_url(self) -> str:
        """SQLAlchemy's URL of the catalog: a SQLite file under `home`, or PostgreSQL through psycopg."""
        url = self.database_url or f"sqlite:///{self.home / 'catalog.sqlite'}"
        return _through_psycopg(url)

    @property
    def catalog_owner_url(self) -> str:
        """The URL under which the catalog's tables are made and changed."""
        return _through_psycopg(self.database_owner_url) or self.catalog_url

    @property
    def blobs_url(self) -> str:
        """URL of the blob store."""
        return self.store_url or (self.home / "store").absolute().as_uri()

    @property
    def backups_url(self) -> str:
        """URL of the copies."""
        return self.backup_url or (self.home / "backups").absolute().as_uri()

    def secret_key(self) -> str:
        """The key that signs tokens: `SQUASH_SECRET_KEY`, or one made on first start and kept with mode 600."""
        if given := os.environ.get("SQUASH_SECRET_KEY"):
            if len(given.encode()) < KEY_BYTES:
                raise SquashError(f"SQUASH_SECRET_KEY is {len(given.encode())} bytes, must be at least {KEY_BYTES}")
            return given
        path = self.home / "secret_key"
        self.home.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            draft = path.with_suffix(f".{secrets.token_hex(4)}")
            draft.touch(mode=0o600)
            draft.write_text(secrets.token_urlsafe(48))
            try:
                os.link(draft, path)  # of two first starts at once, one wins
            except FileExistsError:
                pass
            finally:
                draft.unlink()
        return path.read_text().strip()


def _through_psycopg(url: str) -> str:
    return url.replace("postgresql://", "postgresql+psycopg://", 1)


def load() -> Settings:
    """Read the settings; raises `SquashError` that names the wrong variable."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "SQUASH_" + "_".join(map(str, first["loc"])).upper() if first["loc"] else ""
        raise SquashError(f"{name} {first['msg'].removeprefix('Value error, ')}".strip()) from error
