"""Contains all the data models used in inputs/outputs"""

from .completion import Completion
from .completion_chunk import CompletionChunk
from .completion_request import CompletionRequest
from .error_detail import ErrorDetail
from .error_response import ErrorResponse
from .known_beta import KnownBeta
from .known_model import KnownModel
from .metadata import Metadata
from .ping import Ping

__all__ = (
    "Completion",
    "CompletionChunk",
    "CompletionRequest",
    "ErrorDetail",
    "ErrorResponse",
    "KnownBeta",
    "KnownModel",
    "Metadata",
    "Ping",
)
