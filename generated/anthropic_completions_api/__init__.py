"""A client library for accessing Anthropic Text Completions (legacy)"""

from .client import AuthenticatedClient, Client

__all__ = (
    "AuthenticatedClient",
    "Client",
)
