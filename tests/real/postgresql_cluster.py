"""Three nodes on one PostgreSQL: the leader is who holds the lock there, which runs out 15 s after a kill."""

from postgresql import WithPostgresql
from server_cluster import ServerCluster

STORAGE = """storage "postgresql" {{
  connection_url = "{url}"
  ha_enabled = "true"
}}"""


class PostgresqlCluster(WithPostgresql, ServerCluster):
    """OpenBao only: it creates its own tables."""

    kind = "postgresql"
    can_freeze_database = True

    def heal(self):
        self.database.thaw()
        super().heal()

    def logs(self):
        return super().logs() + f"--- postgresql\n{self.database.log()[-4000:]}"

    def _storage(self, node):
        return STORAGE.format(url=self.database.url)

    def _wait_for_members(self):
        """Whoever reaches the database and is unsealed is one."""
