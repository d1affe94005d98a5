"""Put httpx2 in the place of httpx, before anything imports that.

For pytest: `PYTHONPATH=tests pytest -p httpx2_alias`.
"""

import httpx2

httpx2.alias_httpx()
