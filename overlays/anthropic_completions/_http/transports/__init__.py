"""Ways to the network, behind httpx's interface: what they share, and those over aiohttp and Rust's reqwest.

All have the package's defaults, certificates and time limits. The two say what they cannot do, and hand on
no object of their library, as these hold requests with their keys.
"""
