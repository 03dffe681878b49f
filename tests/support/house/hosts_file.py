"""Names that lead where a test says, for one program alone: a hosts file that is mounted over the system's."""


class HostsFile:
    def __init__(self, folder, hosts):
        self._path = folder / "hosts"
        self.lead(hosts)

    def lead(self, hosts):
        """Host: address, or addresses. In place: the file is mounted."""
        lines = ["127.0.0.1 localhost"]
        for host, addresses in hosts.items():
            lines += [f"{address} {host}" for address in ([addresses] if isinstance(addresses, str) else addresses)]
        self._path.write_text("\n".join(lines) + "\n")

    def wrapper(self):
        """What a command is to be put behind."""
        return ["unshare", "-m", "sh", "-c", f'mount --bind {self._path} /etc/hosts && exec "$@"', "sh"]
