"""What the scenarios ask of a cluster and of the Bellwether before it."""


def to_nodes(cluster):
    """The words that tell Bellwether about the nodes and their one name."""
    return ["--ca-file", cluster.tls.ca_file, "--server-name", cluster.tls.server_name, *cluster.urls]


def agreed_leader(proxy):
    """Who leads, when status, metrics and log say the same; else None."""
    said = {proxy.leader_by_status(), proxy.leader_by_metrics(), proxy.leader_by_log()}
    return said.pop() if len(said) == 1 else None


def node_name(cluster, index):
    """As Bellwether calls a node that has been given no name: host:port."""
    return cluster.urls[index].split("//")[1]
