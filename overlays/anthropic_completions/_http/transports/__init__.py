"""Other ways to the network than httpcore, behind httpx's interface: aiohttp, and Rust's reqwest.

Each keeps the package's defaults and time limits, says what it cannot do, and hands on no object of its
library, as these hold requests with their keys.
"""
