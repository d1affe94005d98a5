from http import HTTPStatus
from typing import Any

import httpx

from ...client import AuthenticatedClient, Client
from ...models.completion import Completion
from ...models.completion_request import CompletionRequest
from ...models.error_response import ErrorResponse
from ...types import UNSET, Response, Unset


def _get_kwargs(
    *,
    body: CompletionRequest,
    anthropic_version: str = "2023-06-01",
    anthropic_beta: str | Unset = UNSET,
    anthropic_workspace_id: str | Unset = UNSET,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    headers["anthropic-version"] = anthropic_version

    if not isinstance(anthropic_beta, Unset):
        headers["anthropic-beta"] = anthropic_beta

    if not isinstance(anthropic_workspace_id, Unset):
        headers["anthropic-workspace-id"] = anthropic_workspace_id

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/v1/complete",
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Completion | ErrorResponse:
    if response.status_code == 200:
        response_200 = Completion.from_dict(response.json())

        return response_200

    if response.status_code == 400:
        response_400 = ErrorResponse.from_dict(response.json())

        return response_400

    if response.status_code == 401:
        response_401 = ErrorResponse.from_dict(response.json())

        return response_401

    if response.status_code == 402:
        response_402 = ErrorResponse.from_dict(response.json())

        return response_402

    if response.status_code == 403:
        response_403 = ErrorResponse.from_dict(response.json())

        return response_403

    if response.status_code == 404:
        response_404 = ErrorResponse.from_dict(response.json())

        return response_404

    if response.status_code == 409:
        response_409 = ErrorResponse.from_dict(response.json())

        return response_409

    if response.status_code == 413:
        response_413 = ErrorResponse.from_dict(response.json())

        return response_413

    if response.status_code == 429:
        response_429 = ErrorResponse.from_dict(response.json())

        return response_429

    if response.status_code == 500:
        response_500 = ErrorResponse.from_dict(response.json())

        return response_500

    if response.status_code == 504:
        response_504 = ErrorResponse.from_dict(response.json())

        return response_504

    if response.status_code == 529:
        response_529 = ErrorResponse.from_dict(response.json())

        return response_529

    response_default = ErrorResponse.from_dict(response.json())

    return response_default


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[Completion | ErrorResponse]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient | Client,
    body: CompletionRequest,
    anthropic_version: str = "2023-06-01",
    anthropic_beta: str | Unset = UNSET,
    anthropic_workspace_id: str | Unset = UNSET,
) -> Response[Completion | ErrorResponse]:
    """Create a text completion

     Continues `prompt` with `model` until a stop sequence or the token limit is reached.

    With `stream: true` the same text arrives piecewise as server-sent events.

    The documented limit for a request body is 32 MB for standard endpoints; that it holds for this
    one is inference.

    Args:
        anthropic_version (str):  Default: '2023-06-01'.
        anthropic_beta (str | Unset):
        anthropic_workspace_id (str | Unset):
        body (CompletionRequest): What to continue, with what, and how far.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Completion | ErrorResponse]
    """

    kwargs = _get_kwargs(
        body=body,
        anthropic_version=anthropic_version,
        anthropic_beta=anthropic_beta,
        anthropic_workspace_id=anthropic_workspace_id,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient | Client,
    body: CompletionRequest,
    anthropic_version: str = "2023-06-01",
    anthropic_beta: str | Unset = UNSET,
    anthropic_workspace_id: str | Unset = UNSET,
) -> Completion | ErrorResponse | None:
    """Create a text completion

     Continues `prompt` with `model` until a stop sequence or the token limit is reached.

    With `stream: true` the same text arrives piecewise as server-sent events.

    The documented limit for a request body is 32 MB for standard endpoints; that it holds for this
    one is inference.

    Args:
        anthropic_version (str):  Default: '2023-06-01'.
        anthropic_beta (str | Unset):
        anthropic_workspace_id (str | Unset):
        body (CompletionRequest): What to continue, with what, and how far.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Completion | ErrorResponse
    """

    return sync_detailed(
        client=client,
        body=body,
        anthropic_version=anthropic_version,
        anthropic_beta=anthropic_beta,
        anthropic_workspace_id=anthropic_workspace_id,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient | Client,
    body: CompletionRequest,
    anthropic_version: str = "2023-06-01",
    anthropic_beta: str | Unset = UNSET,
    anthropic_workspace_id: str | Unset = UNSET,
) -> Response[Completion | ErrorResponse]:
    """Create a text completion

     Continues `prompt` with `model` until a stop sequence or the token limit is reached.

    With `stream: true` the same text arrives piecewise as server-sent events.

    The documented limit for a request body is 32 MB for standard endpoints; that it holds for this
    one is inference.

    Args:
        anthropic_version (str):  Default: '2023-06-01'.
        anthropic_beta (str | Unset):
        anthropic_workspace_id (str | Unset):
        body (CompletionRequest): What to continue, with what, and how far.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Completion | ErrorResponse]
    """

    kwargs = _get_kwargs(
        body=body,
        anthropic_version=anthropic_version,
        anthropic_beta=anthropic_beta,
        anthropic_workspace_id=anthropic_workspace_id,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient | Client,
    body: CompletionRequest,
    anthropic_version: str = "2023-06-01",
    anthropic_beta: str | Unset = UNSET,
    anthropic_workspace_id: str | Unset = UNSET,
) -> Completion | ErrorResponse | None:
    """Create a text completion

     Continues `prompt` with `model` until a stop sequence or the token limit is reached.

    With `stream: true` the same text arrives piecewise as server-sent events.

    The documented limit for a request body is 32 MB for standard endpoints; that it holds for this
    one is inference.

    Args:
        anthropic_version (str):  Default: '2023-06-01'.
        anthropic_beta (str | Unset):
        anthropic_workspace_id (str | Unset):
        body (CompletionRequest): What to continue, with what, and how far.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Completion | ErrorResponse
    """

    return (
        await asyncio_detailed(
            client=client,
            body=body,
            anthropic_version=anthropic_version,
            anthropic_beta=anthropic_beta,
            anthropic_workspace_id=anthropic_workspace_id,
        )
    ).parsed
