"""Three nodes on one PostgreSQL: the leader is who holds the lock there, which runs out 15 s after a kill."""

import pathlib

from postgresql import Postgresql
from server_cluster import ServerCluster

STORAGE = """storage "postgresql" {{
  connection_url = "{url}"
  ha_enabled = "true"
}}"""


class PostgresqlCluster(ServerCluster):
    """OpenBao only: it creates its own tables."""

    kind = "postgresql"
    can_freeze_database = True

    def __init__(self, server, folder, size=3):
        self.database = Postgresql(pathlib.Path(folder) / "postgresql")
        super().__init__(server, folder, size)

    def start(self):
        self.database.start()
        return super().start()

    def end(self):
        super().end()
        self.database.end()

    def heal(self):
        self.database.thaw()
        super().heal()

    def logs(self):
        return super().logs() + f"--- postgresql\n{self.database.log()[-4000:]}"

    def _storage(self, node):
        return STORAGE.format(url=self.database.url)

    def _wait_for_members(self):
        """Whoever reaches the database and is unsealed is one."""
