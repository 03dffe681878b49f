"""What the Python tests share: processes, waiting, HTTP, certificates, and the proxy itself."""
